#pragma once
// Convolution of single channels with stride 1, for depthwise convolutions.

#include <cstdint>

namespace tarsier::kernels {

/// A channel with zeros around it, and the windows in it.
struct Channel {
  int64_t rows, columns;           ///< of the result
  int64_t kernel_h, kernel_w;      ///< elements of a window
  int64_t dilation_h, dilation_w;  ///< their distance
  int64_t row;                     ///< of the padded channel: elements from one row to the next
};

template <class T>
struct DepthwiseKernels {
  /// y[i, j] = Σ_{p, q} w[p, q] · x[i + p·dilation_h, j + q·dilation_w], with y contiguous.
  void (*apply)(const Channel& at, const T* x, const T* w, T* y);
  /// dw[p, q] += Σ_{i, j} dy[i, j] · x[i + p·dilation_h, j + q·dilation_w].
  void (*weight_grad)(const Channel& at, const T* x, const T* dy, T* dw);
};

}  // namespace tarsier::kernels
