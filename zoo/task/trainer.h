#pragma once
// The training loop, the same for every model of the zoo.

#include <cstdint>
#include <functional>

#include "../../nn/guard.h"
#include "run_folder.h"
#include "step_report.h"
#include "task.h"

namespace tarsier::zoo {

/// Receives the progress of training.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void on_step(const StepReport&) {}
  /// Some parameters got no gradient in the first step, or nothing but zeros.
  virtual void on_bad_gradients(const nn::GradientReport&) {}
  /// The run is resumed, and its model.safetensors was missing, damaged, or older than its
  /// checkpoint: it was restored from the checkpoint.
  virtual void on_weights_written_again() {}
  /// Validation begins, after the given step. It may take a while.
  virtual void on_validation(int64_t) {}
};

struct TrainOptions {
  uint64_t seed = 1;
  bool resume = false;
  /// Called after every step: true saves and stops.
  std::function<bool()> interrupted = [] { return false; };
};

struct TrainOutcome {
  int64_t step = 0;  ///< the last one done
  bool interrupted = false;
  bool early = false;     ///< stopped by the recipe's patience
  int64_t best_step = 0;  ///< the step whose weights are kept
  Metrics metrics = {};   ///< of those weights; empty if interrupted
};

/// How many bytes the folder of a run of the built task may take: weights, two moments of them in
/// the optimiser, their average, the best average, and a copy of that for use; all twice, because
/// old files stay until new ones are complete.
int64_t disk_space_needed(Task& task);

/// Throws Error("memory") if a batch of the built task cannot fit into this machine's memory, by
/// what a small batch takes in a trial. The task is built again, from `seed`.
void check_batch_memory(Task& task, uint64_t seed);

/// Estimates, from two trial batches, how many seconds the steps of the built task will take.
/// The weights stay the same, buffers (running statistics) do not: build() the task again.
double estimated_seconds(Task& task, uint64_t seed);

/// Trains the built task up to task.steps() and stores everything in `folder`: a line of metrics
/// per step, a checkpoint every now and then and at the end, and weights: the moving average
/// (optim/ema.h) that was best on the validation split, by its first metric; if equal, by the lower
/// loss. The model is left with these weights. Stops early after recipe.patience validations
/// without improvement. With options.resume it continues from the folder's checkpoint, to the same
/// bits as a run that was never interrupted. Batches are made ahead, on another thread. Throws
/// Error("train") if a loss, in training or validation, is not finite (the last checkpoint stays),
/// and what saving throws.
TrainOutcome train(Task& task, const RunFolder& folder, const TrainOptions& options,
                   TrainObserver& observer);

}  // namespace tarsier::zoo
