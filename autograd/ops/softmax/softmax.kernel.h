#pragma once
// Softmax, log-softmax and log-sum-exp of the rows of a contiguous matrix, and gradients; and the same
// of the columns of a matrix.

#include <cstdint>

namespace tarsier::kernels {

/// All take `rows` contiguous rows of n ≥ 1 elements. The largest element m is subtracted before
/// exp, so nothing overflows. A row of only −∞, and one with +∞ or NaN, gives NaN, as in PyTorch.
template <class T>
struct SoftmaxKernels {
  /// y_j = exp(x_j − m) / Σ exp(x_k − m). y may be x.
  void (*softmax)(int64_t rows, int64_t n, const T* x, T* y);
  /// dx_j = y_j·(dy_j − Σ dy_k·y_k)
  void (*softmax_grad)(int64_t rows, int64_t n, const T* y, const T* dy, T* dx);
  /// y_j = (x_j − m) − log Σ exp(x_k − m). y may be x.
  void (*log_softmax)(int64_t rows, int64_t n, const T* x, T* y);
  /// dx_j = dy_j − exp(y_j)·Σ dy_k
  void (*log_softmax_grad)(int64_t rows, int64_t n, const T* y, const T* dy, T* dx);
  /// y = m + log Σ exp(x_k − m), one number per row. A row of −∞ gives −∞, one with ∞ gives ∞.
  void (*logsumexp)(int64_t rows, int64_t n, const T* x, T* y);

  // Of `columns` columns of n elements, one under the other: element i of column j is at i·step + j.
  void (*softmax_columns)(int64_t n, int64_t columns, int64_t step, const T* x, T* y);
  void (*softmax_columns_grad)(int64_t n, int64_t columns, int64_t step, const T* y, const T* dy,
                               T* dx);
  void (*log_softmax_columns)(int64_t n, int64_t columns, int64_t step, const T* x, T* y);
  void (*log_softmax_columns_grad)(int64_t n, int64_t columns, int64_t step, const T* y,
                                   const T* dy, T* dx);
};

}  // namespace tarsier::kernels
