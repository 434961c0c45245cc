#pragma once
// What is known of a training step.

#include <cstdint>

#include "../metrics/metric.h"

namespace tarsier::zoo {

/// One step, after it was done.
struct StepReport {
  int64_t step = 0;   ///< from 1
  int64_t steps = 0;  ///< of the whole run
  double train_loss = 0;
  double weight = 1;  ///< the number (or weights) of the targets that it is the mean of
  double learning_rate = 0;
  double grad_norm = 0;  ///< before clipping
  double items_per_second = 0;
  double seconds = 0;       ///< trained so far, with the runs that this one continues
  double seconds_left = 0;  ///< estimated
  Metrics metrics = {};     ///< of the validation split, where they were measured
};

}  // namespace tarsier::zoo
