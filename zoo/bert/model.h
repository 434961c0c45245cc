#pragma once
// BERT: a Transformer that reads a text in both directions at once. It learns what words mean by
// guessing words that were hidden.
//
//   token indices (B, T)
//     → word + position + token type embedding → layer norm → dropout     (B, T, C)
//     → encoder: attention between all tokens, then an MLP for each; a layer norm after both
//     → hidden states (B, T, C), one vector for each token in its context
//   The first token of a text is [CLS]; its vector, through the pooler, stands for the whole text.
//
// Source: Devlin et al. 2019, "BERT: pre-training of deep bidirectional Transformers for language
// understanding". Names and defaults of the sizes are those of config.json of bert-base-uncased
// (https://huggingface.co/docs/transformers/model_doc/bert), which zoo/pretrained/bert.h loads.
//
// B batch, T time (tokens), C width (hidden_size), V vocabulary.

#include <cstdint>
#include <optional>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::bert {

struct Config {
  int64_t vocab_size = 30522;  ///< V
  int64_t hidden_size = 768;   ///< C
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;  ///< divides hidden_size
  int64_t intermediate_size = 3072;  ///< inside the MLP
  nn::Activation hidden_act = "gelu";
  double dropout = 0.1;                   ///< of activations and attention weights, in training
  int64_t max_position_embeddings = 512;  ///< the largest T
  int64_t type_vocab_size = 2;            ///< sentence A is of type 0, B of type 1; 0: no types
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;  ///< the standard deviation of the matrices at the start
  bool tie_word_embeddings = true;  ///< BertForMaskedLM: one matrix as embedding and as decoder
};

/// tanh of a linear map of the first token's vector: (B, T, C) → (B, C).
struct Pooler : nn::Layer<Pooler> {
  nn::Linear dense;

  explicit Pooler(int64_t C) : dense(C, C) { register_module("dense", dense); }

  Tensor forward(const Arg& hidden) { return tanh(dense(select(hidden, 1, 0))); }
};

/// Optional inputs next to the token indices (B, T) i64:
///   bert(index, {.padding_mask = attention_mask == 0, .token_types = token_type_ids})
struct Inputs {
  Tensor padding_mask = {};  ///< (B, T) bool, true at padding, which no token attends to
  Tensor token_types = {};   ///< (B, T) i64; undefined: zeros
};

/// The model without a head. It and the models below start as in transformers, with matrices
/// N(0, initializer_range²) and biases 0. They throw Error("bert") where sizes do not fit together,
/// and for inputs of other shapes and dtypes.
struct Bert : nn::Layer<Bert> {
  const Config config;
  nn::Embedding word_embeddings;                       ///< what a token means
  nn::Embedding position_embeddings;                   ///< where it stands
  std::optional<nn::Embedding> token_type_embeddings;  ///< sentence A or B
  nn::LayerNorm embedding_norm;
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< post-norm
  std::optional<Pooler> pooler;    ///< called by the heads; forward does not use it

  explicit Bert(const Config& config, bool with_pooler = true,
                Generator& generator = default_generator());

  /// The hidden states of the last layer: (B, T) → (B, T, C).
  Tensor operator()(const Arg& index, const Inputs& inputs = {}) {
    return Layer::operator()(index, inputs);
  }
  Tensor forward(const Arg& index, const Inputs& inputs = {});

  /// The attention of every layer, (B, H, T, T): row t is what token t attends to, and sums to 1.
  std::vector<Tensor> attention(const Arg& index, const Inputs& inputs = {});

 private:
  /// The input of the encoder: (B, T, C).
  Tensor embedded(const Arg& index, const Inputs& inputs);
};

/// BERT's training task: which token is it, at every place? Linear, activation and layer norm, then
/// the product with every word's embedding (Press & Wolf 2017) plus a bias for every word.
struct BertForMaskedLM : nn::Layer<BertForMaskedLM> {
  Bert bert;
  nn::Linear transform;
  nn::LayerNorm transform_norm;
  nn::Linear decoder;  ///< its weight is bert.word_embeddings.weight, if tied

  explicit BertForMaskedLM(const Config& config, Generator& generator = default_generator());

  /// Logits of the tokens: (B, T) → (B, T, V).
  Tensor operator()(const Arg& index, const Inputs& inputs = {}) {
    return Layer::operator()(index, inputs);
  }
  Tensor forward(const Arg& index, const Inputs& inputs = {});

  /// The logits at M places only, of all B·T in a row: place b·T + t is token t of text b. (B, T),
  /// places (M) i64 → (M, V). The product with V embeddings, which costs most, is left out for all
  /// other places.
  Tensor logits_at(const Arg& index, const Tensor& places, const Inputs& inputs = {});

  /// The mean of −log p(targets[place]) over the places. targets (B, T) i64: the whole texts,
  /// before tokens were hidden. The targets at other places do not matter.
  Tensor loss(const Arg& index, const Tensor& targets, const Tensor& places,
              const Inputs& inputs = {});

 private:
  /// Hidden states (…, C) → logits (…, V).
  Tensor decoded(const Tensor& hidden);
};

/// A label for a text: [CLS] through pooler, dropout and a linear map.
struct BertForSequenceClassification : nn::Layer<BertForSequenceClassification> {
  Bert bert;
  nn::Dropout dropout;
  nn::Linear classifier;

  BertForSequenceClassification(const Config& config, int64_t num_labels,
                                Generator& generator = default_generator());

  /// Logits of the labels: (B, T) → (B, num_labels).
  Tensor operator()(const Arg& index, const Inputs& inputs = {}) {
    return Layer::operator()(index, inputs);
  }
  Tensor forward(const Arg& index, const Inputs& inputs = {});
};

}  // namespace tarsier::zoo::bert
