#pragma once
// BERT in the layout of Hugging Face's transformers: config.json and model.safetensors become the
// models of zoo/bert/model.h, and these become such files.
//
//   transformers, without "bert."                     here, without "bert."
//   embeddings.word_embeddings.weight                 word_embeddings.weight
//   embeddings.LayerNorm.weight                       embedding_norm.weight
//   encoder.layer.0.attention.self.query.weight, …    encoder.layers.0.self_attn.in_proj_weight,
//     key and value                                     one below the other
//   encoder.layer.0.attention.output.dense.weight     encoder.layers.0.self_attn.out_proj.weight
//   encoder.layer.0.attention.output.LayerNorm.weight encoder.layers.0.norm1.weight
//   encoder.layer.0.intermediate.dense.weight         encoder.layers.0.linear1.weight
//   encoder.layer.0.output.dense.weight               encoder.layers.0.linear2.weight
//   encoder.layer.0.output.LayerNorm.weight           encoder.layers.0.norm2.weight
//   pooler.dense.weight                               pooler.dense.weight
//   cls.predictions.transform.dense.weight            transform.weight
//   cls.predictions.transform.LayerNorm.weight        transform_norm.weight
//   cls.predictions.bias or .decoder.bias             decoder.bias: the latter if there are two
//   cls.predictions.decoder.weight, or absent         decoder.weight, or tied to word_embeddings
//   classifier.weight                                 classifier.weight
// Files of old versions say LayerNorm.gamma and .beta for LayerNorm.weight and .bias.
// Source: https://huggingface.co/docs/transformers/model_doc/bert
//
// Decoder and embedding are one matrix if config.json says so (tie_word_embeddings) and the file
// has one of the two, under either name, or two equal ones. Two that differ are both loaded, as in
// transformers.
//
// `path` is the folder, or a file of weights in it. The results are in eval(), in f32; their
// dropout is the config's hidden_dropout_prob. A head that the model lacks, for any task, stays in
// the file; `unused`, if given, gets the names of its weights.
// All throw Error("pretrained") if files are missing or belong to another model; if weights are
// missing, unknown or of wrong shapes; if sizes do not fit together; or if config.json asks for
// what Bert lacks (relative positions, a decoder, cross-attention, activations with parameters of
// their own). They throw Error("json"), Error("safetensors") and Error("file") for damaged files.
// All errors name the file.

#include <memory>
#include <string>
#include <vector>

#include "../bert/model.h"

namespace tarsier::zoo {

/// A BertModel, or the body of any of the others; with the pooler if the file has one.
std::unique_ptr<bert::Bert> load_bert(const std::string& path,
                                      std::vector<std::string>* unused = nullptr);

/// A BertForMaskedLM or BertForPreTraining.
std::unique_ptr<bert::BertForMaskedLM> load_bert_for_masked_lm(
    const std::string& path, std::vector<std::string>* unused = nullptr);

/// A BertForSequenceClassification.
std::unique_ptr<bert::BertForSequenceClassification> load_bert_for_sequence_classification(
    const std::string& path, std::vector<std::string>* unused = nullptr);

/// Writes config.json and model.safetensors into `folder` for transformers' BertForMaskedLM, which
/// has at least one token type: a Bert without types gets one of zeros. Throws Error("pretrained")
/// for an activation that transformers does not know, and Error("file").
void save_bert_for_masked_lm(const bert::BertForMaskedLM& model, const std::string& folder);

/// The same for a class with a linear `classifier` ("BertForTokenClassification"), from weights
/// under the names of zoo/bert/model.h: those of the Bert with "bert." before them.
void save_bert_classifier(const std::string& architecture, const bert::Config& config,
                          const TensorDict& weights, const std::vector<std::string>& labels,
                          const std::string& folder);

}  // namespace tarsier::zoo
