// Matmul: chooses how a product is computed.
//
// Large ones go block by block (gemm_blocks.h), in the arithmetic of T (gemm_plain.h) or, if the
// precision asked for allows it and the processor is faster at it, as bf16 (gemm_bf16.h). A single
// row or column has a way of its own (gemm_row.h). Each element of C is summed in an order that
// depends only on k (sum.h). So its bits do not depend on the threads, the neighbours, or the batch.
// Only a product that is a single number is summed in another order, by gemm_dot.h.
#include "autograd/ops/matmul/gemm.kernel.h"

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/gemm_amx.h"
#include "autograd/ops/matmul/gemm_bf16.h"
#include "autograd/ops/matmul/gemm_blocks.h"
#include "autograd/ops/matmul/gemm_dot.h"
#include "autograd/ops/matmul/gemm_ladder.h"
#include "autograd/ops/matmul/gemm_plain.h"
#include "autograd/ops/matmul/gemm_row.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/scratch.h"
#include "autograd/simd/simd.h"
#include "autograd/simd/units.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// The packing memory of a thread.
Scratch& scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

/// One row of C, if the columns of B are contiguous. Two vectors of columns go together, so that
/// one multiplies while the other is being transposed.
template <class T>
void row_product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  constexpr int64_t W = Simd<T>::width, kCols = kTileCols<T>;
  // Fewer multiply-adds than elsewhere are worth a thread: they wait for memory.
  const int64_t grain = 1 + kGrainWork / (4 * kCols * (g.k + 1));
  parallel_for(ceil_div(g.n, kCols), grain, [&](int64_t begin, int64_t end) {
    const auto args = [&](int64_t j) {
      const T* const start = g.accumulate ? c + j : g.bias != nullptr ? g.bias + j : kZeros<T>;
      return RowArgs<T>{g.k,   a,    g.a_col, b + j * g.b_col, g.b_col, b + (j + kCols) * g.b_col,
                        start, c + j};
    };
    const int64_t first = begin * kCols, last = least(end * kCols, g.n);
    prefetch_columns(b + first * g.b_col, kCols * g.k);
    int64_t j = first;
    for (; j + kCols <= last; j += kCols) row_tile<T, 2>(args(j), W);
    for (; j < last; j += W) row_tile<T, 1>(args(j), least(W, last - j));
  });
}

/// One row times one column.
template <class T>
void dot_product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  const T start = g.accumulate ? *c : g.bias != nullptr ? *g.bias : T(0);
  *c = start + dot(g.k, a, g.a_col, b, g.b_row);
}

/// The kernels of bf16 are built for f32 and whole cache lines: AVX-512.
template <class T>
constexpr bool kBuildsBf16 = sizeof(T) == sizeof(float) && TARSIER_VECTOR_BYTES == 64;

/// GemmKernels::bf16_parts. The instruction for pairs of bf16 does two steps in the time of one in
/// f32. So one part, with its one product, is faster than f32, and two parts, with three, are not.
/// A product of tiles does sixteen steps in that time. `highest` would take three parts and six
/// products; it is f32 as long as nobody has measured that these are never less accurate.
template <class T>
int bf16_parts(MatmulPrecision precision) {
  if (!kBuildsBf16<T> || precision == MatmulPrecision::highest) return 0;
  if (has_amx()) return precision == MatmulPrecision::medium ? 1 : 2;
  return has_bf16_products() && precision == MatmulPrecision::medium ? 1 : 0;
}

/// Whether the product is large enough for it to pay that both operands are packed (measured on
/// Zen 4: 1.0 to 1.2 times as fast at the smallest).
template <class T>
bool pays_as_bf16(const Gemm<T>& g) {
  return g.m >= 16 && g.n >= 32 && g.k >= 16;
}

/// The product of one matrix A by one matrix B, in a way of gemm_blocks.h.
template <class Way, class T>
void multiply_in(const Gemm<T>& g, const T* a, const T* b, T* c) {
  Way way(g, scratch());
  multiply_blocks(g, a, b, c, way);
}

/// GemmKernels::by_tiles.
template <class T>
void by_tiles(const Gemm<T>& g) {
  if constexpr (kBuildsBf16<T>) {
    if (g.precision == MatmulPrecision::medium)
      multiply_in<AmxWay<T, LoopTiles, 1>>(g, g.a, g.b, g.c);
    else
      multiply_in<AmxWay<T, LoopTiles, 2>>(g, g.a, g.b, g.c);
  }
}

/// The product of one matrix A by one matrix B, in the way that suits its size.
template <class T>
void product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  if (g.m == 1 && g.n == 1) return dot_product(g, a, b, c);
  if (g.m == 1 && g.b_row == 1 && g.b_col != 1) return row_product(g, a, b, c);
  if constexpr (kBuildsBf16<T>)
    if (const int parts = bf16_parts<T>(g.precision); parts > 0 && pays_as_bf16(g)) {
      if (has_amx())
        return parts == 1 ? multiply_in<AmxWay<T, AmxTiles, 1>>(g, a, b, c)
                          : multiply_in<AmxWay<T, AmxTiles, 2>>(g, a, b, c);
      return multiply_in<Bf16Way<T>>(g, a, b, c);
    }
  multiply_in<PlainWay<T>>(g, a, b, c);
}

/// One column of C, written as the row Cᵀ = Bᵀ·Aᵀ: a row fills whole vectors, a column one lane.
/// The sums are the same, in the same order.
template <class T>
Gemm<T> as_row(const Gemm<T>& g) {
  Gemm<T> row = g;
  row.m = 1;
  row.n = g.m;
  row.a = g.b;
  row.a_row = 1;
  row.a_col = g.b_row;
  row.a_offsets = g.b_offsets;
  row.b = g.a;
  row.b_row = g.a_col;
  row.b_col = g.a_row;
  row.b_offsets = g.a_offsets;
  if (g.bias == nullptr) return row;
  // The bias of the column is one number: the sums start from it as they would from C.
  for (int64_t batch = 0; batch < g.batch; ++batch)
    for (int64_t i = 0; i < g.m; ++i)
      g.c[(g.c_offsets == nullptr ? 0 : g.c_offsets[batch]) + i] = *g.bias;
  row.bias = nullptr;
  row.accumulate = true;
  return row;
}

/// The products if k = 0: sums of nothing. a and b may be null.
template <class T>
void sums_of_nothing(const Gemm<T>& g) {
  if (g.accumulate) return;
  for (int64_t i = 0; i < g.batch; ++i) {
    T* c = g.c + (g.c_offsets == nullptr ? 0 : g.c_offsets[i]);
    for (int64_t row = 0; row < g.m; ++row)
      for (int64_t j = 0; j < g.n; ++j) c[row * g.c_row + j] = g.bias != nullptr ? g.bias[j] : T(0);
  }
}

template <class T>
void gemm(const Gemm<T>& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (g.k <= 0) return sums_of_nothing(g);
  if (g.n == 1 && g.m > 1 && g.c_row == 1) return gemm(as_row(g));
  const int64_t work = g.m * g.n * (g.k + 1);
  const auto one = [&](int64_t i) {
    product(g, g.a + (g.a_offsets == nullptr ? 0 : g.a_offsets[i]),
            g.b + (g.b_offsets == nullptr ? 0 : g.b_offsets[i]),
            g.c + (g.c_offsets == nullptr ? 0 : g.c_offsets[i]));
  };
  // A few large products are divided one by one; many small ones are distributed whole.
  if (g.batch == 1 || (g.batch < 16 && work > 4 * kGrainWork)) {
    for (int64_t i = 0; i < g.batch; ++i) one(i);
  } else {
    parallel_for(g.batch, 1 + kGrainWork / work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) one(i);
    });
  }
}

}  // namespace

template <class T>
GemmKernels<T> gemm_kernels() {
  return {
      .gemm = gemm<T>,
      .bf16_parts = {bf16_parts<T>(MatmulPrecision::medium), bf16_parts<T>(MatmulPrecision::high),
                     bf16_parts<T>(MatmulPrecision::highest)},
      .by_tiles = kBuildsBf16<T> && has_bf16_products() ? by_tiles<T> : nullptr,
      .gemm_ladder = {{"naive", ladder::naive<T>, ladder::packed_size<T>},
                      {"blocked", ladder::blocked<T>, ladder::packed_size<T>},
                      {"packed", ladder::packed<T>, ladder::packed_size<T>},
                      {"simd", ladder::simd<T>, ladder::packed_size<T>}}};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
GemmKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::gemm_kernels<float>();
}
template <>
GemmKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::gemm_kernels<double>();
}

}  // namespace tarsier::kernels
