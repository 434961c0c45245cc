#pragma once
// What the kernels of matmul are given.

#include <cstdint>

#include "precision.h"

namespace tarsier::kernels {

/// C[i, j] = Σ_p A[i, p]·B[p, j] + bias[j]   for i < m, j < n, p < k,
/// or C[i, j] += Σ_p … where `accumulate` (no bias then). Strides count elements; A and B
/// may have any (a transposed matrix is one with swapped strides, 0 repeats), the rows of C are
/// contiguous (column stride 1).
///
/// With `batch` > 1 the product is done once per batch, at a + a_offsets[i] and so on; the arrays
/// of offsets allow any broadcasting. A null array means offset 0 for all. Matrices of C must not
/// overlap one another or the operands. k = 0 gives zeros (or leaves C unchanged).
///
/// Each element of C is summed in an order that depends only on k (sum.h), so it has the same bits
/// at any number of threads, alone or in a batch, and whatever the other rows and columns are; only
/// a product with m = n = 1 is summed in another order (gemm_dot.h). The rounding error of a sum
/// grows far slower than √k.
///
/// Below the highest precision, large products of f32 may be computed in bf16 (gemm_bf16.h), small
/// ones in f32. So there the bits also depend on whether m, n and k are large, but not on threads,
/// the batch, or the numbers in other rows and columns.
template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t c_row;
  bool accumulate = false;
  const T* bias = nullptr;
  MatmulPrecision precision = MatmulPrecision::highest;  // of f32
  int64_t batch = 1;
  const int64_t* a_offsets = nullptr;
  const int64_t* b_offsets = nullptr;
  const int64_t* c_offsets = nullptr;
};

}  // namespace tarsier::kernels
