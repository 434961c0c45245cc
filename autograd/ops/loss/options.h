#pragma once
// The options of the losses.

#include <cstdint>

#include "../../tensor/tensor.h"

namespace tarsier {

enum class Reduction { none, mean, sum };
struct CrossEntropyOptions {
  Tensor weight = {};           ///< (C): a factor for every class
  int64_t ignore_index = -100;  ///< targets that do not count
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  ///< fraction of the target spread evenly over all classes, in [0, 1]
};

}  // namespace tarsier
