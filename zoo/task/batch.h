#pragma once
// The input of a training step.

#include <cstdint>
#include <string>

#include "../../autograd/tensor/tensor_dict.h"

namespace tarsier::zoo {

/// Tensors by name ("inputs", "targets", "mask"), and how much data they hold.
struct Batch {
  TensorDict tensors;
  int64_t items = 0;  ///< number of tokens or images (Task::items()), for the speed
  /// What Task::loss() divides by: the number of its targets, or the sum of their weights. The
  /// batches of a step are weighted by it, so that the step's loss is the mean over all targets.
  double weight = static_cast<double>(items);

  const Tensor& operator[](const std::string& name) const { return tensors[name]; }
};

}  // namespace tarsier::zoo
