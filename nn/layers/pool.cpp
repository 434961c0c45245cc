#include "nn/layers/pool.h"

namespace tarsier::nn {
namespace {

std::string text(Pair pair) { return concat("(", pair.h, ", ", pair.w, ")"); }
std::string text(int64_t number) { return concat("(", number, ",)"); }

/// "kernel_size=(2, 2), stride=(2, 2), padding=(0, 0)".
template <class Size, class Options>
std::string described(const Size& kernel, const Options& options) {
  return concat("kernel_size=", text(kernel), ", stride=", text(options.stride.value_or(kernel)),
                ", padding=", text(options.padding));
}

}  // namespace

MaxPool1d::MaxPool1d(int64_t kernel, const MaxPool1dOptions& options)
    : kernel(kernel), options(options) {}
std::string MaxPool1d::extra_repr() const { return described(kernel, options); }

MaxPool2d::MaxPool2d(Pair kernel, const MaxPool2dOptions& options)
    : kernel(kernel), options(options) {}
std::string MaxPool2d::extra_repr() const { return described(kernel, options); }

AvgPool1d::AvgPool1d(int64_t kernel, const AvgPool1dOptions& options)
    : kernel(kernel), options(options) {}
std::string AvgPool1d::extra_repr() const { return described(kernel, options); }

AvgPool2d::AvgPool2d(Pair kernel, const AvgPool2dOptions& options)
    : kernel(kernel), options(options) {}
std::string AvgPool2d::extra_repr() const { return described(kernel, options); }

AdaptiveAvgPool1d::AdaptiveAvgPool1d(int64_t output_size) : output_size(output_size) {}
std::string AdaptiveAvgPool1d::extra_repr() const { return concat("output_size=", output_size); }

AdaptiveAvgPool2d::AdaptiveAvgPool2d(Pair output_size) : output_size(output_size) {}
std::string AdaptiveAvgPool2d::extra_repr() const {
  return concat("output_size=", text(output_size));
}

Upsample::Upsample(const InterpolateOptions& options) : options_(options), mode_(options.mode) {}

Tensor Upsample::forward(const Arg& x) {
  InterpolateOptions options = options_;
  options.mode = mode_;  // the layer's copy: the caller's string may be gone
  return interpolate(x, options);
}

std::string Upsample::extra_repr() const {
  const std::string to = options_.size ? concat("size=", text(*options_.size))
                                       : concat("scale_factor=", options_.scale_factor.value_or(1));
  return concat(to, ", mode='", mode_, "'");
}

}  // namespace tarsier::nn
