#include "zoo/text_classifier/text_classifier.h"

#include <cmath>

namespace tarsier::zoo {

namespace {

const TextClassifierConfig& checked(const TextClassifierConfig& config) {
  check(config.heads > 0 && config.width % config.heads == 0, "text_classifier",
        "heads=", config.heads, " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  return config;
}

}  // namespace

TextClassifier::TextClassifier(const TextClassifierConfig& config, Generator& generator)
    : config(checked(config)),
      embedding(config.vocab_size, config.width),
      positions(nn::input_positions(config.position, config.max_length, config.width)),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers,
              {.layer = {.dim_feedforward = config.mlp_width,
                         .dropout = config.dropout,
                         .activation = "gelu",
                         .batch_first = true,
                         .norm_first = true},
               .final_norm = true}),
      head(config.width, config.classes) {
  register_module("embedding", embedding);
  if (positions) register_module("positions", *positions);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  register_module("head", head);
  initialize(generator);
}

void TextClassifier::initialize(Generator& generator) {
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  nn::normal_(embedding.weight, 0, 1 / std::sqrt(static_cast<double>(config.width)), generator);
}

/// What goes into the encoder: (B, T, C).
Tensor TextClassifier::embedded(const Arg& index) {
  check(index.dim() == 2 && index.size(1) <= config.max_length, "text_classifier",
        "indices of shape ", index.shape(), ": (B, T) with T up to max_length ", config.max_length,
        " expected");
  // Embeddings of deviation 1, so that positions (of that size, too) do not drown them.
  Tensor x = embedding(index) * std::sqrt(static_cast<double>(config.width));  // (B, T, C)
  if (positions) x = (*positions)(x);
  return dropout(x);
}

Tensor TextClassifier::text_mean(const Tensor& x, const Tensor& padding) {
  const Tensor seen = unsqueeze(tarsier::to(!padding, x.dtype()), -1);  // (B, T, 1)
  return sum(x * seen, 1) / sum(seen, 1);
}

Tensor TextClassifier::forward(const Arg& index, const Tensor& padding) {
  const Tensor x = encoder(embedded(index), {.src_key_padding_mask = padding});
  const bool first = config.pooling == TextPooling::class_token;
  return head(dropout(first ? select(x, 1, 0) : text_mean(x, padding)));  // (B, classes)
}

Tensor TextClassifier::attention(const Arg& index, const Tensor& padding) {
  const Tensor weights = encoder.with_weights(embedded(index), {.src_key_padding_mask = padding})
                             .weights.back();  // (B, T, T)
  const bool first = config.pooling == TextPooling::class_token;
  return first ? select(weights, 1, 0) : text_mean(weights, padding);
}

}  // namespace tarsier::zoo
