#pragma once
// Llama's family in the layout of transformers: config.json and weights become a Llama
// (zoo/llama/model.h), which has the same names of weights.
//
//   model_type  also known as   what it has
//   llama       Llama 2 and 3,  biases with attention_bias, mlp_bias
//               SmolLM 1 and 2
//   mistral                     a sliding window in all layers
//   qwen2       Qwen 1.5, 2.5   biases of query, key and value; windows as layer_types says
//   qwen3                       norms of queries and keys; windows as layer_types says
// Positions are rotated as rope_parameters says (or rope_scaling and rope_theta, as before
// transformers 5), of type default, linear, dynamic, yarn or llama3.
// Source: https://huggingface.co/docs/transformers/main/en/model_doc/llama

#include <memory>
#include <string>
#include <vector>

#include "../llama/model.h"

namespace tarsier::zoo {

/// Loads a decoder of these types: `path` is the folder, or a file of weights in it. The result is
/// in eval(), in f32. Heads for other tasks stay in the file; `unused`, if given, gets the names of
/// their weights.
/// Throws Error("pretrained") if files are missing or belong to another model; if weights are
/// missing, unknown or of wrong shapes; or if config.json asks for what Llama lacks (another type
/// of rotary positions, positions on a part of a head, other types of layers). Throws what
/// open_pretrained throws for damaged files. All errors name the file.
std::unique_ptr<llama::Llama> load_llama(const std::string& path,
                                         std::vector<std::string>* unused = nullptr);

}  // namespace tarsier::zoo
