#pragma once
// Elementwise functions as layers, for Sequential. Formulas in autograd/ops.h. Any floating shape.

#include <string>
#include <string_view>

#include "nn/module.h"

namespace tarsier::nn {

/// x · Φ(x), exactly or by the tanh formula. Source: Hendrycks & Gimpel 2016.
/// As https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
struct GELU : Layer<GELU> {
  const std::string approximate;

  /// `approximate` is "none" or "tanh". Throws Error("gelu") otherwise.
  explicit GELU(std::string_view approximate = "none") : approximate(approximate) {
    check(approximate == "none" || approximate == "tanh", "gelu", "approximate '", approximate,
          "': use none or tanh");
  }

  Tensor forward(const Arg& x) { return gelu(x, approximate); }

  std::string extra_repr() const override { return "approximate='" + approximate + "'"; }
};

/// max(x, 0).
struct ReLU : Layer<ReLU> {
  Tensor forward(const Arg& x) { return relu(x); }
};

/// x · σ(x).
struct SiLU : Layer<SiLU> {
  Tensor forward(const Arg& x) { return silu(x); }
};

struct Tanh : Layer<Tanh> {
  Tensor forward(const Arg& x) { return tanh(x); }
};

/// 1 / (1 + e⁻ˣ).
struct Sigmoid : Layer<Sigmoid> {
  Tensor forward(const Arg& x) { return sigmoid(x); }
};

}  // namespace tarsier::nn
