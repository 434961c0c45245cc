#pragma once
// Shared by the reductions: which dimensions are reduced, how a tensor of any strides becomes rows
// or columns for the kernels, and how the work is divided among threads. Nothing here is recorded.

#include <algorithm>
#include <array>

#include "../tensor/tensor.h"
#include "grain.h"
#include "reduce.kernel.h"

namespace tarsier::detail {

/// The length at which one long sum is split into pieces.
inline constexpr int64_t kReduceChunk = kCheapGrain;

/// The dimensions that a reduction runs over, and the resulting shapes.
struct ReducedDims {
  std::array<bool, kMaxDims> reduced{};
  Shape kept;         ///< the shape of x with 1 for every reduced size: broadcasts against x
  Shape result;       ///< `kept`, or without the reduced dimensions if keepdim is false
  int64_t count = 1;  ///< elements of x in each result
};

/// Empty `dims` mean all. Throws Error(op) for a dimension out of range or named twice.
ReducedDims reduced_dims(const Tensor& x, const Axes& dims, bool keepdim, const char* op);

/// x as `outer` matrices of n rows of `inner` contiguous elements, each to be reduced downwards to
/// one row. With inner = step = 1 this is reducing along a row, which the kernels do as well.
/// Elements are at outer·outer_step + row·step + column of `x`, a view or a copy of the input.
struct Matrices {
  Tensor x;
  int64_t outer = 1, outer_step = 0, n = 1, step = 1, inner = 1;
};

/// A view of x if its strides allow it, otherwise a copy: kept dimensions first, the others last.
Matrices as_matrices(const Tensor& x, const ReducedDims& dims);

/// x as contiguous rows, one for each result: a copy, or x itself if it has this layout.
Tensor as_rows(const Tensor& x, const ReducedDims& dims);

/// A new tensor: x reduced over `dims`. Floating dtypes.
Tensor reduce(kernels::Reduce op, const Tensor& x, const ReducedDims& dims);

/// x with dimension `dim` last and contiguous, as the softmax kernels need it: x itself, or
/// a copy with dimensions `dim` and −1 exchanged.
Tensor rows_along(const Tensor& x, int dim);
/// Converts a new result in the layout of rows_along(x, dim) back to the shape of x.
Tensor rows_back(const Tensor& rows, int dim);

}  // namespace tarsier::detail
