#pragma once
// One row times one column: a single number, too small for a tile.
//
// The lanes of several registers go along k, and their sums are added in a tree (rows.h): a
// long dot product is read at the speed of memory, and its error grows with the logarithm of k.

#include <cstdint>

#include "../../base/parallel.h"
#include "../../simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {

/// Elements that are worth waking a thread for.
constexpr int64_t kDotChunk = int64_t(1) << 16;

/// Σ_p a[p·a_step]·b[p·b_step] for p < k, on one thread.
template <class T>
T dot_chunk(int64_t k, const T* a, int64_t a_step, const T* b, int64_t b_step) {
  if (a_step == 1 && b_step == 1)
    return sum_of<T>(
        k, [=](int64_t p, int64_t lanes) { return load(a + p, lanes) * load(b + p, lanes); });
  return sum_of<T>(k, [=](int64_t p, int64_t lanes) {
    alignas(64) T products[Simd<T>::width] = {};
    for (int64_t l = 0; l < lanes; ++l) products[l] = a[(p + l) * a_step] * b[(p + l) * b_step];
    return Simd<T>::load(products);
  });
}

/// Σ_p a[p·a_step]·b[p·b_step] for p < k. A long sum is divided into chunks for the threads, whose
/// sums are then added up.
template <class T>
T dot(int64_t k, const T* a, int64_t a_step, const T* b, int64_t b_step) {
  if (k <= kDotChunk) return dot_chunk(k, a, a_step, b, b_step);
  constexpr int64_t kMostChunks = 64;
  T sums[kMostChunks];
  const int64_t chunk = most(kDotChunk, ceil_div(ceil_div(k, kMostChunks), 64) * 64);
  parallel_for(k, chunk, [&](int64_t begin, int64_t end) {
    sums[begin / chunk] =
        dot_chunk(end - begin, a + begin * a_step, a_step, b + begin * b_step, b_step);
  });
  return sum_of<T>(ceil_div(k, chunk),
                   [&](int64_t i, int64_t lanes) { return load(sums + i, lanes); });
}

}  // namespace tarsier::kernels::TARSIER_ISA
