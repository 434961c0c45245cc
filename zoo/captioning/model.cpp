#include "zoo/captioning/model.h"

#include <cmath>

#include "nn/init.h"
#include "zoo/captioning/picture_encoder.h"

namespace tarsier::zoo::captioning {

Captioner::Captioner(const Config& config, Generator& random)
    : config(config),
      vision(picture_encoder(config, 0), random),
      embedding(config.vocab, config.width),
      positions(nn::input_positions(nn::PositionKind::sinusoidal, 0, config.width)),
      dropout(config.dropout),
      decoder(config.width, config.heads, config.decoder_layers,
              {.layer = {.dim_feedforward = config.mlp_width,
                         .dropout = config.dropout,
                         .batch_first = true,
                         .norm_first = true},
               .final_norm = true}),
      generator(config.width, config.vocab) {
  register_module("vision", vision);
  register_module("embedding", embedding);
  register_module("positions", *positions);
  register_module("dropout", dropout);
  register_module("decoder", decoder);
  register_module("generator", generator);
  generator.weight = embedding.weight;
  for (const auto& [name, parameter] : decoder.named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2) nn::xavier_uniform_(parameter, 1, random);
  }
  nn::zeros_(generator.bias);
  nn::normal_(embedding.weight, 0, 1 / std::sqrt(static_cast<double>(config.width)), random);
}

Tensor Captioner::embedded(const Arg& target, int64_t offset) {
  const Tensor x = embedding(target) * std::sqrt(static_cast<double>(config.width));
  return dropout((*positions)(x, offset));
}

Tensor Captioner::decode(const Arg& target, const Tensor& memory, nn::DecoderCache* cache) {
  // The target's padding is at its end, where no earlier word looks.
  return decoder(embedded(target, cache != nullptr ? cache->length() : 0), memory,
                 {.tgt_is_causal = true}, cache);
}

Tensor Captioner::cross_attention(const Arg& images, const Tensor& target) {
  return decoder.with_weights(embedded(target, 0), see(images), {.tgt_is_causal = true})
      .weights.back();
}

}  // namespace tarsier::zoo::captioning
