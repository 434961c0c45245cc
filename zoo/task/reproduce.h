#pragma once
// Published results, and our runs that should reach them.

#include <cstddef>
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

/// What a row should reach on the test split.
struct Mark {
  Metric bound;           ///< the metric, named as in `tarsier eval`, and its bound
  std::string published;  ///< the published figure, with its source
};

/// A row: a model, its data, and its marks. It is trained once for all of them.
struct ReproduceRow {
  std::string name;   ///< the argument of `tarsier reproduce`
  std::string model;  ///< a name in `tarsier list`
  std::string data;   ///< a path below the folder of all data; "": the model's own
  std::vector<std::pair<std::string, std::string>> settings;  ///< as for --set
  std::vector<Mark> marks;                                    ///< never empty
  /// Options of the evaluation that take the run of another row with seed 1, which is made first:
  /// {"reader", "vit"}.
  std::vector<std::pair<std::string, std::string>> runs = {};
};

/// The rows of the zoo.
const std::vector<ReproduceRow>& reproduce_rows();

/// The result of a row with one seed.
struct SeedResult {
  uint64_t seed = 0;
  std::vector<double> values;  ///< of the metric of each mark, on the test split
  double seconds = 0;          ///< of training, validation included
};

/// The values of one mark with all seeds.
struct MarkResult {
  std::vector<double> values;  ///< never empty

  double mean() const;
  double deviation() const;  ///< √(Σ (x − mean)² / (n − 1)); 0 for one seed
  /// "36.42 ± 0.15"
  std::string text(const Metric& bound) const;
  /// Whether the mean reaches the bound.
  bool passes(const Metric& bound) const;
};

/// The results with all seeds.
struct RowResult {
  std::vector<SeedResult> seeds;  ///< never empty

  MarkResult of(size_t mark) const;
  double minutes() const;  ///< of training, on average
};

/// Runs rows, each seed in a folder of its own: OUT/ROW/seed-N. Finished work is not repeated: a
/// finished seed is read, an interrupted one continues to the same bits.
class Reproduction {
 public:
  /// `data` is the folder with all data, `out` the folder for the runs.
  Reproduction(std::string data, std::string out) : data_(std::move(data)), out_(std::move(out)) {}

  /// Throws UsageError if the data of a row are missing.
  void check_data(const std::vector<ReproduceRow>& rows) const;

  /// The result of seed `seed` of a row, if it finished with the row's current settings and was
  /// evaluated for its current marks.
  std::optional<SeedResult> finished(const ReproduceRow& row, uint64_t seed) const;

  /// The row's model with its data, ready for run().
  std::unique_ptr<Task> prepare(const ReproduceRow& row, uint64_t seed) const;

  /// Trains what prepare() gave, or continues it, and evaluates it once, with the runs of other rows
  /// that it needs, which must be finished. Empty if it was interrupted. Throws Error("reproduce") if the folder holds a run with other settings or
  /// data, or the evaluation lacks the metric of a mark.
  std::optional<SeedResult> run(const ReproduceRow& row, Task& task, uint64_t seed,
                                const std::function<bool()>& interrupted,
                                TrainObserver& observer) const;

  /// All finished seeds of a row from 1 on, if any.
  std::optional<RowResult> result(const ReproduceRow& row) const;

  /// A table in Markdown of all rows that have a result, with a line for each mark.
  std::string table(const std::vector<ReproduceRow>& rows) const;

  const std::string& out() const { return out_; }

 private:
  std::string folder(const ReproduceRow& row, uint64_t seed) const;
  std::string data_path(const ReproduceRow& row) const;

  std::string data_, out_;
};

}  // namespace tarsier::zoo
