#pragma once
// Pooling and resizing of images. autograd/ops.h, "convolution", has the formulas. All take
// (N, C, H, W) or, but for Upsample, (C, H, W); those of one dimension (N, C, L) or (C, L). They
// throw Error(op) for other shapes and for invalid options.

#include <string>

#include "../module.h"

namespace tarsier::nn {

/// The largest element of each window of a row. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
struct MaxPool1d : Layer<MaxPool1d> {
  const int64_t kernel;
  const MaxPool1dOptions options;

  explicit MaxPool1d(int64_t kernel, const MaxPool1dOptions& options = {});

  Tensor forward(const Arg& x) { return max_pool1d(x, kernel, options); }

  std::string extra_repr() const override;
};

/// The largest element of each window. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
struct MaxPool2d : Layer<MaxPool2d> {
  const Pair kernel;
  const MaxPool2dOptions options;

  explicit MaxPool2d(Pair kernel, const MaxPool2dOptions& options = {});

  Tensor forward(const Arg& x) { return max_pool2d(x, kernel, options); }

  std::string extra_repr() const override;
};

/// The mean of each window of a row. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
struct AvgPool1d : Layer<AvgPool1d> {
  const int64_t kernel;
  const AvgPool1dOptions options;

  explicit AvgPool1d(int64_t kernel, const AvgPool1dOptions& options = {});

  Tensor forward(const Arg& x) { return avg_pool1d(x, kernel, options); }

  std::string extra_repr() const override;
};

/// The mean of each window. The stride defaults to the kernel size.
/// As https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
struct AvgPool2d : Layer<AvgPool2d> {
  const Pair kernel;
  const AvgPool2dOptions options;

  explicit AvgPool2d(Pair kernel, const AvgPool2dOptions& options = {});

  Tensor forward(const Arg& x) { return avg_pool2d(x, kernel, options); }

  std::string extra_repr() const override;
};

/// Means over windows that divide the row evenly: (N, C, L) → (N, C, output_size).
/// As https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
struct AdaptiveAvgPool1d : Layer<AdaptiveAvgPool1d> {
  const int64_t output_size;

  explicit AdaptiveAvgPool1d(int64_t output_size);

  Tensor forward(const Arg& x) { return adaptive_avg_pool1d(x, output_size); }

  std::string extra_repr() const override;
};

/// Means over windows that divide the image evenly: (N, C, H, W) → (N, C, output_size).
/// As https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
struct AdaptiveAvgPool2d : Layer<AdaptiveAvgPool2d> {
  const Pair output_size;

  explicit AdaptiveAvgPool2d(Pair output_size);

  Tensor forward(const Arg& x) { return adaptive_avg_pool2d(x, output_size); }

  std::string extra_repr() const override;
};

/// interpolate as a layer: (N, C, H, W) → (N, C, size), by the nearest pixel or bilinear.
///   nn::Upsample({.scale_factor = 2, .mode = "bilinear"})
/// As https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
class Upsample : public Layer<Upsample> {
 public:
  explicit Upsample(const InterpolateOptions& options);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;

 private:
  InterpolateOptions options_;
  const std::string mode_;
};

}  // namespace tarsier::nn
