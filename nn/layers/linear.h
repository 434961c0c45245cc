#pragma once
// Affine maps.

#include <cstdint>
#include <string>

#include "../module.h"
#include "quantizable.h"

namespace tarsier::nn {

/// y = x · weightᵀ + bias over the last dimension: (…, in_features) → (…, out_features).
/// weight and bias start uniform in ±1/√in_features (kaiming_uniform_ with a = √5).
/// Throws Error("linear") if the last size of x is not in_features.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
struct Linear : Layer<Linear>, Quantizable {
  Tensor weight;              ///< (out_features, in_features)
  QuantizedMatrix quantized;  ///< in its place after nn::quantize_
  Tensor bias;                ///< (out_features), or undefined

  Linear(int64_t in_features, int64_t out_features, bool with_bias = true);
  Tensor forward(const Arg& x);
  int64_t in_features() const { return weight.defined() ? weight.size(1) : quantized.cols(); }
  int64_t out_features() const { return weight.defined() ? weight.size(0) : quantized.rows(); }
  std::vector<QuantizableMatrix> matrices() override { return {{"weight", &weight, &quantized}}; }
  std::string extra_repr() const override;
};

/// y_o = x1ᵀ · weight_o · x2 + bias_o over the last dimensions:
/// (…, in1_features), (…, in2_features) → (…, out_features).
/// weight and bias start uniform in ±1/√in1_features.
/// Throws Error("bilinear") if the last sizes are wrong, or the other sizes of x1 and x2 differ.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
struct Bilinear : Layer<Bilinear> {
  Tensor weight;  ///< (out_features, in1_features, in2_features)
  Tensor bias;    ///< (out_features), or undefined

  Bilinear(int64_t in1, int64_t in2, int64_t out, bool with_bias = true);
  Tensor forward(const Arg& x1, const Arg& x2);
  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
