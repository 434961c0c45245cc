#pragma once
// Numbers that others published, and the runs of ours that should reach them.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../metrics/metric.h"
#include "task.h"
#include "trainer.h"

namespace tarsier::zoo {

/// A mark: a model, the data it learns from, and what it should reach on the test split.
struct ReproduceRow {
  std::string name;   ///< what `tarsier reproduce` takes
  std::string model;  ///< of `tarsier list`
  std::string data;   ///< a path below the folder of all data; "": the model's own
  std::vector<std::pair<std::string, std::string>> settings;  ///< beside the model's own, for --set
  Metric mark;            ///< the metric by the name that `tarsier eval` prints, and its bound
  std::string published;  ///< the figure of others, with its source
};

/// The marks of the zoo.
const std::vector<ReproduceRow>& reproduce_rows();

/// How a row came out with one seed.
struct SeedResult {
  uint64_t seed = 0;
  double value = 0;    ///< of the row's metric, on the test split
  double seconds = 0;  ///< of training, validation included
};

/// How it came out with all.
struct RowResult {
  std::vector<SeedResult> seeds;  ///< never empty

  double mean() const;
  double deviation() const;  ///< √(Σ (x − mean)² / (n − 1)); 0 where there is one seed
  double minutes() const;    ///< of training, on average
  /// "36.42 ± 0.15"
  std::string text(const Metric& mark) const;
  /// Whether the mean reaches the mark.
  bool passes(const Metric& mark) const;
};

/// Runs rows, each seed in a folder of its own: OUT/ROW/seed-N. What a folder holds already is not
/// done again: a finished seed is read, one that was interrupted goes on to the same bits.
class Reproduction {
 public:
  /// `data` is the folder of all data, `out` where the runs are kept.
  Reproduction(std::string data, std::string out) : data_(std::move(data)), out_(std::move(out)) {}

  /// Throws UsageError where the data of a row are not there.
  void check_data(const std::vector<ReproduceRow>& rows) const;

  /// What seed `seed` of a row came to, if it is finished, with the settings that the row has now.
  std::optional<SeedResult> finished(const ReproduceRow& row, uint64_t seed) const;

  /// The row's model with its data, ready for run().
  std::unique_ptr<Task> prepare(const ReproduceRow& row, uint64_t seed) const;

  /// Trains what prepare() gave, or goes on with it, and evaluates it once. Nothing where it was
  /// interrupted. Throws Error("reproduce") where the folder is of a run with other settings or
  /// data, or the evaluation has no such metric.
  std::optional<SeedResult> run(const ReproduceRow& row, Task& task, uint64_t seed,
                                const std::function<bool()>& interrupted,
                                TrainObserver& observer) const;

  /// All finished seeds of a row from 1 on, if there are any.
  std::optional<RowResult> result(const ReproduceRow& row) const;

  /// A table in Markdown of all rows that have a result.
  std::string table(const std::vector<ReproduceRow>& rows) const;

  const std::string& out() const { return out_; }

 private:
  std::string folder(const ReproduceRow& row, uint64_t seed) const;
  std::string data_path(const ReproduceRow& row) const;

  std::string data_, out_;
};

}  // namespace tarsier::zoo
