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

  explicit Flatten(int64_t start_dim_arg = 1, int64_t end_dim_arg = -1)
      : start_dim(start_dim_arg), end_dim(end_dim_arg) {}

  Tensor forward(const Arg& x) { return flatten(x, start_dim, end_dim); }

  std::string extra_repr() const override {
    return concat("start_dim=", start_dim, ", end_dim=", end_dim);
  }
};

/// Splits dimension `dim` into several of the given sizes, one of which may be −1:
/// Unflatten(1, {C, H, W}): (N, C·H·W) → (N, C, H, W). Throws Error("unflatten") if no sizes are
/// given, and Error("reshape") if they do not fit.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
struct Unflatten : Layer<Unflatten> {
  const int64_t dim;
  const Shape unflattened_size;

  Unflatten(int64_t dim_arg, const Shape& unflattened_size_arg)
      : dim(dim_arg), unflattened_size(unflattened_size_arg) {
    check(!unflattened_size.empty(), "unflatten", "no sizes to cut dimension ", dim, " into");
  }

  Tensor forward(const Arg& x) {
    const int d = wrap_dim(dim, x.dim(), "unflatten");
    int64_t known = 1;
    for (const int64_t size : unflattened_size) known *= size == -1 ? 1 : size;
    Shape shape = x.shape();
    shape.erase(d);
    for (int i = 0; i < unflattened_size.size(); ++i) {
      const int64_t size = unflattened_size[i];
      shape.insert(d + i, size == -1 && known > 0 ? x.size(d) / known : size);
    }
    return reshape(x, shape);
  }

  std::string extra_repr() const override {
    return concat("dim=", dim, ", unflattened_size=", unflattened_size);
  }
};

}  // namespace tarsier::nn
