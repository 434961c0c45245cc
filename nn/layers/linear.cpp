#include "nn/layers/linear.h"

#include <cmath>

#include "nn/init.h"

namespace tarsier::nn {

Linear::Linear(int64_t in_features, int64_t out_features, bool with_bias) {
  check(in_features > 0 && out_features > 0, "linear", in_features, " inputs and ", out_features,
        " outputs: both must be positive");
  register_parameter("weight", weight, Tensor::empty({out_features, in_features}));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out_features}) : Tensor());
  kaiming_uniform_(weight, std::sqrt(5));
  const double bound = 1 / std::sqrt(static_cast<double>(in_features));
  if (with_bias) uniform_(bias, -bound, bound);
}

Tensor Linear::forward(const Arg& x) { return multiplied(*this, x, weight, quantized, bias); }

std::string Linear::extra_repr() const {
  return concat("in_features=", in_features(), ", out_features=", out_features(),
                ", bias=", bias.defined() ? "true" : "false",
                quantized.defined() ? ", weight=int8" : "");
}

Bilinear::Bilinear(int64_t in1, int64_t in2, int64_t out, bool with_bias) {
  check(in1 > 0 && in2 > 0 && out > 0, "bilinear", in1, " and ", in2, " inputs and ", out,
        " outputs: all must be positive");
  const double bound = 1 / std::sqrt(static_cast<double>(in1));
  register_parameter("weight", weight, Tensor::empty({out, in1, in2}));
  register_parameter("bias", bias, with_bias ? Tensor::empty({out}) : Tensor());
  uniform_(weight, -bound, bound);
  if (with_bias) uniform_(bias, -bound, bound);
}

Tensor Bilinear::forward(const Arg& x1, const Arg& x2) {
  check(x1.size(-1) == weight.size(1) && x2.size(-1) == weight.size(2) &&
            slice(x1, -1, 0, 0).shape() == slice(x2, -1, 0, 0).shape(),
        "bilinear", "shapes ", x1.shape(), " and ", x2.shape(), ": expected (…, ", weight.size(1),
        ") and (…, ", weight.size(2), ")");
  const CallScope here(x1.at);
  const Tensor y = einsum("...i,oij,...j->...o", {x1, weight, x2});
  return bias.defined() ? y + bias : y;
}

std::string Bilinear::extra_repr() const {
  return concat("in1_features=", weight.size(1), ", in2_features=", weight.size(2),
                ", out_features=", weight.size(0), ", bias=", bias.defined() ? "true" : "false");
}

}  // namespace tarsier::nn
