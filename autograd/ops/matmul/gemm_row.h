#pragma once
// One row times a transposed matrix: a Linear layer that generates text token by token.
//
// The rows of Bᵀ are contiguous, so a vector of columns of B is read as a square of width × width
// and transposed in registers. Packing would write and read what is used only once.

#include <cstdint>

#include "../../simd/simd.h"
#include "../../simd/sum.h"
#include "../../simd/transpose.h"

namespace tarsier::kernels::TARSIER_ISA {

template <class T>
struct RowArgs {
  int64_t k;
  const T* a;  // A[p] at a[p·a_col]
  int64_t a_col;
  const T* b;  // B[p, j] at b[p + j·b_col]
  int64_t b_col;
  const T* start;  // what the sums start from
  T* c;
};

/// C[j] = start[j] + Σ_p A[p]·B[p, j] for Vectors·width columns, or for the first `lanes` < width
/// of one vector, in the order of sum.h.
template <class T, int Vectors>
TARSIER_INLINE void row_tile(const RowArgs<T>& args, int64_t lanes) {
  constexpr int W = Simd<T>::width;
  constexpr int64_t kAhead = 256 / sizeof(T);
  const auto load = [](const T* p, int64_t n) {
    return n == W ? Simd<T>::load(p) : Simd<T>::load(p, n);
  };
  Simd<T> sum[Vectors];
  const auto add = [&](int64_t p, int64_t steps) {
    for (int v = 0; v < Vectors; ++v) {
      const T* const b = args.b + v * W * args.b_col + p;
      Simd<T> x[W];
      // The hardware prefetcher follows fewer rows than are read here in parallel: with this,
      // weights in main memory are read 1.5 times as fast.
      for (int l = 0; l < W; ++l) __builtin_prefetch(b + l * args.b_col + kAhead);
      for (int l = 0; l < W; ++l)
        x[l] = l < lanes ? load(b + l * args.b_col, steps) : Simd<T>(T(0));
      transpose(x);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i)
        if (i < steps) sum[v] = fma(Simd<T>(args.a[(p + i) * args.a_col]), x[i], sum[v]);
    }
  };
  Simd<T> c[Vectors], block[Vectors];
  for (int v = 0; v < Vectors; ++v) c[v] = load(args.start + v * W, lanes);
  const int64_t length = block_length(args.k), chain = chain_length(args.k);
  for (int64_t from = 0; from < args.k; from += length) {
    const int64_t to = least(from + length, args.k);
    // −0, because adding 0 would change a −0.
    for (int v = 0; v < Vectors; ++v) block[v] = Simd<T>(-T(0));
    for (int64_t begin = from; begin < to; begin += chain) {
      const int64_t end = least(begin + chain, to);
      for (int v = 0; v < Vectors; ++v) sum[v] = Simd<T>(T(0));
      int64_t p = begin;
      for (; p + W <= end; p += W) add(p, W);
      if (p < end) add(p, end - p);
      for (int v = 0; v < Vectors; ++v) block[v] += sum[v];
    }
    for (int v = 0; v < Vectors; ++v) c[v] += block[v];
  }
  for (int v = 0; v < Vectors; ++v) {
    if (lanes == W)
      c[v].store(args.c + v * W);
    else
      c[v].store(args.c + v * W, lanes);
  }
}

}  // namespace tarsier::kernels::TARSIER_ISA
