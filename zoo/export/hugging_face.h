#pragma once
// Runs as folders of Hugging Face's transformers: config.json, model.safetensors, and tokenizer.json
// or preprocessor_config.json where transformers can do what the run does to its inputs.

#include <string>
#include <vector>

#include "../task/run_folder.h"

namespace tarsier::zoo {

/// Writes into `folder` what AutoModel….from_pretrained loads, and returns remarks for the user.
///   gpt               GPT2LMHeadModel; with rotary positions, RMSNorm and SwiGLU MistralForCausalLM
///   bert              BertForMaskedLM
///   vit               ViTForImageClassification
///   text-classifier   BertForTokenClassification, where the logits of the first token are those of
///                     the text: BERT's classifier of texts has one more layer
/// Throws Error("export") that names the module and the part which transformers lacks.
std::vector<std::string> export_hugging_face(const RunFolder& run, const std::string& folder);

}  // namespace tarsier::zoo
