#pragma once
// Y = X·Wᵀ for a matrix W of 8-bit integers with a scale for each row.

#include "int8_arguments.h"

namespace tarsier::kernels {

struct Int8Kernels {
  /// The product, on the threads of the pool if it is large enough.
  void (*linear)(const Int8Linear&);
  /// For tests: the same in f32, whatever the processor has.
  void (*linear_in_f32)(const Int8Linear&);
};

}  // namespace tarsier::kernels
