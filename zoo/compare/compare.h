#pragma once
// Trains models of equal size on the same tasks, and notes how well, how fast, in how much memory.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../../autograd/io/json.h"
#include "models.h"
#include "tasks.h"

namespace tarsier::zoo::compare {

/// How all runs of a comparison train.
struct Recipe {
  int64_t channels = 32;   ///< C, a multiple of 8
  int64_t batch = 16;      ///< sequences in a step
  int64_t steps = 600;     ///< at most
  int64_t examples = 256;  ///< of the runs on few sequences
  double lr = 3e-3;        ///< the highest learning rate, the same for all models
  uint64_t seed = 1;

  Json to_json() const;
};

/// One run: a model on a task at a distance.
struct Run {
  std::string task, model;
  int64_t distance = 0;
  bool few = false;  ///< on Recipe::examples sequences, again and again, instead of always new ones

  friend bool operator==(const Run& a, const Run& b) = default;
};

/// What came of it. Times and memory depend on the machine, `seconds` also on what else it does.
struct Outcome {
  Run run;
  int64_t parameters = 0;
  int64_t steps = 0;       ///< done; fewer than Recipe::steps if it was solved or given up
  double accuracy = 0;     ///< the share of right answers in sequences that were not trained on
  double trained = 0;      ///< the share of right answers in the last steps of training
  double seconds = 0;      ///< of training
  double processor = 0;    ///< seconds of processor time of all threads in training
  int64_t tokens = 0;      ///< in all steps
  int64_t peak_bytes = 0;  ///< the largest memory of all tensors in a step

  double tokens_per_second() const { return static_cast<double>(tokens) / seconds; }
  double peak_megabytes() const { return static_cast<double>(peak_bytes) / 1e6; }
  Json to_json() const;
  /// Throws Error("json") if a part is missing or of another kind.
  static Outcome from_json(const Json& json);
};

/// Trains with Adam until kSolved of the answers in the last kWindow steps are right, or all steps
/// are done. After kPatience steps it also gives up if no more answers are right than by guessing,
/// and kProgress. Then it answers sequences that are none of the training. Sequences and initial weights
/// depend only on the recipe's seed, so the accuracy is the same at any number of threads. Nothing
/// if `stop` returns true before the end.
/// Throws Error("compare") for a task or model that does not exist.
std::optional<Outcome> train(const Run& run, const Recipe& recipe,
                             const std::function<bool()>& stop);

inline constexpr double kSolved = 0.99, kProgress = 0.05;
inline constexpr int64_t kWindow = 20, kPatience = 200;

}  // namespace tarsier::zoo::compare
