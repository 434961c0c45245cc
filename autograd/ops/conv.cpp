// Convolutions. A window of the image is a column, so that all of them times the filters is one
// product of matrices per image and group (Chellapilla et al. 2006).
#include "autograd/ops/window.h"

namespace tarsier {
namespace {

WindowOptions window_of(const Conv2dOptions& options) {
  return {options.stride, options.padding, options.dilation};
}

Pair kernel_of(const Tensor& weight) { return {weight.size(2), weight.size(3)}; }

void check_dtypes(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  int64_t channels_out) {
  check(weight.dtype() == x.dtype(), op, "weight of ", weight.dtype(), " beside x of ", x.dtype(),
        ": convert one with to(x, dtype)");
  if (!bias.defined()) return;
  check(bias.dtype() == x.dtype(), op, "bias of ", bias.dtype(), " beside x of ", x.dtype(),
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

/// The windows of x by groups: (N, groups, C/groups·kh·kw, L).
Tensor columns_of(const Arg& x, Pair kernel, const Conv2dOptions& o) {
  const bool pixels = kernel.h == 1 && kernel.w == 1 && o.stride.h == 1 && o.stride.w == 1 &&
                      o.padding.h == 0 && o.padding.w == 0;  // a window is a pixel
  const Tensor columns = pixels ? flatten(x, 2) : unfold(x, kernel, window_of(o));
  return reshape(columns, {x.size(0), o.groups, columns.size(1) / o.groups, columns.size(2)});
}

/// (A, B, kh, kw) by groups of A, as matrices: (groups, A/groups, B·kh·kw).
Tensor matrices_of(const Arg& weight, int64_t groups) {
  return reshape(weight, {groups, weight.size(0) / groups, -1});
}

/// y + bias, one per channel.
Tensor with_bias(const Tensor& y, const Tensor& bias) {
  return bias.defined() ? add_(y, reshape(bias, {bias.numel(), 1, 1})) : y;
}

/// The gradient of the weight, of shape (A, B, kh, kw): all products of an element of `rows`
/// (N, A, h, w) and one of its window in `image` (N, B·groups, H, W), summed over windows and
/// images.
Tensor weight_grad(const Tensor& rows, const Tensor& image, const Shape& weight,
                   const Conv2dOptions& options) {
  const int64_t groups = options.groups;
  const Tensor columns = columns_of(image, {weight[2], weight[3]}, options);
  const Tensor by_group =
      reshape(rows, {rows.size(0), groups, weight[0] / groups, columns.size(3)});
  return reshape(sum(matmul(by_group, transpose(columns, -2, -1)), 0), weight);
}

/// conv_transpose2d with an output of a given size.
///   dx = conv2d(dy, weight)   dweight = x · unfold(dy)ᵀ   dbias = Σ dy     saved: x, weight
Tensor transposed(const Arg& x, const Arg& weight, const Tensor& bias, Pair size,
                  const Conv2dOptions& options) {
  Tensor y;
  {
    const NoGrad guard;  // recorded below, as one op
    const int64_t groups = options.groups;
    const Tensor rows = reshape(x, {x.size(0), groups, x.size(1) / groups, x.size(2) * x.size(3)});
    const Tensor columns = matmul(transpose(matrices_of(weight, groups), -2, -1), rows);
    y = with_bias(fold(flatten(columns, 1, 2), size, kernel_of(weight), window_of(options)), bias);
  }
  return record("conv_transpose2d", {x, weight, Arg(bias, x.at)}, y, Save{x, weight},
                [options](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], weight = saved[1];
                  Tensor dx, dweight, dbias;
                  if (saved.needs(0)) dx = conv2d(dy, weight, {}, options);
                  if (saved.needs(1)) dweight = weight_grad(x, dy, weight.shape(), options);
                  if (saved.needs(2)) dbias = sum(dy, {0, 2, 3});
                  return {dx, dweight, dbias};
                });
}

}  // namespace

/// y = weight · unfold(x) + bias, by groups.
///   dx = fold(weightᵀ · dy), which is conv_transpose2d
///   dweight = dy · unfold(x)ᵀ   dbias = Σ dy       saved: x, weight
/// The columns are not saved but made again: they are kh·kw times as large as x.
Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias, const Conv2dOptions& options) {
  detail::check_image("conv2d", x);
  const int64_t groups = options.groups;
  check_weight("conv2d", weight, groups);
  check_dtypes("conv2d", x, weight, bias, weight.size(0));
  check(x.size(1) == weight.size(1) * groups, "conv2d", "x of shape ", x.shape(),
        " and weight of shape ", weight.shape(), " in ", groups, " groups: x needs ",
        weight.size(1) * groups, " channels");
  const auto [h, w] =
      detail::windows_of("conv2d", x.shape(), kernel_of(weight), window_of(options));
  Tensor y;
  {
    const NoGrad guard;  // recorded below, as one op
    y = matmul(matrices_of(weight, groups), columns_of(x, kernel_of(weight), options));
    y = with_bias(reshape(y, {x.size(0), weight.size(0), h.out, w.out}), bias);
  }
  return record("conv2d", {x, weight, Arg(bias, x.at)}, y, Save{x, weight},
                [options](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], weight = saved[1];
                  Tensor dx, dweight, dbias;
                  if (saved.needs(0))
                    dx = transposed(dy, weight, {}, {x.size(2), x.size(3)}, options);
                  if (saved.needs(1)) dweight = weight_grad(dy, x, weight.shape(), options);
                  if (saved.needs(2)) dbias = sum(dy, {0, 2, 3});
                  return {dx, dweight, dbias};
                });
}

/// conv2d on images of height 1.
Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias, const Conv1dOptions& options) {
  check(x.dim() == 3 && weight.dim() == 3, "conv1d", "x of shape ", x.shape(),
        " and weight of shape ", weight.shape(), ": expected (N, C, L) and (O, C/groups, k)");
  const Tensor y = conv2d(Arg(unsqueeze(x, 2), x.at), unsqueeze(weight, 2), bias,
                          {.stride = {1, options.stride},
                           .padding = {0, options.padding},
                           .dilation = {1, options.dilation},
                           .groups = options.groups});
  return squeeze(Arg(y, x.at), 2);
}

Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options) {
  detail::check_image("conv_transpose2d", x);
  const auto& [stride, padding, output_padding, dilation, groups] = options;
  check_weight("conv_transpose2d", weight, groups);
  check_dtypes("conv_transpose2d", x, weight, bias, weight.size(1) * groups);
  check(x.size(1) == weight.size(0), "conv_transpose2d", "x of shape ", x.shape(),
        " and weight of shape ", weight.shape(), ": x needs ", weight.size(0), " channels");
  check(output_padding.h >= 0 && output_padding.h < stride.h && output_padding.w >= 0 &&
            output_padding.w < stride.w,
        "conv_transpose2d", "output_padding (", output_padding.h, ", ", output_padding.w,
        ") with stride (", stride.h, ", ", stride.w, "): it must be at least 0 and less than it");
  detail::check_window("conv_transpose2d", kernel_of(weight), {stride, padding, dilation});
  const auto out = [](int64_t in, int64_t k, int64_t s, int64_t p, int64_t extra, int64_t d) {
    return (in - 1) * s - 2 * p + d * (k - 1) + extra + 1;
  };
  const Pair kernel = kernel_of(weight);
  const Pair size(out(x.size(2), kernel.h, stride.h, padding.h, output_padding.h, dilation.h),
                  out(x.size(3), kernel.w, stride.w, padding.w, output_padding.w, dilation.w));
  check(size.h > 0 && size.w > 0, "conv_transpose2d", "x of shape ", x.shape(), " would give ",
        size.h, " × ", size.w, " pixels: use less padding");
  return transposed(x, weight, bias, size, {stride, padding, dilation, groups});
}

}  // namespace tarsier
