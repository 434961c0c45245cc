#pragma once
// Layers that change only the shape, or nothing.

#include <string>

#include "../module.h"

namespace tarsier::nn {

/// y = x: a placeholder for another layer. Any shape.
struct Identity : Layer<Identity> {
  Tensor forward(const Arg& x) { return x; }
};

/// Merges dimensions start_dim … end_dim: (N, C, H, W) → (N, C·H·W). Throws Error("flatten").
/// As https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html
struct Flatten : Layer<Flatten> {
  const int64_t start_dim, end_dim;

  explicit Flatten(int64_t start_dim = 1, int64_t end_dim = -1);

  Tensor forward(const Arg& x) { return flatten(x, start_dim, end_dim); }

  std::string extra_repr() const override;
};

/// Splits dimension `dim` into several of the given sizes, one of which may be −1:
/// Unflatten(1, {C, H, W}): (N, C·H·W) → (N, C, H, W). Throws Error("unflatten") if no sizes are
/// given, and Error("reshape") if they do not fit.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
struct Unflatten : Layer<Unflatten> {
  const int64_t dim;
  const Shape unflattened_size;

  Unflatten(int64_t dim, const Shape& unflattened_size);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
