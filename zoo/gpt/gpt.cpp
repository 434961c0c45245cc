#include "zoo/gpt/gpt.h"

#include <cmath>

namespace tarsier::zoo {

namespace {

const GptConfig& checked(const GptConfig& config) {
  check(config.n_head > 0 && config.n_embd % config.n_head == 0, "gpt", "n_head=", config.n_head,
        " does not divide n_embd=", config.n_embd,
        ": every head gets an equal share of the width; take another n_head or n_embd");
  return config;
}

}  // namespace

Gpt::Gpt(const GptConfig& config, Generator& generator)
    : config(checked(config)),
      transformer(config),
      lm_head(config.n_embd, config.vocab_size, /*with_bias=*/false) {
  register_module("transformer", transformer);
  register_module("lm_head", lm_head);
  lm_head.weight = transformer.wte.weight;
  initialize(generator);
}

/// Matrices N(0, 0.02²), biases 0. Each block adds twice to the stream, through its c_proj; these
/// start smaller by √(2·n_layer), so that the stream's size does not grow with the depth.
void Gpt::initialize(Generator& generator) {
  const double std = 0.02;
  const double std_proj = std / std::sqrt(2.0 * static_cast<double>(config.n_layer));
  for (const auto& [name, parameter] : named_parameters()) {
    const bool is_proj = name.ends_with("c_proj.weight");
    if (parameter.dim() >= 2) nn::normal_(parameter, 0, is_proj ? std_proj : std, generator);
    if (name.ends_with("bias")) nn::zeros_(parameter);
  }
}

Tensor Gpt::features(const Arg& index) {
  check(index.dim() == 2 && index.size(1) <= config.block_size, "gpt", "indices of shape ",
        index.shape(), ": (B, T) with T up to block_size ", config.block_size, " expected");
  return transformer(index);
}

}  // namespace tarsier::zoo
