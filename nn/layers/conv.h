#pragma once
// Convolutions. autograd/ops.h, "convolution", defines the windows.

#include <string>

#include "../module.h"

namespace tarsier::nn {

/// y[n, o] = bias[o] + Σ_c weight[o, c] ⋆ x[n, c], ⋆ the cross-correlation over all windows:
/// (N, in_channels, H, W) → (N, out_channels, H', W'),
///   H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, W' likewise.
/// With groups, the output channels of a group see only its in_channels / groups input channels.
/// weight and bias start uniform in ±1/√fan_in, fan_in = in_channels/groups · kh · kw.
/// With padding "same" the output is as large as the image. A single image, (in_channels, H, W),
/// gives a single one.
/// Throws Error("conv2d") if sizes do not fit, if groups does not divide both numbers of channels,
/// and for padding "same" with a stride.
/// Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
/// As https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html, with padding by zeros.
struct Conv2d : Layer<Conv2d> {
  Tensor weight;  ///< (out_channels, in_channels / groups, kh, kw)
  Tensor bias;    ///< (out_channels), or undefined
  const Conv2dOptions options;

  Conv2d(int64_t in_channels, int64_t out_channels, Pair kernel, const Conv2dOptions& options = {},
         bool with_bias = true);

  Tensor forward(const Arg& x) { return conv2d(x, weight, bias, options); }

  std::string extra_repr() const override;
};

/// Conv2d over one dimension: (N, in_channels, L) → (N, out_channels, L'), or both without N.
/// Throws Error("conv1d").
/// As https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
struct Conv1d : Layer<Conv1d> {
  Tensor weight;  ///< (out_channels, in_channels / groups, kernel)
  Tensor bias;    ///< (out_channels), or undefined
  const Conv1dOptions options;

  Conv1d(int64_t in_channels, int64_t out_channels, int64_t kernel,
         const Conv1dOptions& options = {}, bool with_bias = true);

  Tensor forward(const Arg& x) { return conv1d(x, weight, bias, options); }

  std::string extra_repr() const override;
};

/// The transpose of a Conv2d from out_channels to in_channels: every pixel of x adds the kernel,
/// scaled by its value, to the output: (N, in_channels, H, W) → (N, out_channels, H', W'),
///   H' = (H − 1) · stride − 2·padding + dilation·(kernel − 1) + output_padding + 1.
/// weight and bias start uniform in ±1/√(out_channels/groups · kh · kw).
/// Throws Error("conv_transpose2d").
/// Source: Zeiler et al. 2010, "Deconvolutional networks".
/// As https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
struct ConvTranspose2d : Layer<ConvTranspose2d> {
  Tensor weight;  ///< (in_channels, out_channels / groups, kh, kw)
  Tensor bias;    ///< (out_channels), or undefined
  const ConvTranspose2dOptions options;

  ConvTranspose2d(int64_t in_channels, int64_t out_channels, Pair kernel,
                  const ConvTranspose2dOptions& options = {}, bool with_bias = true);

  Tensor forward(const Arg& x) { return conv_transpose2d(x, weight, bias, options); }

  std::string extra_repr() const override;
};

/// ConvTranspose2d over one dimension: (N, in_channels, L) → (N, out_channels, L'), or both without
/// N. Throws Error("conv_transpose1d").
/// As https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
struct ConvTranspose1d : Layer<ConvTranspose1d> {
  Tensor weight;  ///< (in_channels, out_channels / groups, kernel)
  Tensor bias;    ///< (out_channels), or undefined
  const ConvTranspose1dOptions options;

  ConvTranspose1d(int64_t in_channels, int64_t out_channels, int64_t kernel,
                  const ConvTranspose1dOptions& options = {}, bool with_bias = true);

  Tensor forward(const Arg& x) { return conv_transpose1d(x, weight, bias, options); }

  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
