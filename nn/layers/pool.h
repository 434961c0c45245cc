#pragma once
// Pooling and resizing of images. autograd/ops.h, "convolution", has the formulas. All take
// (N, C, H, W), and throw Error(op) for other shapes and for invalid options.

#include <string>

#include "../module.h"

namespace tarsier::nn {

/// The largest element of each window. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
struct MaxPool2d : Layer<MaxPool2d> {
  const Pair kernel;
  const MaxPool2dOptions options;

  explicit MaxPool2d(Pair kernel_arg, const MaxPool2dOptions& options_arg = {})
      : kernel(kernel_arg), options(options_arg) {}

  Tensor forward(const Arg& x) { return max_pool2d(x, kernel, options); }

  std::string extra_repr() const override {
    const Pair stride = options.stride.value_or(kernel);
    return concat("kernel_size=(", kernel.h, ", ", kernel.w, "), stride=(", stride.h, ", ",
                  stride.w, "), padding=(", options.padding.h, ", ", options.padding.w, ")");
  }
};

/// The mean of each window. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
struct AvgPool2d : Layer<AvgPool2d> {
  const Pair kernel;
  const AvgPool2dOptions options;

  explicit AvgPool2d(Pair kernel_arg, const AvgPool2dOptions& options_arg = {})
      : kernel(kernel_arg), options(options_arg) {}

  Tensor forward(const Arg& x) { return avg_pool2d(x, kernel, options); }

  std::string extra_repr() const override {
    const Pair stride = options.stride.value_or(kernel);
    return concat("kernel_size=(", kernel.h, ", ", kernel.w, "), stride=(", stride.h, ", ",
                  stride.w, "), padding=(", options.padding.h, ", ", options.padding.w, ")");
  }
};

/// Means over windows that divide the image evenly: (N, C, H, W) → (N, C, output_size).
/// As https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
struct AdaptiveAvgPool2d : Layer<AdaptiveAvgPool2d> {
  const Pair output_size;

  explicit AdaptiveAvgPool2d(Pair output_size_arg) : output_size(output_size_arg) {}

  Tensor forward(const Arg& x) { return adaptive_avg_pool2d(x, output_size); }

  std::string extra_repr() const override {
    return concat("output_size=(", output_size.h, ", ", output_size.w, ")");
  }
};

/// interpolate as a layer: (N, C, H, W) → (N, C, size), by the nearest pixel or bilinear.
///   nn::Upsample({.scale_factor = 2, .mode = "bilinear"})
/// As https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
class Upsample : public Layer<Upsample> {
 public:
  explicit Upsample(const InterpolateOptions& options) : options_(options), mode_(options.mode) {}

  Tensor forward(const Arg& x) {
    InterpolateOptions options = options_;
    options.mode = mode_;  // the layer's copy: the caller's string may be gone
    return interpolate(x, options);
  }

  std::string extra_repr() const override {
    const std::string to = options_.size
                               ? concat("size=(", options_.size->h, ", ", options_.size->w, ")")
                               : concat("scale_factor=", options_.scale_factor.value_or(1));
    return concat(to, ", mode='", mode_, "'");
  }

 private:
  InterpolateOptions options_;
  const std::string mode_;
};

}  // namespace tarsier::nn
