#include "zoo/transformer/model.h"

#include <cmath>

#include "nn/init.h"

namespace tarsier::zoo::transformer {

namespace {

const Config& checked(const Config& config) {
  check(config.heads > 0 && config.width % config.heads == 0, "translator", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  check(config.position == nn::PositionKind::sinusoidal ||
            config.position == nn::PositionKind::learned,
        "translator", "positions must be sinusoidal or learned");
  check(!config.share_embeddings || config.source_vocab == config.target_vocab, "translator",
        "source_vocab=", config.source_vocab, " and target_vocab=", config.target_vocab,
        ": embeddings can only be shared by equal vocabularies");
  return config;
}

}  // namespace

Translator::Translator(const Config& config, Generator& random)
    : config(checked(config)),
      source_embedding(config.source_vocab, config.width),
      target_embedding(config.target_vocab, config.width),
      source_positions(nn::input_positions(config.position, config.max_length, config.width)),
      target_positions(nn::input_positions(config.position, config.max_length, config.width)),
      dropout(config.dropout),
      transformer(config.width, config.heads, config.layers, config.layers,
                  {.dim_feedforward = config.mlp_width,
                   .dropout = config.dropout,
                   .batch_first = true,
                   .norm_first = config.norm_first}),
      generator(config.width, config.target_vocab) {
  register_module("source_embedding", source_embedding);
  register_module("target_embedding", target_embedding);
  register_module("source_positions", *source_positions);
  register_module("target_positions", *target_positions);
  register_module("dropout", dropout);
  register_module("transformer", transformer);
  register_module("generator", generator);
  if (config.tie_embeddings) generator.weight = target_embedding.weight;
  if (config.share_embeddings) source_embedding.weight = target_embedding.weight;
  initialize(random);
}

int64_t Translator::longest() const {
  return config.position == nn::PositionKind::learned ? config.max_length : kNoLimit;
}

void Translator::initialize(Generator& random) {
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2) nn::xavier_uniform_(parameter, 1, random);
  }
  const double deviation = 1 / std::sqrt(static_cast<double>(config.width));
  nn::normal_(source_embedding.weight, 0, deviation, random);
  nn::normal_(target_embedding.weight, 0, deviation, random);
}

Tensor Translator::embedded(const Arg& index, nn::Embedding& embedding,
                            nn::InputPositions& positions, int64_t offset) {
  const Tensor x = embedding(index) * std::sqrt(static_cast<double>(config.width));
  return dropout(positions(x, offset));
}

Tensor Translator::encode(const Arg& source, const Tensor& padding) {
  return transformer.encoder(embedded(source, source_embedding, *source_positions, 0),
                             {.src_key_padding_mask = padding});
}

Tensor Translator::decode(const Arg& target, const Tensor& memory, const Tensor& memory_padding,
                          nn::DecoderCache* cache) {
  // The target's padding is at its end, where no earlier token looks.
  const int64_t offset = cache != nullptr ? cache->length() : 0;
  return transformer.decoder(embedded(target, target_embedding, *target_positions, offset), memory,
                             {.memory_key_padding_mask = memory_padding, .tgt_is_causal = true},
                             cache);
}

Tensor Translator::cross_attention(const Arg& source, const Tensor& padding, const Tensor& target) {
  const Tensor memory = encode(source, padding);
  return transformer.decoder
      .with_weights(embedded(target, target_embedding, *target_positions, 0), memory,
                    {.memory_key_padding_mask = padding, .tgt_is_causal = true})
      .weights.back();
}

}  // namespace tarsier::zoo::transformer
