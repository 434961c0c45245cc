#pragma once
// Convolutions with one filter for each channel and stride 1, without columns: a window has too few
// elements for a matrix product.

#include "window.h"

namespace tarsier::detail {

/// Whether the functions below can be used for one channel to one channel with these windows.
bool is_depthwise(const Windows2d& at);

// Contiguous tensors of one floating dtype: x (N, C, H, W), y (N, C, out_h, out_w), and weight
// (C, 1, kh, kw). Not recorded.

/// y = weight · windows of x, channel by channel.
Tensor depthwise(const Windows2d& at, const Tensor& x, const Tensor& weight);
/// The transpose: x from y.
Tensor depthwise_transposed(const Windows2d& at, const Tensor& y, const Tensor& weight);
/// Σ y · windows of x over all images, in their order: (C, 1, kh, kw).
Tensor depthwise_weight(const Windows2d& at, const Tensor& x, const Tensor& y);

}  // namespace tarsier::detail
