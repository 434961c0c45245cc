#pragma once
// The training loop, the same for every model of the zoo.

#include <cstdint>
#include <functional>

#include "../../nn/guard.h"
#include "run_folder.h"
#include "step_report.h"
#include "task.h"

namespace tarsier::zoo {

/// Is told how training goes.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void on_step(const StepReport&) {}
  /// Some parameters got no gradient in the first step, or nothing but zeros.
  virtual void on_bad_gradients(const nn::GradientReport&) {}
  /// The run goes on, and its model.safetensors was missing, torn, or older than its checkpoint: it
  /// was written again, from the checkpoint.
  virtual void on_weights_written_again() {}
  /// Validation begins, which may take a while.
  virtual void on_validation(int64_t) {}
};

struct TrainOptions {
  uint64_t seed = 1;
  bool resume = false;
  /// Asked after every step: true saves and stops.
  std::function<bool()> interrupted = [] { return false; };
};

struct TrainOutcome {
  int64_t step = 0;  ///< the last one done
  bool interrupted = false;
  bool early = false;     ///< ended by the recipe's patience
  int64_t best_step = 0;  ///< whose weights are kept
  Metrics metrics = {};   ///< of these; only where not interrupted
};

/// How many bytes the folder of a run of the built task may take: weights, two moments of them in
/// the optimiser, their average, the best of it, and that again for use; twice, for old files stay
/// until new ones are whole.
int64_t disk_space_needed(Task& task);

/// Throws Error("memory") where a batch of the built task cannot fit into this machine's memory, by
/// what a small one takes on trial. The task is built again, from `seed`.
void check_batch_memory(Task& task, uint64_t seed);

/// How many seconds the steps of the built task will take on this machine, by two batches on trial.
/// The weights stay as they are, buffers (running statistics) do not: build() the task anew.
double estimated_seconds(Task& task, uint64_t seed);

/// Trains the built task up to task.steps() and keeps everything in `folder`: a line of metrics for
/// every step, a checkpoint every now and then and at the end, and weights: the moving average of
/// them (optim/ema.h) that was best on the validation split, by the first of its metrics; between
/// equals, by the lower loss. That is also what the model is left with. Ends early where
/// recipe.patience validations brought no gain. With options.resume it continues from the folder's
/// checkpoint, to the same bits as a run that was never interrupted. Batches are made ahead, on
/// another thread. Throws Error("train") where a loss, in training or validation, is no longer a
/// number (the last checkpoint stays), and what saving throws.
TrainOutcome train(Task& task, const RunFolder& folder, const TrainOptions& options,
                   TrainObserver& observer);

}  // namespace tarsier::zoo
