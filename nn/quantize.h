#pragma once
// Models with int8 weights, for inference: a quarter of the memory and of the file, and text that is
// generated token by token comes faster, because that waits for the weights.
//
//   nn::quantize_(model);                               // in place; in eval() from now on
//   nn::save_quantized("model.safetensors", model);
//   …
//   Mlp other(8);
//   nn::load_quantized(other, "model.safetensors");
//
// The file is safetensors. Each matrix "fc.weight" (out, in) is I8, and "fc.weight_scale" (out), F32,
// says what one step of each of its rows is worth:
//   weight[j, p] ≈ fc.weight_scale[j] · fc.weight[j, p]
// Biases, norms and convolutions stay as they were, and so do LSTM and GRU.

#include <string>
#include <vector>

#include "../autograd/io/safetensors_file.h"
#include "module.h"

namespace tarsier::nn {

/// Replaces the matrices of all Linear, Embedding and MultiheadAttention layers in `model`, and of
/// the layers of your own that are Quantizable, by the nearest 8-bit integers with a scale per row
/// (QuantizedMatrix). Matrices that were one (tied) stay one. The model goes to eval(), and its
/// other parameters require no gradients any more: it can only be used. Returns the names of the
/// matrices; of those that are 8-bit integers already, none.
/// Throws Error("quantize") for weights of f64, and for a NaN or infinite one, with its name. Then
/// nothing is changed.
std::vector<std::string> quantize_(Module& model);

/// Writes the state of a model: the int8 matrices with their scales, and everything else as it is.
void save_quantized(const std::string& path, Module& model, const Metadata& metadata = {});

/// Loads the state that save_quantized() wrote into a model of the same kind and size, which is
/// then as after quantize_().
/// Throws Error("quantize") for a file that is not of this kind, that lacks a scale, or whose scales
/// are negative, infinite or NaN, or of other shapes; Error("load_state_dict") and
/// Error("safetensors").
void load_quantized(Module& model, const std::string& path);

/// Whether a file holds int8 weights. Throws Error("safetensors") and Error("file").
bool holds_int8(const std::string& path);

}  // namespace tarsier::nn
