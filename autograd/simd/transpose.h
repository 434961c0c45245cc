#pragma once
// Transposing a square of width × width elements in registers.
//
// Registers are lanes of 128 bits. Shuffles that stay within them, or move them whole, are the
// fastest that processors have; so first the squares of one lane are transposed, then the lanes.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// a0 b0 a1 b1 …, of the first half of the lanes (Half = 0) or the second (Half = 1).
template <int Half, class T, int... I>
TARSIER_INLINE Simd<T> interleave(Simd<T> a, Simd<T> b, Lanes<I...>) {
  constexpr int W = Simd<T>::width;
  return Simd<T>(__builtin_shufflevector(a.v, b.v, (Half * W / 2 + I / 2 + I % 2 * W)...));
}

/// The same within every lane of N elements, of its first half or its second.
template <int N, int Half, class V, int... I>
TARSIER_INLINE V unpack(V a, V b, Lanes<I...>) {
  return __builtin_shufflevector(
      a, b, (I / N * N + Half * N / 2 + I % N / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}

/// The even lanes of N elements of a, then those of b (Odd = 0); or the odd ones.
template <int N, int Odd, class V, int... I>
TARSIER_INLINE V alternate_lanes(V a, V b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, (I / N * 2 * N + Odd * N + I % N)...);
}

/// The first halves of the lanes of a and b, and their second halves, unpacked as elements of U.
template <class U, class T>
TARSIER_INLINE void unpack_pair(Simd<T>& a, Simd<T>& b) {
  constexpr int N = 16 / sizeof(U);
  using V = typename Simd<U>::Vector;
  using All = typename MakeLanes<Simd<U>::width>::Type;
  const V u = __builtin_bit_cast(V, a.v), v = __builtin_bit_cast(V, b.v);
  a = Simd<T>(__builtin_bit_cast(typename Simd<T>::Vector, unpack<N, 0>(u, v, All())));
  b = Simd<T>(__builtin_bit_cast(typename Simd<T>::Vector, unpack<N, 1>(u, v, All())));
}

/// The width × width matrix in `x`, transposed.
template <class T>
TARSIER_INLINE void transpose(Simd<T> (&x)[Simd<T>::width]) {
  constexpr int W = Simd<T>::width, N = 16 / sizeof(T), Q = W / N;  // Q lanes of N elements
  using All = typename MakeLanes<W>::Type;
  // Lane q of row N·g + c becomes column N·q + c of the rows from N·g.
  for (int i = 0; i < W; i += 2) unpack_pair<T>(x[i], x[i + 1]);
  if constexpr (N == 4)
    for (int i = 0; i < W; i += 4) {
      unpack_pair<double>(x[i], x[i + 2]);
      unpack_pair<double>(x[i + 1], x[i + 3]);
      const Simd<T> second = x[i + 2];
      x[i + 2] = x[i + 1];
      x[i + 1] = second;
    }
  for (int round = 1; round < Q; round *= 2) {
    Simd<T> y[W];
    for (int c = 0; c < N; ++c)
      for (int i = 0; i < Q / 2; ++i) {
        const Simd<T> a = x[2 * i * N + c], b = x[(2 * i + 1) * N + c];
        y[i * N + c] = Simd<T>(alternate_lanes<N, 0>(a.v, b.v, All()));
        y[(i + Q / 2) * N + c] = Simd<T>(alternate_lanes<N, 1>(a.v, b.v, All()));
      }
    for (int i = 0; i < W; ++i) x[i] = y[i];
  }
}

}  // namespace tarsier::kernels::TARSIER_ISA
