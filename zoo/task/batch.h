#pragma once
// What a training step learns from.

#include <cstdint>
#include <string>

#include "../../autograd/tensor/tensor_dict.h"

namespace tarsier::zoo {

/// Tensors by name ("inputs", "targets", "mask"), and how much of the data they are.
struct Batch {
  TensorDict tensors;
  int64_t items = 0;  ///< tokens or images, as Task::items() calls them: what the speed counts
  /// What Task::loss() divided by: the number of its targets, or the sum of their weights. Batches
  /// of one step count by it, so that the step's loss is the mean over all their targets.
  double weight = static_cast<double>(items);

  const Tensor& operator[](const std::string& name) const { return tensors[name]; }
};

}  // namespace tarsier::zoo
