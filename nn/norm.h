#pragma once
// Normalisation.

#include <string>

#include "nn/init.h"
#include "nn/module.h"

namespace tarsier::nn {

/// y = (x − mean) / √(var + eps) · weight + bias over the last dimension, with the population
/// variance: (…, C) → (…, C). Starts with weight 1 and bias 0.
/// Throws Error("layer_norm") where the last size of x is not C.
/// Source: Ba et al. 2016, "Layer normalization".
/// As https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html, for one dimension.
struct LayerNorm : Layer<LayerNorm> {
  Tensor weight;  ///< (C), or undefined without elementwise_affine
  Tensor bias;    ///< (C), or undefined
  const int64_t normalized_shape;
  const double eps;

  explicit LayerNorm(int64_t C, double eps = 1e-5, bool elementwise_affine = true,
                     bool with_bias = true)
      : normalized_shape(C), eps(eps) {
    check(C > 0, "layer_norm", "size ", C, " must be positive");
    if (!elementwise_affine) return;
    register_parameter("weight", weight, ones({C}));
    register_parameter("bias", bias, with_bias ? zeros({C}) : Tensor());
  }

  Tensor forward(const Arg& x) {
    // Without a weight the op would take any size.
    check(x.size(-1) == normalized_shape, "layer_norm", "shape ", x.shape(),
          ": the last size must be ", normalized_shape);
    return layer_norm(x, weight, bias, eps);
  }

  std::string extra_repr() const override {
    return concat("(", normalized_shape, ",), eps=", eps,
                  ", elementwise_affine=", weight.defined() ? "true" : "false");
  }
};

}  // namespace tarsier::nn
