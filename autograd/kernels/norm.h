#pragma once
// Layer norm and RMS norm over the rows of a contiguous matrix, with their gradients.

#include <cstdint>

namespace tarsier::kernels {

/// All take `rows` contiguous rows of n ≥ 1 elements. `weight` and `bias` have n elements, or are
/// null for 1 and 0. The gradients of weight and bias are sums over the given rows: to go parallel,
/// give each chunk of rows its own dw and db and add those up in order. dx, dw and db may each be
/// null where not needed; the others are overwritten.
template <class T>
struct NormKernels {
  /// x̂ = (x − mean)·rstd, y = x̂·weight + bias, with per row mean = Σ x / n,
  /// rstd = 1 / √(Σ (x − mean)² / n + eps). The variance takes a second pass over the row, for
  /// Σ x² / n − mean² cancels where the mean is large.
  void (*layer_norm)(int64_t rows, int64_t n, const T* x, const T* weight, const T* bias, T eps,
                     T* y, T* mean, T* rstd);
  /// With g = dy·weight:   dx = rstd·(g − Σ g / n − x̂·Σ g·x̂ / n)   dw = Σ dy·x̂   db = Σ dy
  void (*layer_norm_grad)(int64_t rows, int64_t n, const T* x, const T* weight, const T* mean,
                          const T* rstd, const T* dy, T* dx, T* dw, T* db);
  /// x̂ = x·rstd, y = x̂·weight, with per row rstd = 1 / √(Σ x² / n + eps).
  void (*rms_norm)(int64_t rows, int64_t n, const T* x, const T* weight, T eps, T* y, T* rstd);
  /// With g = dy·weight:   dx = rstd·(g − x̂·Σ g·x̂ / n)   dw = Σ dy·x̂
  void (*rms_norm_grad)(int64_t rows, int64_t n, const T* x, const T* weight, const T* rstd,
                        const T* dy, T* dx, T* dw);
};

}  // namespace tarsier::kernels
