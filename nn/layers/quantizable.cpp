#include "nn/layers/quantizable.h"

namespace tarsier::nn {

void Quantizable::check_inference(const Module& layer, const char* op) {
  if (layer.is_training()) [[unlikely]]
    fail(op, "this ", layer.type_name(),
         " has int8 weights (nn::quantize_), which cannot be trained: call eval() to use them; to "
         "train, load the f32 weights, and quantise them afterwards");
}

Tensor Quantizable::multiplied(const Module& layer, const Arg& x, const Tensor& weight,
                               const QuantizedMatrix& quantized, const Tensor& bias) {
  if (!quantized.defined()) return linear(x, weight, bias);
  check_inference(layer, "linear");
  return linear(x, quantized, bias);
}

}  // namespace tarsier::nn
