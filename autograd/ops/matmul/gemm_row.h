#pragma once
// One row times a transposed matrix: a Linear layer that generates text token by token.
//
// The rows of Bᵀ are contiguous, so a vector of columns of B is read as a square of width × width
// and transposed in registers. Packing would write and read what is used only once.
//
// A tile reads all its rows at once, from as many places in memory, which no hardware prefetcher
// follows: weights in main memory would come at less than half its speed. So each tile asks for the
// next one's, which is one piece of memory unless there are gaps between the rows, from its
// beginning to its end.

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
  const T* ahead;  // the columns of B that are read next: only a hint
  const T* start;  // what the sums start from
  T* c;
};

/// Asks for `elements` of B, one cache line after another.
template <class T>
TARSIER_INLINE void prefetch_columns(const T* b, int64_t elements) {
  for (int64_t i = 0; i < elements; i += 64 / static_cast<int64_t>(sizeof(T)))
    __builtin_prefetch(b + i, 0, 2);
}

/// C[j] = start[j] + Σ_p A[p]·B[p, j] for Vectors·width columns, or for the first `lanes` < width
/// of one vector, in the order of sum.h.
template <class T, int Vectors>
TARSIER_INLINE void row_tile(const RowArgs<T>& args, int64_t lanes) {
  constexpr int W = Simd<T>::width;
  const auto load = [](const T* p, int64_t n) {
    return n == W ? Simd<T>::load(p) : Simd<T>::load(p, n);
  };
  Simd<T> sum[Vectors];
  const T* ahead = args.ahead;
  const auto add = [&](int64_t p, int64_t steps) {
    for (int v = 0; v < Vectors; ++v) {
      const T* const b = args.b + v * W * args.b_col + p;
      Simd<T> x[W];
      for (int l = 0; l < W; ++l) __builtin_prefetch(ahead + l * W, 0, 2);
      ahead += W * W;
      for (int l = 0; l < W; ++l)
        x[l] = l < lanes ? load(b + l * args.b_col, steps) : Simd<T>(T(0));
      transpose(x);
      // Elements of A are read again for every vector: g++ would keep them all on the stack.
      asm volatile("" ::: "memory");
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
