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

/// What PyTorch's convolutions and linear maps start with: all uniform in ±1/√fan_in.
void initialise(const Tensor& weight, const Tensor& bias) {
  kaiming_uniform_(weight, std::sqrt(5));
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in_and_fan_out(weight).in));
  if (bias.defined()) uniform_(bias, -bound, bound);
}

std::string text(Pair pair) { return concat("(", pair.h, ", ", pair.w, ")"); }

/// "3, 8, kernel_size=(3, 3), stride=(1, 1)", and what is not as by default.
template <class Options>
std::string described(const Tensor& weight, const Tensor& bias, bool transposed, const Options& o) {
  const int64_t rows = weight.size(0), columns = weight.size(1) * o.groups;
  std::string out =
      concat(transposed ? rows : columns, ", ", transposed ? columns : rows,
             ", kernel_size=", text({weight.size(2), weight.size(3)}), ", stride=", text(o.stride));
  const auto add_unless = [&](const char* name, Pair pair, int64_t usual) {
    if (pair.h != usual || pair.w != usual) out += concat(", ", name, "=", text(pair));
  };
  add_unless("padding", o.padding, 0);
  if constexpr (requires { o.output_padding; }) add_unless("output_padding", o.output_padding, 0);
  add_unless("dilation", o.dilation, 1);
  if (o.groups != 1) out += concat(", groups=", o.groups);
  return bias.defined() ? out : out + ", bias=false";
}

}  // namespace

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, Pair kernel, const Conv2dOptions& options,
               bool with_bias)
    : options(options) {
  check_channels("conv2d", in_channels, out_channels, options.groups);
  check_kernel("conv2d", kernel);
  const Shape shape = {out_channels, in_channels / options.groups, kernel.h, kernel.w};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string Conv2d::extra_repr() const { return described(weight, bias, false, options); }

Conv1d::Conv1d(int64_t in_channels, int64_t out_channels, int64_t kernel,
               const Conv1dOptions& options, bool with_bias)
    : options(options) {
  check_channels("conv1d", in_channels, out_channels, options.groups);
  check_kernel("conv1d", kernel);
  const Shape shape = {out_channels, in_channels / options.groups, kernel};
  register_parameter("weight", weight, Tensor::empty(shape));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_channels}) : Tensor());
  initialise(weight, bias);
}

std::string Conv1d::extra_repr() const {
  std::string out = concat(weight.size(1) * options.groups, ", ", weight.size(0), ", kernel_size=(",
                           weight.size(2), ",), stride=(", options.stride, ",)");
  if (options.padding != 0) out += concat(", padding=(", options.padding, ",)");
  if (options.dilation != 1) out += concat(", dilation=(", options.dilation, ",)");
  if (options.groups != 1) out += concat(", groups=", options.groups);
  return bias.defined() ? out : out + ", bias=false";
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

std::string ConvTranspose2d::extra_repr() const { return described(weight, bias, true, options); }

}  // namespace tarsier::nn
