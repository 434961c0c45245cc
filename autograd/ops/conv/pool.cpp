// Resizing images: pooling and interpolation.
//
// Sums of windows and bilinear interpolation are linear maps that act separately on height and
// width: y = rows · x · columnsᵀ, with one small matrix for each. As matrix products they need no
// backward of their own.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/ops/conv/window.h"

namespace tarsier {
namespace {

using detail::Windows;
using detail::Windows2d;

/// One dimension of such a map: the weight of element `from` of the image in element `to` of the
/// result.
class Axis {
 public:
  Axis(int64_t out, int64_t in) : out_(out), in_(in), weights_(static_cast<size_t>(out * in)) {}
  void add(int64_t to, int64_t from, double weight) {
    weights_[static_cast<size_t>(to * in_ + from)] += weight;
  }
  /// (out, in)
  Tensor matrix(DType dtype) const { return to(from_vector(weights_, {out_, in_}), dtype); }

 private:
  int64_t out_, in_;
  std::vector<double> weights_;
};

/// rows · x · columnsᵀ.
Tensor resample(const Arg& x, const Axis& rows, const Axis& columns) {
  const CallScope here(x.at);
  const Tensor right = transpose(columns.matrix(x.dtype()), 0, 1);
  return matmul(rows.matrix(x.dtype()), matmul(x, right));
}

/// More padding than half the window would make windows that hold only padding.
void check_padding(const char* op, Pair kernel, Pair padding) {
  check(2 * padding.h <= kernel.h && 2 * padding.w <= kernel.w, op, "padding (", padding.h, ", ",
        padding.w, ") with a kernel of (", kernel.h, ", ", kernel.w,
        "): at most half of the kernel is allowed");
}

/// The position in the image of the largest element of window (i, j), the first of equals; NaN is
/// larger than all.
template <class T>
int64_t largest_of(const char* op, const T* image, const Windows2d& at, int64_t i, int64_t j) {
  int64_t best = -1;
  for (int64_t p = 0; p < at.h.kernel; ++p) {
    const int64_t row = at.h.first(i) + p * at.h.dilation;
    if (row < 0 || row >= at.h.in) continue;
    for (int64_t q = 0; q < at.w.kernel; ++q) {
      const int64_t column = at.w.first(j) + q * at.w.dilation, place = row * at.w.in + column;
      if (column < 0 || column >= at.w.in) continue;
      if (best >= 0 && std::isnan(image[best])) return best;
      if (best < 0 || image[place] > image[best] || std::isnan(image[place])) best = place;
    }
  }
  check(best >= 0, op, "window (", i, ", ", j, ") is outside the image of ", at.h.in, " × ",
        at.w.in, ": use less padding or dilation");
  return best;
}

/// The windows of one dimension, for their means. 1/n is not exact in f32: as the weight of both
/// dimensions its rounding would affect every element twice, always in the same direction. So the
/// windows are only summed here, weighted with a power of two, which rounds nothing and keeps the
/// sum of large numbers finite. The remaining divisor is exact as well.
class Means {
 public:
  Means(int64_t out, int64_t in, int64_t longest)
      : sums(out, in), weight_(1 / static_cast<double>(std::bit_ceil(uint64_t(longest)))) {}
  /// Window i is the elements begin … end − 1, whose sum is divided by `count`.
  void add(int64_t i, int64_t begin, int64_t end, int64_t count) {
    for (int64_t from = begin; from < end; ++from) sums.add(i, from, weight_);
    divisors.push_back(static_cast<double>(count) * weight_);
  }

  Axis sums;
  std::vector<double> divisors;

 private:
  double weight_;
};

/// The elements of the image in window i: begin … end − 1. The sum is divided by `count`.
struct Window {
  int64_t begin, end, count;
};

Window window_of(const Windows& windows, int64_t i, bool count_include_pad) {
  const int64_t first = windows.first(i), end = first + windows.kernel;
  Window window{std::max<int64_t>(first, 0), std::min(end, windows.in), 0};
  window.count = count_include_pad ? std::min(end, windows.in + windows.padding) - first
                                   : window.end - window.begin;
  return window;
}

Means means_of(const Windows& windows, bool count_include_pad) {
  Means means(windows.out, windows.in, windows.kernel);
  for (int64_t i = 0; i < windows.out; ++i) {
    const auto [begin, end, count] = window_of(windows, i, count_include_pad);
    means.add(i, begin, end, count);
  }
  return means;
}

/// The means of windows along the last dimension. A row may be long, and a matrix would take the
/// square of its length; the windows of a padded row are a view. Weights and divisors as in Means.
Tensor mean_along_rows(const Arg& x, const Windows& windows, bool count_include_pad) {
  const CallScope here(x.at);
  const double weight = 1 / static_cast<double>(std::bit_ceil(uint64_t(windows.kernel)));
  std::vector<double> divisors;
  for (int64_t i = 0; i < windows.out; ++i)
    divisors.push_back(weight *
                       static_cast<double>(window_of(windows, i, count_include_pad).count));
  const int64_t missing = windows.first(windows.out - 1) + windows.kernel - windows.in;
  const Tensor row = pad(x, {windows.padding, std::max<int64_t>(missing, 0)}) * weight;
  const Tensor sums = sum(unfold_dim(row, -1, windows.kernel, windows.stride), -1);
  return sums / to(from_vector(divisors, {windows.out}), x.dtype());
}

Means adaptive_means(int64_t out, int64_t in) {
  Means means(out, in, in / out + 2);
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    means.add(i, begin, end, end - begin);
  }
  return means;
}

/// The means of windows: their sums, divided once.
Tensor mean_of_windows(const Arg& x, const Means& rows, const Means& columns) {
  const CallScope here(x.at);
  const Tensor sums = resample(x, rows.sums, columns.sums);
  std::vector<double> divisors;
  for (const double row : rows.divisors)
    for (const double column : columns.divisors) divisors.push_back(row * column);
  if (std::ranges::all_of(divisors, [](double d) { return d == 1; })) return sums;
  const Shape shape{static_cast<int64_t>(rows.divisors.size()),
                    static_cast<int64_t>(columns.divisors.size())};
  return sums / to(from_vector(divisors, shape), x.dtype());
}

/// How interpolation maps one dimension: position i of the result is position i · step of the
/// image, where step is 1 / factor, or in / out if the size was given. As in PyTorch, a dimension
/// that keeps its size is copied, whatever the factor (⌊2 · 1.3⌋ = 2).
struct Scale {
  int64_t in, out;
  std::optional<double> factor;
};

Axis bilinear(const Scale& s, bool align_corners) {
  Axis axis(s.out, s.in);
  const double corners =
      s.out > 1 ? static_cast<double>(s.in - 1) / static_cast<double>(s.out - 1) : 0;
  const double step =
      s.factor ? 1 / *s.factor : static_cast<double>(s.in) / static_cast<double>(s.out);
  for (int64_t i = 0; i < s.out; ++i) {
    const auto x = static_cast<double>(i);
    const double from = s.in == s.out   ? x
                        : align_corners ? x * corners
                                        : std::max((x + 0.5) * step - 0.5, 0.0);
    const int64_t left = std::min(static_cast<int64_t>(from), s.in - 1);
    const double part = std::min(from - static_cast<double>(left), 1.0);
    axis.add(i, left, 1 - part);
    axis.add(i, std::min(left + 1, s.in - 1), part);
  }
  return axis;
}

/// In float, with doubling as a special case, as in PyTorch: halfway between two pixels, rounding
/// decides.
Tensor nearest(const Scale& s) {
  const float step = s.factor ? static_cast<float>(1 / *s.factor)
                              : static_cast<float>(s.in) / static_cast<float>(s.out);
  Tensor index = Tensor::empty({s.out}, i64);
  for (int64_t i = 0; i < s.out; ++i)
    index.data<int64_t>()[i] =
        s.out == s.in ? i
        : s.out == 2 * s.in
            ? i / 2
            : std::min(static_cast<int64_t>(static_cast<float>(i) * step), s.in - 1);
  return index;
}

/// Composed of gather, which has a gradient. `op` is the name in errors.
Tensor max_pool(const char* op, const Arg& x, Pair kernel, const MaxPool2dOptions& options) {
  const CallScope here(x.at);
  detail::check_image(op, x);
  if (x.dim() == 3)
    return detail::of_single(
        x, [&](const Arg& batch) { return max_pool(op, batch, kernel, options); });
  const WindowOptions window{options.stride.value_or(kernel), options.padding, options.dilation};
  const Windows2d at = detail::windows_of(op, x.shape(), kernel, window, options.ceil_mode);
  check_padding(op, kernel, options.padding);
  const int64_t image = at.h.in * at.w.in, windows = at.h.out * at.w.out;
  const Tensor flat = flatten(x, 2), from = contiguous_elements(flat);
  Tensor index = Tensor::empty({x.size(0), x.size(1), windows}, i64);
  dispatch_floating(x.dtype(), op, [&]<class T>() {
    const int64_t rows = x.size(0) * x.size(1) * at.h.out;
    parallel_for(rows, std::max<int64_t>(1, 2048 / at.w.out), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* channel = from.data<T>() + row / at.h.out * image;
        int64_t* out = index.data<int64_t>() + row * at.w.out;
        for (int64_t j = 0; j < at.w.out; ++j)
          out[j] = largest_of(op, channel, at, row % at.h.out, j);
      }
    });
  });
  return reshape(gather(flat, 2, index), {x.size(0), x.size(1), at.h.out, at.w.out});
}

Tensor avg_pool(const char* op, const Arg& x, Pair kernel, const AvgPool2dOptions& options) {
  detail::check_image(op, x);
  if (x.dim() == 3)
    return detail::of_single(
        x, [&](const Arg& batch) { return avg_pool(op, batch, kernel, options); });
  const auto [h, w] = detail::windows_of(
      op, x.shape(), kernel, {options.stride.value_or(kernel), options.padding}, options.ceil_mode);
  check_padding(op, kernel, options.padding);
  return mean_of_windows(x, means_of(h, options.count_include_pad),
                         means_of(w, options.count_include_pad));
}

/// The windows along the rows of an image of height 1, or of a batch of them.
Windows row_windows(const char* op, const Tensor& x, int64_t kernel, const WindowOptions& options,
                    bool ceil_mode) {
  const Shape shape = x.dim() == 3 ? Shape{1, x.size(0), x.size(1), x.size(2)} : x.shape();
  const Windows windows = detail::windows_of(op, shape, {1, kernel}, options, ceil_mode).w;
  check_padding(op, {1, kernel}, options.padding);
  return windows;
}

Tensor adaptive_avg_pool(const char* op, const Arg& x, Pair output_size) {
  detail::check_image(op, x);
  if (x.dim() == 3)
    return detail::of_single(
        x, [&](const Arg& batch) { return adaptive_avg_pool(op, batch, output_size); });
  constexpr int64_t kLargest = int64_t{1} << 30;
  check(output_size.h > 0 && output_size.w > 0 && x.size(2) > 0 && x.size(3) > 0 &&
            output_size.h <= kLargest && output_size.w <= kLargest,
        op, "an image of ", x.size(2), " × ", x.size(3), " to ", output_size.h, " × ",
        output_size.w, ": all sizes must be positive, and ", kLargest, " at most");
  return mean_of_windows(x, adaptive_means(output_size.h, x.size(2)),
                         adaptive_means(output_size.w, x.size(3)));
}

}  // namespace

Tensor max_pool2d(const Arg& x, Pair kernel, const MaxPool2dOptions& options) {
  return max_pool("max_pool2d", x, kernel, options);
}

Tensor max_pool1d(const Arg& x, int64_t kernel, const MaxPool1dOptions& options) {
  detail::check_row("max_pool1d", x);
  return detail::of_row(x, [&](const Arg& image) {
    return max_pool("max_pool1d", image, {1, kernel},
                    {.stride = Pair(1, options.stride.value_or(kernel)),
                     .padding = {0, options.padding},
                     .dilation = {1, options.dilation},
                     .ceil_mode = options.ceil_mode});
  });
}

Tensor avg_pool2d(const Arg& x, Pair kernel, const AvgPool2dOptions& options) {
  return avg_pool("avg_pool2d", x, kernel, options);
}

Tensor avg_pool1d(const Arg& x, int64_t kernel, const AvgPool1dOptions& options) {
  detail::check_row("avg_pool1d", x);
  return detail::of_row(x, [&](const Arg& image) {
    const WindowOptions window{Pair(1, options.stride.value_or(kernel)), {0, options.padding}};
    return mean_along_rows(image,
                           row_windows("avg_pool1d", image, kernel, window, options.ceil_mode),
                           options.count_include_pad);
  });
}

Tensor adaptive_avg_pool2d(const Arg& x, Pair output_size) {
  return adaptive_avg_pool("adaptive_avg_pool2d", x, output_size);
}

Tensor adaptive_avg_pool1d(const Arg& x, int64_t output_size) {
  detail::check_row("adaptive_avg_pool1d", x);
  return detail::of_row(x, [&](const Arg& image) {
    const int64_t length = image.size(-1);
    if (output_size <= 0 || length % output_size != 0 || length == 0)
      return adaptive_avg_pool("adaptive_avg_pool1d", image, {1, output_size});
    const int64_t size = length / output_size;  // windows of one size, next to each other
    const WindowOptions window{Pair(1, size), {0, 0}};
    return mean_along_rows(
        image, row_windows("adaptive_avg_pool1d", image, size, window, /*ceil_mode=*/false), true);
  });
}

Tensor interpolate(const Arg& x, const InterpolateOptions& options) {
  const CallScope here(x.at);
  detail::check_image("interpolate", x, /*or_single=*/false);
  check(options.mode == "nearest" || options.mode == "bilinear", "interpolate", "mode '",
        options.mode, "': use nearest or bilinear");
  check(options.mode == "bilinear" || !options.align_corners, "interpolate",
        "align_corners is for bilinear: leave it false for nearest");
  check(options.size.has_value() != options.scale_factor.has_value(), "interpolate",
        "give either a size or a scale_factor");
  const auto scale_of = [&](int64_t in, int64_t Pair::*side) {
    constexpr int64_t kLargest = int64_t{1} << 30;
    const double factor = options.scale_factor.value_or(1);
    const double out = options.size ? static_cast<double>((*options.size).*side)
                                    : std::floor(static_cast<double>(in) * factor);
    check(in > 0 && out >= 1 && out <= kLargest, "interpolate", "an image of ", x.size(2), " × ",
          x.size(3), " to size ", out, ": all sizes must be positive");
    return Scale{in, static_cast<int64_t>(out), options.scale_factor};
  };
  const Scale h = scale_of(x.size(2), &Pair::h), w = scale_of(x.size(3), &Pair::w);
  if (options.mode == "bilinear")
    return resample(x, bilinear(h, options.align_corners), bilinear(w, options.align_corners));
  return index_select(index_select(x, 2, nearest(h)), 3, nearest(w));
}

}  // namespace tarsier
