#pragma once
// The adapters of a gpt in the layout of Hugging Face's PEFT.

#include <string>

#include "../../autograd/tensor/tensor_dict.h"
#include "config.h"

namespace tarsier::zoo::gpt {

/// Throws Error("gpt") unless lora_targets names maps that a gpt has, each once.
void check_adapters(const Config& config);

/// Writes the adapters among `weights`, the state dict of a gpt, into `folder`, which is made:
/// adapter_config.json, and adapter_model.safetensors with names such as
///   base_model.model.transformer.h.0.attn.c_attn.lora_A.weight    (r, in)
/// peft.PeftModel.from_pretrained(GPT2LMHeadModel, folder) loads them. `base` is where the model
/// without adapters is. Throws Error("file").
/// Source: https://huggingface.co/docs/peft/developer_guides/checkpoint
void save_adapters(const Config& config, const TensorDict& weights, const std::string& base,
                   const std::string& folder);

}  // namespace tarsier::zoo::gpt
