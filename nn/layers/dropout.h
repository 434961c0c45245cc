#pragma once
// Dropout.

#include <string>

#include "../module.h"

namespace tarsier::nn {

/// In training, sets each element to zero with probability p and scales the others by 1 / (1 − p).
/// In eval() it returns x. Any shape. Draws from default_generator().
/// Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
/// overfitting". As https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
struct Dropout : Layer<Dropout> {
  const double p;

  /// Throws Error("dropout") unless 0 ≤ p ≤ 1.
  explicit Dropout(double p = 0.5);

  Tensor forward(const Arg& x) { return dropout(x, p, is_training()); }

  std::string extra_repr() const override;
};

/// Dropout of whole channels: in training, each channel of each sample is set to zero with
/// probability p, and the others are scaled by 1 / (1 − p). Neighbours in a feature map are alike,
/// so that single elements would hardly be missed. (N, C, L) or (C, L).
/// Throws Error("dropout1d") for other shapes, and unless 0 ≤ p ≤ 1.
/// Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".
/// As https://pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
struct Dropout1d : Layer<Dropout1d> {
  const double p;

  explicit Dropout1d(double p = 0.5);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

/// The same for images, (N, C, H, W). Of three sizes PyTorch warns and takes them as (N, C, L) for
/// now; here they are an error that names both ways out.
/// Throws Error("dropout2d").
/// As https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
struct Dropout2d : Layer<Dropout2d> {
  const double p;

  explicit Dropout2d(double p = 0.5);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
