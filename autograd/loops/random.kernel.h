#pragma once
// Random numbers in bulk: the streams of autograd/base/random.h, vectorised.

#include <cstdint>

#include "../base/random.h"

namespace tarsier::kernels {

template <class T>
struct RandomKernels {
  /// y[i] = uniform<T>(key, first + i), the same bits.
  void (*uniform)(RandomKey key, uint64_t first, int64_t n, T* y);
  /// y[i] = words 1 and 0 of philox() for the counter (first + i, key.stream) as one number, the same
  /// for both types.
  void (*words)(RandomKey key, uint64_t first, int64_t n, uint64_t* y);
  /// y[i] = 0 where uniform<float>(key, first + i) < p, otherwise scale · x[i]: the same mask for
  /// both types. y may be x.
  void (*dropout)(RandomKey key, uint64_t first, int64_t n, float p, T scale, const T* x, T* y);
};

}  // namespace tarsier::kernels
