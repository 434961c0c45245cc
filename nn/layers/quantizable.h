#pragma once
// Layers whose matrices nn::quantize_ (nn/quantize.h) can replace by 8-bit integers.

#include <vector>

#include "../../autograd/ops/matmul/quantized.h"
#include "../module.h"

namespace tarsier::nn {

/// A matrix of a layer, in one of two forms: the other is undefined.
struct QuantizableMatrix {
  const char* name;            ///< that of the parameter: "weight"
  Tensor* weight;              ///< (out, in), trained
  QuantizedMatrix* quantized;  ///< for inference
};

/// A layer that names its matrices. A layer of your own with a matrix derives from it as well, and
/// chooses the form in forward():
///   Tensor forward(const Arg& x) { return multiplied(*this, x, weight, quantized, bias); }
class Quantizable {
 public:
  virtual ~Quantizable() = default;
  /// The matrices in use, in the order of the parameters.
  virtual std::vector<QuantizableMatrix> matrices() = 0;

 protected:
  /// linear(x, matrix, bias), with the form of the matrix that is defined.
  /// Throws Error("linear") if it is the quantised one and `layer` is training.
  static Tensor multiplied(const Module& layer, const Arg& x, const Tensor& weight,
                           const QuantizedMatrix& quantized, const Tensor& bias = {});
  /// Throws Error(op) if `layer` is training: the matrix has 8 bits.
  static void check_inference(const Module& layer, const char* op);
};

}  // namespace tarsier::nn
