#pragma once
// The windows of a convolution or a pooling.

#include "../../ops.h"

namespace tarsier::detail {

/// The windows along one dimension. Window i has its elements at first(i), first(i) + dilation, …
struct Windows {
  int64_t in, kernel, stride, padding, dilation;
  int64_t out = 0;  ///< the number of windows

  int64_t first(int64_t i) const { return i * stride - padding; }
  /// Whether no window extends into the padding.
  bool all_inside() const { return first(0) >= 0 && first(out - 1) + dilation * (kernel - 1) < in; }
  /// `count` of the windows from `begin` on, counted from 0.
  Windows part(int64_t begin, int64_t count) const {
    return {in, kernel, stride, padding - begin * stride, dilation, count};
  }
};

struct Windows2d {
  Windows h, w;
};

/// The windows of an image (N, C, H, W) of this shape; `ceil_mode` as in pooling. Throws Error(op)
/// as check_window, and if no window fits.
Windows2d windows_of(const char* op, const Shape& image, Pair kernel, const WindowOptions& options,
                     bool ceil_mode = false);

/// Throws Error(op) for sizes that are not positive, negative padding, and sizes so large that
/// arithmetic with them could overflow.
void check_window(const char* op, Pair kernel, const WindowOptions& options);

/// Throws Error(op) unless x is floating and (N, C, H, W), or (C, H, W) where `or_single`.
void check_image(const char* op, const Tensor& x, bool or_single = true);

/// f of a batch of one image, without the batch in the result: what ops do with (C, H, W).
template <class F>
Tensor of_single(const Arg& x, const F& f) {
  const CallScope here(x.at);
  return squeeze(f(unsqueeze(x, 0)), 0);
}

/// f of images of height 1, without the height in the result: what ops do with (…, C, L).
template <class F>
Tensor of_row(const Arg& x, const F& f) {
  const CallScope here(x.at);
  return squeeze(f(unsqueeze(x, -2)), -2);
}

/// Throws Error(op) unless x is floating and (N, C, L) or (C, L).
void check_row(const char* op, const Tensor& x);

}  // namespace tarsier::detail
