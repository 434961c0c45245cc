#pragma once
// The training loop, the same for every model of the zoo.

#include <cstdint>
#include <functional>
#include <optional>

#include "nn/guard.h"
#include "zoo/run_folder.h"
#include "zoo/task.h"

namespace tarsier::zoo {

/// One step, after it was done.
struct StepReport {
  int64_t step;   ///< from 1
  int64_t steps;  ///< of the whole run
  double train_loss;
  double learning_rate;
  double grad_norm;  ///< before clipping
  double items_per_second;
  double seconds;                  ///< trained so far, with the runs that this one continues
  double seconds_left;             ///< estimated
  std::optional<double> val_loss;  ///< where it was measured
};

/// Is told how training goes.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void on_step(const StepReport&) {}
  /// Some parameters got no gradient in the first step, or nothing but zeros.
  virtual void on_bad_gradients(const nn::GradientReport&) {}
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
  double val_loss = 0;  ///< of the trained model; only where not interrupted
};

/// How many bytes the folder of a run of the built task may take: weights, two moments of them in
/// the optimiser, their average, and that again for use; twice, for old files stay until new ones
/// are whole.
int64_t disk_space_needed(Task& task);

/// Trains the built task up to recipe.steps and keeps everything in `folder`: a line of metrics for
/// every step, a checkpoint every now and then and at the end, then the weights: their moving
/// average (optim/ema.h), which is also what is validated and what the model is left with. With
/// options.resume it continues from the folder's checkpoint, to the same bits as a run that was
/// never interrupted.
/// Throws Error("train") where the loss is no longer a number (the last checkpoint stays), and
/// what saving throws.
TrainOutcome train(Task& task, const RunFolder& folder, const TrainOptions& options,
                   TrainObserver& observer);

}  // namespace tarsier::zoo
