#include "zoo/bert/model.h"

#include "nn/init.h"

namespace tarsier::zoo::bert {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  for (const int64_t size :
       {config.vocab_size, config.hidden_size, config.num_hidden_layers, config.num_attention_heads,
        config.intermediate_size, config.max_position_embeddings})
    check(size > 0, "bert", "a size is ", size, ": all must be positive");
  check(config.type_vocab_size >= 0, "bert", "type_vocab_size=", config.type_vocab_size,
        ": expected the number of token types, 0 for none");
  check(config.hidden_size % config.num_attention_heads == 0, "bert",
        "num_attention_heads=", config.num_attention_heads,
        " does not divide hidden_size=", config.hidden_size,
        ": every head gets an equal share of the width");
  return config;
}

/// Matrices N(0, initializer_range²), biases 0; norms stay at 1 and 0.
void initialize(const nn::Module& model, const Config& config, Generator& generator) {
  for (const auto& [name, parameter] : model.named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (parameter.dim() == 2) nn::normal_(parameter, 0, config.initializer_range, generator);
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------- body

Bert::Bert(const Config& config, bool with_pooler, Generator& generator)
    : config(checked(config)),
      word_embeddings(config.vocab_size, config.hidden_size),
      position_embeddings(config.max_position_embeddings, config.hidden_size),
      embedding_norm(config.hidden_size, config.layer_norm_eps),
      dropout(config.dropout),
      encoder(config.hidden_size, config.num_attention_heads, config.num_hidden_layers,
              {.layer = {.dim_feedforward = config.intermediate_size,
                         .dropout = config.dropout,
                         .activation = config.hidden_act,
                         .layer_norm_eps = config.layer_norm_eps,
                         .batch_first = true}}) {
  register_module("word_embeddings", word_embeddings);
  register_module("position_embeddings", position_embeddings);
  if (config.type_vocab_size > 0)
    register_module("token_type_embeddings",
                    token_type_embeddings.emplace(config.type_vocab_size, config.hidden_size));
  register_module("embedding_norm", embedding_norm);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  if (with_pooler) register_module("pooler", pooler.emplace(config.hidden_size));
  initialize(*this, config, generator);
}

Tensor Bert::embedded(const Arg& index, const Inputs& inputs) {
  const auto& [padding_mask, token_types] = inputs;
  check(index.dim() == 2 && index.size(1) > 0 && index.size(1) <= config.max_position_embeddings,
        "bert", "indices of shape ", index.shape(), ": expected (batch, T) with T from 1 to ",
        config.max_position_embeddings, ", max_position_embeddings");
  for (const Tensor* given : {&padding_mask, &token_types})
    check(!given->defined() || given->shape() == index.shape(), "bert",
          given == &padding_mask ? "padding_mask" : "token_types", " of shape ",
          given->defined() ? given->shape() : Shape{}, ": expected that of the indices, ",
          index.shape());
  check(!padding_mask.defined() || padding_mask.dtype() == boolean, "bert",
        "the padding_mask must be bool, true at the padding: attention_mask == 0");

  check(token_type_embeddings || !token_types.defined(), "bert",
        "token_types are given, but type_vocab_size is 0: the model has no token types");

  Tensor x = word_embeddings(index) + position_embeddings(arange(index.size(1)));
  if (token_type_embeddings)
    x = x + (*token_type_embeddings)(token_types.defined() ? token_types : zeros_like(index));
  return dropout(embedding_norm(x));
}

Tensor Bert::forward(const Arg& index, const Inputs& inputs) {
  return encoder(embedded(index, inputs), {.src_key_padding_mask = inputs.padding_mask});
}

std::vector<Tensor> Bert::attention(const Arg& index, const Inputs& inputs) {
  return encoder
      .with_weights(embedded(index, inputs), {.src_key_padding_mask = inputs.padding_mask},
                    /*average_weights=*/false)
      .weights;
}

// ------------------------------------------------------------------------------------------ heads

BertForMaskedLM::BertForMaskedLM(const Config& config, Generator& generator)
    : bert(config, /*with_pooler=*/false, generator),
      transform(config.hidden_size, config.hidden_size),
      transform_norm(config.hidden_size, config.layer_norm_eps),
      decoder(config.hidden_size, config.vocab_size) {
  register_module("bert", bert);
  register_module("transform", transform);
  register_module("transform_norm", transform_norm);
  register_module("decoder", decoder);
  if (config.tie_word_embeddings) {
    decoder.weight = bert.word_embeddings.weight;
  } else {
    initialize(decoder, config, generator);
  }
  initialize(transform, config, generator);
  nn::zeros_(decoder.bias);
}

Tensor BertForMaskedLM::decoded(const Tensor& hidden) {
  return decoder(transform_norm(bert.config.hidden_act(transform(hidden))));
}

Tensor BertForMaskedLM::forward(const Arg& index, const Inputs& inputs) {
  return decoded(bert(index, inputs));
}

Tensor BertForMaskedLM::logits_at(const Arg& index, const Tensor& places, const Inputs& inputs) {
  return scoped([&] {
    const Tensor hidden = flatten(bert(index, inputs), 0, 1);  // (B·T, C)
    return decoded(index_select(hidden, 0, places));           // (M, V)
  });
}

Tensor BertForMaskedLM::loss(const Arg& index, const Tensor& targets, const Tensor& places,
                             const Inputs& inputs) {
  check(targets.shape() == index.shape(), "bert", "targets of shape ", targets.shape(),
        ": expected that of the indices, ", index.shape());
  return cross_entropy(logits_at(index, places, inputs), index_select(flatten(targets), 0, places));
}

BertForSequenceClassification::BertForSequenceClassification(const Config& config,
                                                             int64_t num_labels,
                                                             Generator& generator)
    : bert(config, /*with_pooler=*/true, generator),
      dropout(config.dropout),
      classifier(config.hidden_size, num_labels) {
  register_module("bert", bert);
  register_module("dropout", dropout);
  register_module("classifier", classifier);
  initialize(classifier, config, generator);
}

Tensor BertForSequenceClassification::forward(const Arg& index, const Inputs& inputs) {
  const Tensor hidden = bert(index, inputs);  // (B, T, C)
  return classifier(dropout((*bert.pooler)(hidden)));
}

}  // namespace tarsier::zoo::bert
