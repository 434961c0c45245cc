#include "zoo/clip/model.h"

#include <algorithm>
#include <cmath>

#include "nn/init.h"
#include "zoo/captioning/picture_encoder.h"

namespace tarsier::zoo::clip {

namespace {

/// Rows of length 1.
Tensor normalized(const Tensor& x) { return x / norm(x, 2, {-1}, true); }

}  // namespace

Clip::Clip(const Config& config, Generator& random)
    : config(config),
      vision(captioning::picture_encoder(config, config.space), random),
      embedding(config.vocab, config.width),
      positions(nn::input_positions(nn::PositionKind::sinusoidal, 0, config.width)),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.text_layers,
              {.layer = {.dim_feedforward = config.mlp_width,
                         .dropout = config.dropout,
                         .batch_first = true,
                         .norm_first = true},
               .final_norm = true}),
      head(config.width, config.space) {
  register_module("vision", vision);
  register_module("embedding", embedding);
  register_module("positions", *positions);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  register_module("head", head);
  register_parameter("logit_scale", logit_scale, full({}, kStartScale));
  for (const nn::Module* part :
       {static_cast<nn::Module*>(&encoder), static_cast<nn::Module*>(&head)})
    for (const auto& [name, parameter] : part->named_parameters()) {
      if (name.ends_with("bias")) nn::zeros_(parameter);
      if (name.ends_with("weight") && parameter.dim() >= 2)
        nn::xavier_uniform_(parameter, 1, random);
    }
  nn::normal_(embedding.weight, 0, 1 / std::sqrt(static_cast<double>(config.width)), random);
}

Tensor Clip::see(const Arg& images) { return normalized(vision(images)); }

Tensor Clip::read(const Arg& texts, const Tensor& padding) {
  const Tensor x = embedding(texts) * std::sqrt(static_cast<double>(config.width));
  const Tensor y = encoder(dropout((*positions)(x)), {.src_key_padding_mask = padding});
  if (!padding.defined()) return normalized(head(mean(y, 1)));
  const Tensor words = unsqueeze(1 - tarsier::to(padding, y.dtype()), 2);  // (B, T, 1)
  return normalized(head(sum(y * words, {1}) / sum(words, {1})));
}

Tensor Clip::logits(const Tensor& pictures, const Tensor& texts) {
  return exp(logit_scale) * matmul(pictures, transpose(texts, 0, 1));
}

Tensor Clip::forward(const Arg& images, const Tensor& texts, const Tensor& padding,
                     const Tensor& same) {
  return contrastive_loss(logits(see(images), read(texts, padding)), same);
}

void Clip::clamp_scale() {
  const NoGrad no_grad;
  const double s = logit_scale.item();
  const double held = std::clamp(s, kLeastScale, kMostScale);
  if (held != s) nn::constant_(logit_scale, held);
}

Tensor contrastive_loss(const Tensor& logits, const Tensor& same) {
  const auto shared = [](const Tensor& right) { return right / sum(right, {1}, true); };
  return 0.5 * (cross_entropy(logits, shared(same)) +
                cross_entropy(transpose(logits, 0, 1), shared(transpose(same, 0, 1))));
}

}  // namespace tarsier::zoo::clip
