#pragma once
// Transposing a square of width × width elements in registers.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// a0 b0 a1 b1 …, of the first half of the lanes (Half = 0) or the second (Half = 1).
template <int Half, class T, int... I>
TARSIER_INLINE Simd<T> interleave(Simd<T> a, Simd<T> b, Lanes<I...>) {
  constexpr int W = Simd<T>::width;
  return Simd<T>(__builtin_shufflevector(a.v, b.v, (Half * W / 2 + I / 2 + I % 2 * W)...));
}

/// The width × width matrix in `x`, transposed. One round moves the highest bit of the row index
/// to the end of the column index and vice versa; after log2(width) rounds they have changed
/// places.
template <class T>
TARSIER_INLINE void transpose(Simd<T> (&x)[Simd<T>::width]) {
  constexpr int W = Simd<T>::width;
  using All = typename MakeLanes<W>::Type;
  for (int round = 1; round < W; round *= 2) {
    Simd<T> y[W];
    for (int i = 0; i < W / 2; ++i) {
      y[2 * i] = interleave<0>(x[i], x[i + W / 2], All());
      y[2 * i + 1] = interleave<1>(x[i], x[i + W / 2], All());
    }
    for (int i = 0; i < W; ++i) x[i] = y[i];
  }
}

}  // namespace tarsier::kernels::TARSIER_ISA
