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

}  // namespace tarsier::nn
