#pragma once
// The measurements of a training step.

#include <cstdint>
#include <string>
#include <vector>

#include "../metrics/metric.h"

namespace tarsier::zoo {

/// The norms of a layer's weights before the step, and of their gradient before clipping.
struct LayerNorms {
  std::string layer;  ///< its path: "transformer.h.0.attn.c_attn"
  double weights = 0, gradient = 0;
};

/// A completed step.
struct StepReport {
  int64_t step = 0;   ///< from 1
  int64_t steps = 0;  ///< of the whole run
  double train_loss = 0;
  double weight = 1;  ///< the number (or total weight) of the targets that the loss averages
  double learning_rate = 0;
  double grad_norm = 0;  ///< before clipping
  double items_per_second = 0;
  double seconds = 0;       ///< trained so far, including the runs that this one continues
  double seconds_left = 0;  ///< estimated
  Metrics metrics = {};     ///< of the validation split, if measured after this step
  std::vector<LayerNorms> layers = {};  ///< of about 100 steps of a run, and the last
};

}  // namespace tarsier::zoo
