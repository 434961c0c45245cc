// From images to columns of windows, and back, which makes a convolution a matrix product.
#include <algorithm>

#include "autograd/base/parallel.h"
#include "autograd/loops/checks.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/grain.h"
#include "autograd/ops/conv/unfold_loop.h"

namespace tarsier {
namespace detail {

namespace {

/// Small enough that arithmetic with sizes cannot overflow.
constexpr int64_t kLargest = int64_t{1} << 30;

Windows windows_along(const char* op, const char* dimension, int64_t in, int64_t kernel,
                      int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  check(in > 0 && in <= kLargest, op, "an image of ", dimension, " ", in, " has no windows");
  const int64_t reach = dilation * (kernel - 1) + 1, room = in + 2 * padding - reach;
  const int64_t beyond = ceil_mode ? stride - 1 : 0;  // how far a window may go past the padding
  check(room + beyond >= 0, op, "a kernel that spans ", reach, " elements does not fit into the ",
        dimension, " of ", in, " with padding ", padding, ": use a smaller kernel or more padding");
  Windows windows{in, kernel, stride, padding, dilation};
  windows.out = (room + beyond) / stride + 1;
  // A window must not start in the padding after the image.
  if (ceil_mode && windows.first(windows.out - 1) >= in) --windows.out;
  return windows;
}

}  // namespace

void check_window(const char* op, Pair kernel, const WindowOptions& options) {
  const auto check_pair = [&](const char* name, Pair value, int64_t least) {
    check(std::min(value.h, value.w) >= least && std::max(value.h, value.w) <= kLargest, op, name,
          " (", value.h, ", ", value.w, "): expected ", least, " or more, and ", kLargest,
          " at most");
  };
  check_pair("kernel", kernel, 1);
  check_pair("stride", options.stride, 1);
  check_pair("padding", options.padding, 0);
  check_pair("dilation", options.dilation, 1);
}

void check_image(const char* op, const Tensor& x, bool or_single) {
  detail::check_floating(x, op);
  check(x.dim() == 4 || (or_single && x.dim() == 3), op, "x of shape ", x.shape(),
        ": expected (N, C, H, W)",
        or_single ? " or (C, H, W)" : "; add a batch dimension with unsqueeze(x, 0)");
}

void check_row(const char* op, const Tensor& x) {
  detail::check_floating(x, op);
  check(x.dim() == 3 || x.dim() == 2, op, "x of shape ", x.shape(),
        ": expected (N, C, L) or (C, L)");
}

Windows2d windows_of(const char* op, const Shape& image, Pair kernel, const WindowOptions& options,
                     bool ceil_mode) {
  check_window(op, kernel, options);
  return {windows_along(op, "height", image[2], kernel.h, options.stride.h, options.padding.h,
                        options.dilation.h, ceil_mode),
          windows_along(op, "width", image[3], kernel.w, options.stride.w, options.padding.w,
                        options.dilation.w, ceil_mode)};
}

}  // namespace detail

namespace {

using detail::Windows2d;

/// Calls body(channel) for all channels of all images, on all threads.
template <class Body>
void for_each_channel(int64_t channels, int64_t size, const Body& body) {
  parallel_for(channels, std::max<int64_t>(1, detail::kMiddleGrain / std::max<int64_t>(size, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t c = begin; c < end; ++c) body(c);
               });
}

}  // namespace

/// y[n, (c, p, q), (i, j)] = x[n, c, i·s + p·d − pad, j·s + q·d − pad], 0 outside x.
///   dx = fold(dy)
Tensor unfold(const Arg& x, Pair kernel, const WindowOptions& options) {
  detail::check_image("unfold", x);
  if (x.dim() == 3)
    return detail::of_single(x, [&](const Arg& batch) { return unfold(batch, kernel, options); });
  const Windows2d at = detail::windows_of("unfold", x.shape(), kernel, options);
  const int64_t image = at.h.in * at.w.in;
  const int64_t column = kernel.h * kernel.w * at.h.out * at.w.out;
  const Tensor from = contiguous_elements(x);
  Tensor y =
      Tensor::empty({x.size(0), x.size(1) * kernel.h * kernel.w, at.h.out * at.w.out}, x.dtype());
  dispatch_floating(x.dtype(), "unfold", [&]<class T>() {
    for_each_channel(x.size(0) * x.size(1), column, [&](int64_t c) {
      detail::unfold_channel(at, from.data<T>() + c * image, y.data<T>() + c * column);
    });
  });
  return record(
      "unfold", {x}, y, Save{},
      [size = Pair(at.h.in, at.w.in), kernel, options](const Saved&, const Tensor& dy) -> Grads {
        return {fold(dy, size, kernel, options)};
      });
}

/// y[n, c, h, w] = Σ x[n, (c, p, q), (i, j)] over all places where unfold would read y[n, c, h, w].
///   dx = unfold(dy)
Tensor fold(const Arg& x, Pair output_size, Pair kernel, const WindowOptions& options) {
  detail::check_floating(x, "fold");
  if (x.dim() == 2)
    return detail::of_single(
        x, [&](const Arg& batch) { return fold(batch, output_size, kernel, options); });
  const Windows2d at =
      detail::windows_of("fold", {1, 1, output_size.h, output_size.w}, kernel, options);
  const int64_t places = kernel.h * kernel.w, windows = at.h.out * at.w.out;
  check(x.dim() == 3 && x.size(1) % places == 0 && x.size(2) == windows, "fold", "x of shape ",
        x.shape(), ": expected (N, C·", places, ", ", windows, "), or without N, for an output of ",
        output_size.h, " × ", output_size.w);
  const int64_t image = at.h.in * at.w.in, column = places * windows;
  const Tensor from = contiguous_elements(x);
  Tensor y = Tensor::empty({x.size(0), x.size(1) / places, at.h.in, at.w.in}, x.dtype());
  dispatch_floating(x.dtype(), "fold", [&]<class T>() {
    for_each_channel(y.size(0) * y.size(1), column, [&](int64_t c) {
      T* out = y.data<T>() + c * image;
      std::fill_n(out, image, T(0));
      detail::fold_channel(at, from.data<T>() + c * column, out);
    });
  });
  return record("fold", {x}, y, Save{}, [kernel, options](const Saved&, const Tensor& dy) -> Grads {
    return {unfold(dy, kernel, options)};
  });
}

}  // namespace tarsier
