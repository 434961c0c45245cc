#pragma once
// GPT-2 in the layout of Hugging Face's transformers: config.json and model.safetensors become a
// Gpt (zoo/gpt/model.h), and a Gpt becomes these files.
//
//   transformers                          Gpt
//   (transformer.)wte.weight              transformer.wte.weight
//   (transformer.)h.0.attn.c_attn.weight  transformer.h.0.attn.c_attn.weight, transposed: in
//                                         transformers these maps are Conv1D, with (in, out)
//   lm_head.weight, or absent             lm_head.weight, or tied to wte: see below
//   (transformer.)h.0.attn.bias           absent: the causal mask, that old files have as a weight
//   score, qa_outputs, classifier,        absent: heads for other tasks
//   multiple_choice_head
// Output layer and embedding are one matrix if config.json says so (tie_word_embeddings) and the
// file has one of the two, under either name, or two equal ones. Two that differ are both loaded,
// as in transformers.
// Source: https://huggingface.co/docs/transformers/main/en/model_doc/gpt2

#include <memory>
#include <string>
#include <vector>

#include "../gpt/model.h"

namespace tarsier::zoo {

/// Loads a GPT-2 that transformers saved with save_pretrained (GPT2LMHeadModel, GPT2Model, or one
/// with another head): `path` is the folder, or a file of weights in it. The result is in
/// eval(), in f32; its dropout is the config's resid_pdrop. Heads for other tasks stay in the file;
/// `unused`, if given, gets the names of their weights.
/// Throws Error("pretrained") if files are missing or belong to another model; if weights are
/// missing, unknown or of wrong shapes; or if config.json asks for what Gpt lacks (n_inner ≠
/// 4·n_embd, cross-attention, an activation with parameters of its own, another attention scale).
/// Throws Error("json"), Error("safetensors") and Error("file") for damaged files. All errors name
/// the file.
std::unique_ptr<gpt::Gpt> load_gpt2(const std::string& path,
                                    std::vector<std::string>* unused = nullptr);

/// Writes config.json and model.safetensors into `folder`, which is made if it does not exist.
/// transformers' GPT2LMHeadModel.from_pretrained(folder) loads them, and so does load_gpt2. GPT-2
/// has biases everywhere: a Gpt without biases gets zeros; adapters are merged. Throws Error("file").
void save_gpt2(const gpt::Gpt& gpt, const std::string& folder);

}  // namespace tarsier::zoo
