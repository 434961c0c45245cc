// Convolutions. A window of the image is a column, so that all windows times the filters is one
// matrix product per image and group (Chellapilla et al. 2006). Filters of single channels go
// without (depthwise.h).
#include <algorithm>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/ops/conv/depthwise.h"
#include "autograd/ops/conv/unfold_loop.h"
#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier {

template <class Size>
bool Padding<Size>::is_same(std::string_view word) {
  check(word == "same" || word == "valid", "padding", "padding '", word,
        "': use numbers, 'same' or 'valid'");
  return word == "same";
}
template struct Padding<Pair>;
template struct Padding<int64_t>;

namespace {

WindowOptions window_of(const Conv2dOptions& options) {
  return {options.stride, options.padding.size, options.dilation};
}

Pair kernel_of(const Tensor& weight) { return {weight.size(2), weight.size(3)}; }

void check_dtypes(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  int64_t channels_out) {
  check(weight.dtype() == x.dtype(), op, "weight of ", weight.dtype(), " with x of ", x.dtype(),
        ": convert one with to(x, dtype)");
  if (!bias.defined()) return;
  check(bias.dtype() == x.dtype(), op, "bias of ", bias.dtype(), " with x of ", x.dtype(),
        ": convert one with to(x, dtype)");
  check(bias.shape() == Shape{channels_out}, op, "bias of shape ", bias.shape(), ": expected ",
        Shape{channels_out}, ", one per channel of the output");
}

void check_weight(const char* op, const Tensor& weight, int64_t groups) {
  check(weight.dim() == 4 && weight.numel() > 0, op, "weight of shape ", weight.shape(),
        ": expected four sizes, none 0");
  check(groups > 0 && weight.size(0) % groups == 0, op, "weight of shape ", weight.shape(), " in ",
        groups, " groups: groups must divide ", weight.size(0));
}

/// The sizes of a convolution from an image of `groups` parts with B channels each to one of
/// `groups` parts with A channels each, with weight (groups·A, B, kh, kw). Both directions and the
/// gradient of the weight are products with the columns of one image and group, (B·kh·kw, L).
/// Columns are made for a tile (some rows of windows) at a time, so that they stay in the cache.
struct Sizes {
  Sizes(const char* op, const Shape& image, const Shape& weight, const Conv2dOptions& o)
      : at(detail::windows_of(op, image, {weight[2], weight[3]}, window_of(o))),
        groups(o.groups),
        A(weight[0] / groups),
        B(weight[1]),
        K(B * weight[2] * weight[3]),
        L(at.h.out * at.w.out),
        pixels(at.h.in * at.w.in),
        images(image[0]) {
    const auto plain = [](const detail::Windows& w) {
      return w.kernel == 1 && w.stride == 1 && w.padding == 0;
    };
    windows_are_pixels = plain(at.h) && plain(at.w);
    depthwise = A == 1 && B == 1 && detail::is_depthwise(at);
    constexpr int64_t kTile = 1 << 17;  // elements
    tile_rows = std::clamp<int64_t>(kTile / (groups * K * at.w.out), 1, at.h.out);
    if (windows_are_pixels) tile_rows = at.h.out;
  }
  detail::Windows2d at;
  int64_t groups, A, B, K, L, pixels, images, tile_rows;
  bool windows_are_pixels;  ///< the image is its own columns
  bool depthwise;           ///< no columns are needed

  Shape small() const { return {images, groups * A, at.h.out, at.w.out}; }
  Shape large() const { return {images, groups * B, at.h.in, at.w.in}; }
  Tensor room_for_columns(DType dtype) const {
    return Tensor::empty({windows_are_pixels ? 0 : groups * K * tile_rows * at.w.out}, dtype);
  }
};

/// Calls body(windows of the tile, their number, the number before) for all tiles of an image.
template <class Body>
void for_each_tile(const Sizes& s, const Body& body) {
  for (int64_t row = 0; row < s.at.h.out; row += s.tile_rows) {
    const detail::Windows rows = s.at.h.part(row, std::min(s.tile_rows, s.at.h.out - row));
    body(detail::Windows2d{rows, s.at.w}, rows.out * s.at.w.out, row * s.at.w.out);
  }
}

/// Calls body(offset in the image, offset in the columns of `windows` windows) for every channel.
template <class Body>
void for_each_channel(const Sizes& s, int64_t windows, const Body& body) {
  const int64_t column = s.K / s.B * windows;
  parallel_for(s.groups * s.B, std::max<int64_t>(1, 16384 / column),
               [&](int64_t begin, int64_t end) {
                 for (int64_t c = begin; c < end; ++c) body(c * s.pixels, c * column);
               });
}

/// The columns of one tile of an image: (groups·B·kh·kw, windows), in `room`.
template <class T>
const T* columns_of(const Sizes& s, const detail::Windows2d& tile, const T* image, T* room) {
  if (s.windows_are_pixels) return image;
  for_each_channel(s, tile.h.out * tile.w.out, [&](int64_t channel, int64_t column) {
    detail::unfold_channel(tile, image + channel, room + column);
  });
  return room;
}

/// y = weight · columns(x), image by image: (N, groups·B, H, W) → (N, groups·A, out_h, out_w).
Tensor forward(const Sizes& s, const Tensor& x_any, const Tensor& weight_any) {
  const Tensor x = contiguous_elements(x_any), weight = contiguous_elements(weight_any);
  if (s.depthwise) return detail::depthwise(s.at, x, weight);
  const Tensor y = Tensor::empty(s.small(), x.dtype());
  dispatch_floating(x.dtype(), "conv2d", [&]<class T>() {
    parallel_for(s.images, 1, [&](int64_t n, int64_t) {
      const Tensor room = s.room_for_columns(x.dtype());
      const T* image = x.data<T>() + n * s.groups * s.B * s.pixels;
      for_each_tile(s, [&](const detail::Windows2d& tile, int64_t windows, int64_t before) {
        const T* columns = columns_of(s, tile, image, room.data<T>());
        for (int64_t g = 0; g < s.groups; ++g)
          kernels::active<kernels::GemmKernels<T>>().gemm(
              {.m = s.A,
               .n = windows,
               .k = s.K,
               .a = weight.data<T>() + g * s.A * s.K,
               .a_row = s.K,
               .a_col = 1,
               .b = columns + g * s.K * windows,
               .b_row = windows,
               .b_col = 1,
               .c = y.data<T>() + (n * s.groups + g) * s.A * s.L + before,
               .c_row = s.L});
      });
    });
  });
  return y;
}

/// x = the sum of the columns weightᵀ · y: the transpose of forward.
Tensor backward_image(const Sizes& s, const Tensor& y_any, const Tensor& weight_any) {
  const Tensor y = contiguous_elements(y_any), weight = contiguous_elements(weight_any);
  if (s.depthwise) return detail::depthwise_transposed(s.at, y, weight);
  const Tensor x = Tensor::empty(s.large(), y.dtype());
  dispatch_floating(y.dtype(), "conv_transpose2d", [&]<class T>() {
    parallel_for(s.images, 1, [&](int64_t n, int64_t) {
      const Tensor room = s.room_for_columns(y.dtype());
      T* image = x.data<T>() + n * s.groups * s.B * s.pixels;
      T* columns = s.windows_are_pixels ? image : room.data<T>();
      std::fill_n(image, s.groups * s.B * s.pixels, T(0));
      for_each_tile(s, [&](const detail::Windows2d& tile, int64_t windows, int64_t before) {
        for (int64_t g = 0; g < s.groups; ++g)
          kernels::active<kernels::GemmKernels<T>>().gemm(
              {.m = s.K,
               .n = windows,
               .k = s.A,
               .a = weight.data<T>() + g * s.A * s.K,
               .a_row = 1,
               .a_col = s.K,
               .b = y.data<T>() + (n * s.groups + g) * s.A * s.L + before,
               .b_row = s.L,
               .b_col = 1,
               .c = columns + g * s.K * windows,
               .c_row = windows});
        if (s.windows_are_pixels) return;
        for_each_channel(s, windows, [&](int64_t channel, int64_t column) {
          detail::fold_channel(tile, columns + column, image + channel);
        });
      });
    });
  });
  return x;
}

/// dweight = Σ y · columns(x)ᵀ over all images and tiles, in their order.
Tensor backward_weight(const Sizes& s, const Tensor& x_any, const Tensor& y_any,
                       const Shape& weight) {
  const Tensor x = contiguous_elements(x_any), y = contiguous_elements(y_any);
  if (s.depthwise) return detail::depthwise_weight(s.at, x, y);
  const Tensor dweight = Tensor::empty(weight, x.dtype());
  fill_elements(dweight, 0);
  const Tensor room = s.room_for_columns(x.dtype());
  dispatch_floating(x.dtype(), "conv2d", [&]<class T>() {
    for (int64_t n = 0; n < s.images; ++n)
      for_each_tile(s, [&](const detail::Windows2d& tile, int64_t windows, int64_t before) {
        const T* image = x.data<T>() + n * s.groups * s.B * s.pixels;
        const T* columns = columns_of(s, tile, image, room.data<T>());
        for (int64_t g = 0; g < s.groups; ++g)
          kernels::active<kernels::GemmKernels<T>>().gemm(
              {.m = s.A,
               .n = s.K,
               .k = windows,
               .a = y.data<T>() + (n * s.groups + g) * s.A * s.L + before,
               .a_row = s.L,
               .a_col = 1,
               .b = columns + g * s.K * windows,
               .b_row = 1,
               .b_col = windows,
               .c = dweight.data<T>() + g * s.A * s.K,
               .c_row = s.K,
               .accumulate = true});
      });
  });
  return dweight;
}

/// y + bias, one per channel; changes y.
Tensor with_bias(const Tensor& y, const Tensor& bias) {
  const NoGrad guard;
  return bias.defined() ? add_(y, reshape(bias, {bias.numel(), 1, 1})) : y;
}

// A convolution is linear in the image and in the weight. So there are three ops, y from x and
// weight, x from y and weight, weight from x and y, and the other two are the gradients of each.

Tensor transposed(const Arg& y, const Arg& weight, const Tensor& bias, Pair size,
                  const Conv2dOptions& options);

/// dweight = Σ dy · unfold(x)ᵀ.   d(dy) = conv2d(x, ddweight), dx = conv_transpose2d(dy, ddweight)
Tensor weight_grad(const Arg& x, const Arg& dy, const Shape& weight, const Conv2dOptions& options) {
  const Tensor dweight =
      backward_weight(Sizes("conv2d", x.shape(), weight, options), x, dy, weight);
  return record("conv2d_weight", {x, dy}, dweight, Save{x, dy},
                [options](const Saved& saved, const Tensor& ddweight) -> Grads {
                  const Tensor x = saved[0], dy = saved[1];
                  const Pair size(x.size(2), x.size(3));
                  Tensor dx, ddy;
                  if (saved.needs(0)) dx = transposed(dy, ddweight, {}, size, options);
                  if (saved.needs(1)) ddy = conv2d(x, ddweight, {}, options);
                  return {dx, ddy};
                });
}

/// conv_transpose2d of y with a result of a given size, x = fold(weightᵀ · y) + bias.
///   dy = conv2d(dx, weight)   dweight = y · unfold(dx)ᵀ   dbias = Σ dx     saved: y, weight
Tensor transposed(const Arg& y, const Arg& weight, const Tensor& bias, Pair size,
                  const Conv2dOptions& options) {
  const CallScope here(y.at);
  const Shape image = {y.size(0), weight.size(1) * options.groups, size.h, size.w};
  const Sizes sizes("conv_transpose2d", image, weight.shape(), options);
  const Tensor x = with_bias(backward_image(sizes, y, weight), bias);
  return record("conv_transpose2d", {y, weight, bias}, x, Save{y, weight},
                [options](const Saved& saved, const Tensor& dx) -> Grads {
                  const Tensor y = saved[0], weight = saved[1];
                  Tensor dy, dweight, dbias;
                  if (saved.needs(0)) dy = conv2d(dx, weight, {}, options);
                  if (saved.needs(1)) dweight = weight_grad(dx, y, weight.shape(), options);
                  if (saved.needs(2)) dbias = sum(dx, {0, 2, 3});
                  return {dy, dweight, dbias};
                });
}

/// y = weight · unfold(x) + bias, by groups.
///   dx = fold(weightᵀ · dy), which is conv_transpose2d
///   dweight = Σ dy · unfold(x)ᵀ   dbias = Σ dy       saved: x, weight
Tensor convolution(const char* op, const Arg& x, const Arg& weight, const Tensor& bias,
                   const Conv2dOptions& options) {
  const CallScope here(x.at);
  const int64_t groups = options.groups;
  check_weight(op, weight, groups);
  check_dtypes(op, x, weight, bias, weight.size(0));
  check(x.size(1) == weight.size(1) * groups, op, "x of shape ", x.shape(), " and weight of shape ",
        weight.shape(), " in ", groups, " groups: x needs ", weight.size(1) * groups, " channels");
  const Sizes sizes(op, x.shape(), weight.shape(), options);
  const Tensor y = with_bias(forward(sizes, x, weight), bias);
  return record("conv2d", {x, weight, bias}, y, Save{x, weight},
                [options](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], weight = saved[1];
                  const Pair size(x.size(2), x.size(3));
                  Tensor dx, dweight, dbias;
                  if (saved.needs(0)) dx = transposed(dy, weight, {}, size, options);
                  if (saved.needs(1)) dweight = weight_grad(x, dy, weight.shape(), options);
                  if (saved.needs(2)) dbias = sum(dy, {0, 2, 3});
                  return {dx, dweight, dbias};
                });
}

/// The zeros in front of an image and after it that make "same" of stride 1.
struct Sides {
  int64_t begin, end;
  Sides(int64_t kernel, int64_t dilation)
      : begin(dilation * (kernel - 1) / 2), end(dilation * (kernel - 1) - begin) {}
};

/// The same for padding by a word, and for one image.
Tensor convolution_of_any(const char* op, const Arg& x, const Arg& weight, const Tensor& bias,
                          Conv2dOptions options) {
  const CallScope here(x.at);
  using Kind = Padding<Pair>::Kind;
  check_weight(op, weight, options.groups);
  if (x.dim() == 3)
    return detail::of_single(
        x, [&](const Arg& batch) { return convolution_of_any(op, batch, weight, bias, options); });
  const Kind kind = std::exchange(options.padding.kind, Kind::numbers);
  if (kind == Kind::numbers) return convolution(op, x, weight, bias, options);
  options.padding.size = 0;
  if (kind == Kind::valid) return convolution(op, x, weight, bias, options);
  check(options.stride.h == 1 && options.stride.w == 1, op, "padding 'same' with stride (",
        options.stride.h, ", ", options.stride.w,
        "): the output would be smaller than the image; use stride 1, or numbers");
  detail::check_window(op, kernel_of(weight), window_of(options));
  const Sides h(weight.size(2), options.dilation.h), w(weight.size(3), options.dilation.w);
  options.padding.size = {h.begin, w.begin};
  if (h.begin == h.end && w.begin == w.end) return convolution(op, x, weight, bias, options);
  const Tensor longer = pad(x, {0, w.end - w.begin, 0, h.end - h.begin});
  return convolution(op, longer, weight, bias, options);
}

}  // namespace

Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias, const Conv2dOptions& options) {
  detail::check_image("conv2d", x);
  return convolution_of_any("conv2d", x, weight, bias, options);
}

/// conv2d on images of height 1.
Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias, const Conv1dOptions& options) {
  detail::check_row("conv1d", x);
  check(weight.dim() == 3, "conv1d", "weight of shape ", weight.shape(),
        ": expected (O, C/groups, k)");
  check(x.size(-2) == weight.size(1) * options.groups, "conv1d", "x of shape ", x.shape(),
        " and weight of shape ", weight.shape(), " in ", options.groups, " groups: x needs ",
        weight.size(1) * options.groups, " channels");
  Conv2dOptions flat{.stride = {1, options.stride},
                     .padding = {0, options.padding.size},
                     .dilation = {1, options.dilation},
                     .groups = options.groups};
  flat.padding.kind = static_cast<Padding<Pair>::Kind>(options.padding.kind);
  return detail::of_row(x, [&](const Arg& image) {
    return convolution_of_any("conv1d", image, unsqueeze(weight, 2), bias, flat);
  });
}

namespace {

/// conv_transpose2d; `op` is the name in errors.
Tensor transposed_of_any(const char* op, const Arg& x, const Arg& weight, const Tensor& bias,
                         const ConvTranspose2dOptions& options) {
  if (x.dim() == 3)
    return detail::of_single(
        x, [&](const Arg& batch) { return transposed_of_any(op, batch, weight, bias, options); });
  const auto& [stride, padding, output_padding, dilation, groups] = options;
  check_weight(op, weight, groups);
  check_dtypes(op, x, weight, bias, weight.size(1) * groups);
  check(x.size(1) == weight.size(0), op, "x of shape ", x.shape(), " and weight of shape ",
        weight.shape(), ": x needs ", weight.size(0), " channels");
  check(output_padding.h >= 0 && output_padding.h < stride.h && output_padding.w >= 0 &&
            output_padding.w < stride.w,
        op, "output_padding (", output_padding.h, ", ", output_padding.w, ") with stride (",
        stride.h, ", ", stride.w, "): it must be at least 0 and less than it");
  detail::check_window(op, kernel_of(weight), {stride, padding, dilation});
  const auto out = [](int64_t in, int64_t k, int64_t s, int64_t p, int64_t extra, int64_t d) {
    return (in - 1) * s - 2 * p + d * (k - 1) + extra + 1;
  };
  const Pair kernel = kernel_of(weight);
  const Pair size(out(x.size(2), kernel.h, stride.h, padding.h, output_padding.h, dilation.h),
                  out(x.size(3), kernel.w, stride.w, padding.w, output_padding.w, dilation.w));
  check(size.h > 0 && size.w > 0, op, "x of shape ", x.shape(), " would give ", size.h, " × ",
        size.w, " pixels: use less padding");
  return transposed(x, weight, bias, size, {stride, padding, dilation, groups});
}

}  // namespace

Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options) {
  detail::check_image("conv_transpose2d", x);
  return transposed_of_any("conv_transpose2d", x, weight, bias, options);
}

/// conv_transpose2d on images of height 1.
Tensor conv_transpose1d(const Arg& x, const Arg& weight, const Tensor& bias,
                        const ConvTranspose1dOptions& options) {
  detail::check_row("conv_transpose1d", x);
  check(weight.dim() == 3, "conv_transpose1d", "weight of shape ", weight.shape(),
        ": expected (C, O/groups, k)");
  return detail::of_row(x, [&](const Arg& image) {
    return transposed_of_any("conv_transpose1d", image, unsqueeze(weight, 2), bias,
                             {.stride = {1, options.stride},
                              .padding = {0, options.padding},
                              .output_padding = {0, options.output_padding},
                              .dilation = {1, options.dilation},
                              .groups = options.groups});
  });
}

}  // namespace tarsier
