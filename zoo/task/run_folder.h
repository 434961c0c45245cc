#pragma once
// The folder of a run: everything that training writes.
//
//   config.json            the model, its settings, the seed, and what the model knows of its data
//   metrics.jsonl          one JSON object per step
//   samples.jsonl          what the model wrote at some steps (samples.h)
//   report.html            a page for people: curves, predictions, attention
//   model.safetensors      the averaged weights of the best validation so far
//   checkpoint/state.safetensors    weights, optimiser state, step, seed: all that resuming needs
//
// metrics.jsonl grows line by line. Every other file is written under a temporary name and renamed,
// so that each is complete whatever happens. The checkpoint is one file for the same reason: two
// files cannot be renamed at once.

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

/// The contents of config.json.
struct RunConfig {
  std::string model;  ///< the name in `tarsier list`
  uint64_t seed = 1;
  std::string data_path;  ///< absolute; "" for the built-in data
  std::string from = "";  ///< the run that it started from, absolute; "" for none. A mere note
  /// The run whose weights `tarsier quantize` made these of, absolute; "" for none. A mere note.
  std::string quantized_from = "";
  Json settings = Json(Json::Object{});
  Json data = Json(Json::Object{});  ///< Task::describe_data()

  /// Stores every setting in `settings`.
  void keep(const Settings& values);
  /// Restores every stored setting. Throws Error("config").
  void apply_to(Settings& values) const;
  /// Whether the run learned from the data of which Task::describe_data() says `described`. What an
  /// older version did not write down yet is not compared.
  bool learned_from(const Json& described) const;
};

/// The contents of a checkpoint.
struct Checkpoint {
  int64_t step = 0;  ///< steps done
  uint64_t seed = 0;
  double seconds = 0;  ///< trained so far
  TensorDict model;
  TensorDict optimizer;
  TensorDict average;     ///< of the weights
  TensorDict best;        ///< the average at the best validation so far; empty before the first
  double best_value = 0;  ///< the first metric at that validation
  double best_loss = std::numeric_limits<double>::quiet_NaN();  ///< its loss; NaN: not measured
  int64_t best_step = 0;                                        ///< 0: none yet
  int64_t without_gain = 0;                                     ///< validations since
};

class RunFolder {
 public:
  /// Makes a new folder, and its parents. Throws Error("run") if it holds a run already
  /// (config.json alone does not count: that run ended before its first checkpoint) or a
  /// config.json of something else, and if it cannot be made.
  static RunFolder create(const std::string& path);
  /// create() with the first free name of `stem`, `stem`-2, `stem`-3, …
  static RunFolder create_next(const std::string& stem);
  /// The folder of an earlier run. Throws Error("run") if it is not one.
  static RunFolder open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Throws Error("run") if the disk of `path`, which need not exist yet, has fewer than `bytes`
  /// free.
  static void check_space(const std::string& path, int64_t bytes);

  void write_config(const RunConfig& config) const;
  /// Throws Error("config") that says what is wrong with the file.
  RunConfig read_config() const;

  /// `step` is the step of training that the weights are of.
  void save_weights(const TensorDict& weights, const std::string& model, int64_t step) const;
  /// The weights, and in `step`, if given, their step; −1 if the file does not say it.
  /// Throws Error("run") for int8 weights.
  TensorDict load_weights(int64_t* step = nullptr) const;
  /// Whether model.safetensors holds int8 weights (nn/quantize.h); false if it is damaged.
  bool holds_int8() const;
  /// Throws Error(op) if it does: "… but not trained: use the run that they were made from".
  void refuse_int8(const char* op, const std::string& refused) const;
  /// Saves a model that nn::quantize_ quantised.
  void save_int8(nn::Module& model, const std::string& name, int64_t step) const;
  /// Loads such weights into `model`. Throws Error("run") and Error("quantize").
  void load_int8(nn::Module& model) const;
  /// Whether model.safetensors is intact and holds exactly these weights.
  bool holds_weights(const TensorDict& weights) const;

  bool has_checkpoint() const;
  void save_checkpoint(const Checkpoint& checkpoint) const;
  Checkpoint load_checkpoint() const;

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// While it lives, no other process can train in the folder: two would overwrite each other's
/// files. The system releases it when the process ends, however it ends.
class RunLock {
 public:
  /// Throws Error("run") if another process holds it.
  explicit RunLock(const RunFolder& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int folder_ = -1;
};

/// metrics.jsonl, open for appending.
class MetricsLog {
 public:
  /// Cuts the log of an earlier process after the lines of the steps up to `last_step` (a resumed
  /// run repeats the later ones), or after the last complete line. Returns false, and changes
  /// nothing, if `interrupted`, which is called now and then, returns true. Throws Error("run") for
  /// a damaged line, and for a repeated step.
  static bool rewind(const RunFolder& folder, int64_t last_step,
                     const std::function<bool()>& interrupted);

  explicit MetricsLog(const RunFolder& folder);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends a line; it is in the file when this returns. `items` names the speed: "tokens".
  /// Throws Error("run") if it cannot be written; then no part of it is in the file.
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
