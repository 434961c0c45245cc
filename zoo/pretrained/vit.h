#pragma once
// Vision Transformers in the layout of Hugging Face's transformers: config.json and
// model.safetensors become the VisionTransformer of zoo/vit/model.h, and it becomes such files.
//
//   transformers, without "vit."                          here
//   embeddings.cls_token                                  class_token
//   embeddings.position_embeddings                        position_embedding
//   embeddings.patch_embeddings.projection.weight         stem.patches.weight
//   encoder.layer.0.layernorm_before.weight               encoder.layers.0.norm1.weight
//   encoder.layer.0.attention.attention.query.weight, … encoder.layers.0.self_attn.in_proj_weight,
//     key and value                                         one below the other
//   encoder.layer.0.attention.output.dense.weight encoder.layers.0.self_attn.out_proj.weight
//   encoder.layer.0.layernorm_after.weight                encoder.layers.0.norm2.weight
//   encoder.layer.0.intermediate.dense.weight             encoder.layers.0.linear1.weight
//   encoder.layer.0.output.dense.weight                   encoder.layers.0.linear2.weight
//   layernorm.weight                                      encoder.norm.weight
//   classifier.weight                                     head.weight
// Models in transformers 5 name the parts of a layer differently, and so do files that were not
// written by save_pretrained, which writes the names above:
//
//   layers.0.attention.q_proj.weight, k_proj and v_proj encoder.layers.0.self_attn.in_proj_weight
//   layers.0.attention.o_proj.weight              encoder.layers.0.self_attn.out_proj.weight
//   layers.0.mlp.fc1.weight                               encoder.layers.0.linear1.weight
//   layers.0.mlp.fc2.weight                               encoder.layers.0.linear2.weight
// Source: https://huggingface.co/docs/transformers/model_doc/vit

#include <memory>
#include <string>
#include <vector>

#include "../vit/model.h"

namespace tarsier::zoo {

/// Loads a ViTForImageClassification: `path` is the folder, or a file of weights in it. The
/// result is in eval(), in f32; its dropout is the config's hidden_dropout_prob. Without qkv_bias
/// the biases of query, key and value are zeros. Weights of heads for other tasks stay in the file;
/// `unused`, if given, gets their names.
/// Throws Error("pretrained") if files are missing or belong to another model; if weights are
/// missing, unknown or of the wrong shape; if sizes do not fit together; or for an unknown
/// activation.
/// Throws Error("json"), Error("safetensors") and Error("file") for damaged files. All errors name
/// the file.
std::unique_ptr<vit::VisionTransformer> load_vit(const std::string& path,
                                                 std::vector<std::string>* unused = nullptr);

/// Writes config.json and model.safetensors into `folder` for transformers'
/// ViTForImageClassification; `labels` are the names of the classes.
/// Throws Error("pretrained"), which names the part, for a model that is not a plain ViT: another
/// stem than patches, mean pooling, an unknown activation; and Error("file").
void save_vit(const vit::VisionTransformer& model, const std::vector<std::string>& labels,
              const std::string& folder);

}  // namespace tarsier::zoo
