#include "nn/layers/conv.h"

#include <cmath>

#include "nn/init.h"

namespace tarsier::nn {
namespace {

void check_channels(const char* op, int64_t in, int64_t out, int64_t groups) {
  check(in > 0 && out > 0 && groups > 0 && in % groups == 0 && out % groups == 0, op, in, " to ",
        out, " channels in ", groups, " groups: groups must divide both, and all be positive");
}

void check_kernel(const char* op, Pair kernel) {
  check(kernel.h > 0 && kernel.w > 0, op, "kernel ", kernel.h, " × ", kernel.w,
        ": both sizes must be positive");
}

/// The initial values of PyTorch's convolutions and linear maps: uniform in ±1/√fan_in.
void initialise(const Tensor& weight, const Tensor& bias) {
  kaiming_uniform_(weight, std::sqrt(5));
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in_and_fan_out(weight).in));
  if (bias.defined()) uniform_(bias, -bound, bound);
}

/// "same" needs an output of the size of the image, as the ops say in each call.
template <class Size>
void check_stride(const char* op, const Padding<Size>& padding, Pair stride) {
  check(padding.kind != Padding<Size>::Kind::same || (stride.h == 1 && stride.w == 1), op,
        "padding 'same' with stride (", stride.h, ", ", stride.w, "): use stride 1, or numbers");
}

std::string text(Pair pair) { return concat("(", pair.h, ", ", pair.w, ")"); }
std::string text(int64_t number) { return concat("(", number, ",)"); }

bool is(Pair pair, int64_t usual) { return pair.h == usual && pair.w == usual; }
bool is(int64_t number, int64_t usual) { return number == usual; }

/// ", name=(1, 1)", unless it is the default.
template <class Size>
std::string noted(const char* name, const Size& size, int64_t usual) {
  return is(size, usual) ? "" : concat(", ", name, "=", text(size));
}
template <class Size>
std::string noted(const char* name, const Padding<Size>& padding, int64_t usual) {
  using Kind = typename Padding<Size>::Kind;
  if (padding.kind == Kind::numbers) return noted(name, padding.size, usual);
  return concat(", ", name, "=", padding.kind == Kind::same ? "same" : "valid");
}

/// "3, 8, kernel_size=(3, 3), stride=(1, 1)", and the options that are not the defaults.
template <class Size, class Options>
std::string described(const Tensor& weight, const Tensor& bias, bool transposed, const Size& kernel,
                      const Options& o) {
  const int64_t rows = weight.size(0), columns = weight.size(1) * o.groups;
  std::string out = concat(transposed ? rows : columns, ", ", transposed ? columns : rows,
                           ", kernel_size=", text(kernel), ", stride=", text(o.stride),
                           noted("padding", o.padding, 0));
  if constexpr (requires { o.output_padding; }) out += noted("output_padding", o.output_padding, 0);
  out += noted("dilation", o.dilation, 1);
  if (o.groups != 1) out += concat(", groups=", o.groups);
  return bias.defined() ? out : out + ", bias=false";
}

Pair kernel2d(const Tensor& weight) { return {weight.size(2), weight.size(3)}; }

}  // namespace

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, Pair kernel, const Conv2dOptions& options,
               bool with_bias)
    : options(options) {
  check_channels("conv2d", in_channels, out_channels, options.groups);
  check_kernel("conv2d", kernel);
  check_stride("conv2d", options.padding, options.stride);
  const Shape shape = {out_channels, in_channels / options.groups, kernel.h, kernel.w};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string Conv2d::extra_repr() const {
  return described(weight, bias, false, kernel2d(weight), options);
}

Conv1d::Conv1d(int64_t in_channels, int64_t out_channels, int64_t kernel,
               const Conv1dOptions& options, bool with_bias)
    : options(options) {
  check_channels("conv1d", in_channels, out_channels, options.groups);
  check_kernel("conv1d", kernel);
  check_stride("conv1d", options.padding, options.stride);
  const Shape shape = {out_channels, in_channels / options.groups, kernel};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string Conv1d::extra_repr() const {
  return described(weight, bias, false, weight.size(2), options);
}

ConvTranspose2d::ConvTranspose2d(int64_t in_channels, int64_t out_channels, Pair kernel,
                                 const ConvTranspose2dOptions& options, bool with_bias)
    : options(options) {
  check_channels("conv_transpose2d", in_channels, out_channels, options.groups);
  check_kernel("conv_transpose2d", kernel);
  const Shape shape = {in_channels, out_channels / options.groups, kernel.h, kernel.w};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string ConvTranspose2d::extra_repr() const {
  return described(weight, bias, true, kernel2d(weight), options);
}

ConvTranspose1d::ConvTranspose1d(int64_t in_channels, int64_t out_channels, int64_t kernel,
                                 const ConvTranspose1dOptions& options, bool with_bias)
    : options(options) {
  check_channels("conv_transpose1d", in_channels, out_channels, options.groups);
  check_kernel("conv_transpose1d", kernel);
  const Shape shape = {in_channels, out_channels / options.groups, kernel};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string ConvTranspose1d::extra_repr() const {
  return described(weight, bias, true, weight.size(2), options);
}

}  // namespace tarsier::nn
