#pragma once
// The folder of a run: everything that training leaves behind.
//
//   config.json            the model, its settings, the seed, and what it must know of its data
//   metrics.jsonl          one JSON object for every step
//   report.html            a page for people: curves, predictions, where the model looks
//   model.safetensors      the averaged weights of the best validation so far
//   checkpoint/state.safetensors    weights, optimiser state, step and seed: all that resuming
//   needs
//
// metrics.jsonl grows line by line. Every other file is written beside and renamed into place, so
// that whatever happens, each is whole. The checkpoint is one file for the same reason: two files
// cannot be renamed at once.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor_dict.h"
#include "../../nn/nn.h"
#include "settings.h"

namespace tarsier::zoo {

struct StepReport;

/// What config.json holds.
struct RunConfig {
  std::string model;  ///< the name in `tarsier list`
  uint64_t seed = 1;
  std::string data_path;  ///< absolute; "" for the embedded data
  Json settings = Json(Json::Object{});
  Json data = Json(Json::Object{});  ///< Task::describe_data()

  /// Writes every setting into `settings`.
  void keep(const Settings& values);
  /// Sets every setting that is kept. Throws Error("config").
  void apply_to(Settings& values) const;
};

/// What a checkpoint holds.
struct Checkpoint {
  int64_t step = 0;  ///< steps done
  uint64_t seed = 0;
  double seconds = 0;  ///< trained so far
  TensorDict model;
  TensorDict optimizer;
  TensorDict average;     ///< of the weights
  TensorDict best;        ///< the averaged weights of the best validation so far; empty before any
  double best_value = 0;  ///< of the first metric, then
  double best_loss = std::numeric_limits<double>::quiet_NaN();  ///< then; NaN: not measured
  int64_t best_step = 0;                                        ///< 0: none yet
  int64_t without_gain = 0;                                     ///< validations since
};

class RunFolder {
 public:
  /// Makes a new folder, and those above it. Throws Error("run") where it holds a run already (a
  /// run's config.json alone is none: that run ended before its first checkpoint) or a config.json
  /// of something else, and where it cannot be made.
  static RunFolder create(const std::string& path);
  /// create() with the first free one of `stem`, `stem`-2, `stem`-3, …
  static RunFolder create_next(const std::string& stem);
  /// The folder of an earlier run. Throws Error("run") where it is none.
  static RunFolder open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Throws Error("run") if the disk of `path`, which need not exist yet, has no room for `bytes`.
  static void check_space(const std::string& path, int64_t bytes);

  void write_config(const RunConfig& config) const;
  /// Throws Error("config") that says what is wrong with the file.
  RunConfig read_config() const;

  void save_weights(const TensorDict& weights, const std::string& model) const;
  TensorDict load_weights() const;
  /// Whether model.safetensors is whole and holds these, to the last bit.
  bool holds_weights(const TensorDict& weights) const;

  bool has_checkpoint() const;
  void save_checkpoint(const Checkpoint& checkpoint) const;
  Checkpoint load_checkpoint() const;

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// While it lives, no other process can train in the folder: two would write each other's files.
/// The system takes it back from a process that ends, however it ends.
class RunLock {
 public:
  /// Throws Error("run") where another process has it.
  explicit RunLock(const RunFolder& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int folder_ = -1;
};

/// metrics.jsonl, open for more lines.
class MetricsLog {
 public:
  /// Cuts the log of an earlier process behind the lines of the steps up to `last_step` (a resumed
  /// run does the later ones again), or behind the last whole line. Returns false, and leaves
  /// everything as it is, where `interrupted`, asked every now and then, says so. Throws
  /// Error("run") for a damaged line, and for a step that comes twice.
  static bool rewind(const RunFolder& folder, int64_t last_step,
                     const std::function<bool()>& interrupted);

  explicit MetricsLog(const RunFolder& folder);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Adds a line; it is in the file when this returns. `items` names the speed: "tokens".
  /// Throws Error("run") where it cannot be written; then no part of it is there.
  void write(const StepReport& report, const std::string& items);
  /// Waits until all lines are on the disk.
  void sync() const;

 private:
  static int64_t step_of(std::string_view line, const std::string& path, int64_t number);
  void append(std::string_view line);

  std::string path_;
  int file_;
};

}  // namespace tarsier::zoo
