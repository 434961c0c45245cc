#pragma once
// Affine maps.

#include <cmath>
#include <string>

#include "nn/init.h"
#include "nn/module.h"

namespace tarsier::nn {

/// y = x · weightᵀ + bias over the last dimension: (…, in_features) → (…, out_features).
/// Starts with weight and bias uniform in ±1/√in_features (kaiming_uniform_ with a = √5).
/// Throws Error("linear") where the last size of x is not in_features.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
struct Linear : Layer<Linear> {
  Tensor weight;  ///< (out_features, in_features)
  Tensor bias;    ///< (out_features), or undefined

  Linear(int64_t in_features, int64_t out_features, bool with_bias = true) {
    check(in_features > 0 && out_features > 0, "linear", in_features, " inputs and ", out_features,
          " outputs: both must be positive");
    register_parameter("weight", weight, Tensor::empty({out_features, in_features}));
    register_parameter("bias", bias, with_bias ? Tensor::empty({out_features}) : Tensor());
    kaiming_uniform_(weight, std::sqrt(5));
    const double bound = 1 / std::sqrt(static_cast<double>(in_features));
    if (with_bias) uniform_(bias, -bound, bound);
  }

  Tensor forward(const Arg& x) { return linear(x, weight, bias); }

  std::string extra_repr() const override {
    return concat(weight.size(1), ", ", weight.size(0),
                  ", bias=", bias.defined() ? "true" : "false");
  }
};

}  // namespace tarsier::nn
