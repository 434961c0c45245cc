#pragma once
// Layer norm and RMS norm over the rows of a contiguous matrix, and the affine map of a channel, with
// their gradients.

#include <cstdint>

namespace tarsier::kernels {

/// The statistics of a row that a gradient needs: with z = x·scale,   x̂ = (z − mean − rest)·rstd.
///
/// `rest` is the rounding error of the mean, Σ (z − mean) / n. If numbers are far from 0 and close
/// together, it is as large as their differences. `scale` is 1, or for a row whose squares overflow
/// or underflow, the power of two that brings its largest element to [1, 2). RMS norm has
/// mean = rest = 0.
template <class T>
struct NormRow {
  T mean, rest, rstd, scale;
};

/// All norms take `rows` contiguous rows of n ≥ 1 elements. `weight` and `bias` have n elements, or are
/// null for 1 and 0. The gradients of weight and bias are sums over the given rows: to parallelise,
/// give each chunk of rows its own dw and db and add those in order. dx, dw and db may each be
/// null if not needed; the others are overwritten.
template <class T>
struct NormKernels {
  /// y = x̂·weight + bias, with for each row
  ///   mean = Σ z / n,  rstd = 1 / √(Σ (z − mean − rest)² / n + eps·scale²)
  /// The variance takes a second pass over the row, because Σ z² / n − mean² cancels if the mean is
  /// large.
  void (*layer_norm)(int64_t rows, int64_t n, const T* x, const T* weight, const T* bias, T eps,
                     T* y, NormRow<T>* stats);
  /// With g = dy·weight:   dx = scale·rstd·(g − Σ g / n − x̂·Σ g·x̂ / n)   dw = Σ dy·x̂   db = Σ dy
  void (*layer_norm_grad)(int64_t rows, int64_t n, const T* x, const T* weight,
                          const NormRow<T>* stats, const T* dy, T* dx, T* dw, T* db);
  /// y = x̂·weight, with per row rstd = 1 / √(Σ z² / n + eps·scale²).
  void (*rms_norm)(int64_t rows, int64_t n, const T* x, const T* weight, T eps, T* y,
                   NormRow<T>* stats);
  /// With g = dy·weight:   dx = scale·rstd·(g − x̂·Σ g·x̂ / n)   dw = Σ dy·x̂
  void (*rms_norm_grad)(int64_t rows, int64_t n, const T* x, const T* weight,
                        const NormRow<T>* stats, const T* dy, T* dx, T* dw);

  /// y = x·w + b for the n elements of one channel.
  void (*affine)(int64_t n, const T* x, T w, T b, T* y);
  /// dx = dy·w, unless it is null;  *dw = Σ dy·x,  *db = Σ dy.
  void (*affine_grad)(int64_t n, const T* x, T w, const T* dy, T* dx, T* dw, T* db);
};

}  // namespace tarsier::kernels
