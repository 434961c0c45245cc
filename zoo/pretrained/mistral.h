#pragma once
// A Gpt with rotary positions, RMSNorm and SwiGLU as a Mistral of transformers, which is the same
// model: its sliding window is block_size.
//
//   Gpt                                  transformers
//   transformer.wte.weight               model.embed_tokens.weight
//   transformer.h.0.ln_1.weight          model.layers.0.input_layernorm.weight
//   transformer.h.0.attn.c_attn.weight   model.layers.0.self_attn.q_proj.weight, k_proj, v_proj
//   transformer.h.0.attn.c_proj.weight   model.layers.0.self_attn.o_proj.weight
//   transformer.h.0.ln_2.weight          model.layers.0.post_attention_layernorm.weight
//   transformer.h.0.mlp.c_fc.weight      model.layers.0.mlp.up_proj.weight, gate_proj
//   transformer.h.0.mlp.c_proj.weight    model.layers.0.mlp.down_proj.weight
//   transformer.ln_f.weight              model.norm.weight
//   lm_head.weight                       lm_head.weight, or absent if it is tied
// Source: https://huggingface.co/docs/transformers/model_doc/mistral

#include <string>
#include <vector>

#include "../gpt/model.h"

namespace tarsier::zoo {

/// What keeps a Gpt from being a Mistral: the parts that differ, each with its module path. Empty if
/// it is one.
std::vector<std::string> unlike_mistral(const gpt::Config& config);

/// Writes config.json and model.safetensors into `folder` for transformers' MistralForCausalLM;
/// load_llama reads them as well. Throws Error("pretrained") unless unlike_mistral() is empty, and
/// Error("file").
void save_mistral(const gpt::Gpt& gpt, const std::string& folder);

}  // namespace tarsier::zoo
