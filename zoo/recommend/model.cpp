#include "zoo/recommend/model.h"

#include "nn/init.h"

namespace tarsier::zoo::recommend {

namespace {

const Config& checked(const Config& config) {
  check(config.heads > 0 && config.width % config.heads == 0, "recommend", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  check(config.items > 0 && config.max_length > 0, "recommend", "items=", config.items,
        " and max_length=", config.max_length, ": expected numbers above 0");
  return config;
}

}  // namespace

SasRec::SasRec(const Config& config, Generator& generator)
    : config(checked(config)),
      embedding(config.items, config.width),
      positions(config.max_length, config.width),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers,
              nn::TransformerStackOptions::pre_norm(config.mlp_width, config.dropout)) {
  register_module("embedding", embedding);
  register_module("positions", positions);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  if (config.pairs > 0)
    register_module("pairs", *(pairs = std::make_unique<PairMemory>(config.items, config.pairs)));
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  for (const Tensor& table : {embedding.weight, positions.weight})
    nn::normal_(table, 0, config.embedding_deviation, generator);
}

Tensor SasRec::embedded(const Arg& index) {
  check(index.dim() == 2 && index.size(1) <= config.max_length, "recommend", "indices of shape ",
        index.shape(), ": expected (B, T) with T up to max_length ", config.max_length);
  return dropout(positions(embedding(index) * config.embedding_scale));
}

Tensor SasRec::forward(const Arg& index, const Tensor& places, const Evidence& evidence) {
  const Tensor x = flatten(encoder(embedded(index), {.is_causal = true}), 0, 1);
  const Tensor scores = embedding.scores(index_select(x, 0, places));  // (N, V)
  return pairs ? (*pairs)(scores, evidence) : scores;
}

Tensor SasRec::attention(const Arg& index) {
  return encoder.with_weights(embedded(index), {.is_causal = true}).weights.back();
}

}  // namespace tarsier::zoo::recommend
