#pragma once
// What the reductions share: which dimensions go, how a tensor of any strides becomes rows or
// columns for the kernels, and how the work is cut for the threads. Nothing here is recorded.

#include <algorithm>
#include <array>

#include "../tensor/tensor.h"
#include "grain.h"
#include "reduce.kernel.h"

namespace tarsier::detail {

/// The length at which one long sum is cut in pieces.
inline constexpr int64_t kReduceChunk = kCheapGrain;

/// The dimensions that a reduction runs over, and the shapes that come of it.
struct ReducedDims {
  std::array<bool, kMaxDims> reduced{};
  Shape kept;         ///< the shape of x with 1 for every reduced size: broadcasts against x
  Shape result;       ///< `kept`, or without the reduced dimensions where keepdim is false
  int64_t count = 1;  ///< elements of x in each result
};

/// Empty `dims` are all of them. Throws Error(op) for a dimension out of range or named twice.
ReducedDims reduced_dims(const Tensor& x, const Axes& dims, bool keepdim, const char* op);

/// x as `outer` matrices of n rows of `inner` contiguous elements, each to be folded downwards into
/// one row. With inner = step = 1 this is folding along a row, which the kernels can do as well.
/// Elements are at outer·outer_step + row·step + column of `x`, a view or a copy of the input.
struct Matrices {
  Tensor x;
  int64_t outer = 1, outer_step = 0, n = 1, step = 1, inner = 1;
};

/// Views x so if its strides allow, and otherwise copies: kept dimensions first, the others last.
Matrices as_matrices(const Tensor& x, const ReducedDims& dims);

/// A copy of x as contiguous rows, one for each result; x itself where it is that already.
Tensor as_rows(const Tensor& x, const ReducedDims& dims);

/// A new tensor with the fold of x over `dims`. Floating dtypes.
Tensor fold(kernels::Reduce op, const Tensor& x, const ReducedDims& dims);

/// Dimension `dim` of x as the last, contiguous, as softmax and its relatives want it: x itself, or
/// a copy with dimensions `dim` and −1 exchanged.
Tensor rows_along(const Tensor& x, int dim);
/// A new result of the shape of rows_along(x, dim), seen in the shape of x again.
Tensor rows_back(const Tensor& rows, int dim);

}  // namespace tarsier::detail
