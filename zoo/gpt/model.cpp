#include "zoo/gpt/model.h"

#include <cmath>

#include "nn/init.h"
#include "zoo/base/format.h"
#include "zoo/base/machine.h"
#include "zoo/gpt/adapter.h"

namespace tarsier::zoo::gpt {

namespace {

/// Refuses a model that cannot fit: making it would first fill the memory of the machine, for
/// minutes.
void check_memory(const Config& config) {
  const auto width = static_cast<double>(config.n_embd);
  const double weights = 12 * static_cast<double>(config.n_layer) * width * width +
                         static_cast<double>(config.vocab_size + config.block_size) * width;
  const double have = machine_memory();
  const double needed = weights * sizeof(float);
  check(needed <= have, "memory", "the weights alone take ", fixed(needed / 1e9, 1),
        " GB, and this machine has ", fixed(have / 1e9, 1),
        " GB: use a smaller model (--set n_layer, n_embd)");
}

const Config& checked(const Config& config) {
  check(config.n_head > 0 && config.n_embd % config.n_head == 0, "gpt", "n_head=", config.n_head,
        " does not divide n_embd=", config.n_embd,
        ": every head gets an equal share of the width; take another n_head or n_embd");
  check(config.n_layer > 0, "gpt", "n_layer=", config.n_layer, ": at least one is needed");
  check_adapters(config);
  check_memory(config);
  return config;
}

}  // namespace

Gpt::Gpt(const Config& config, Generator& generator)
    : config(checked(config)),
      transformer(config),
      lm_head(config.n_embd, config.vocab_size, /*with_bias=*/false) {
  register_module("transformer", transformer);
  register_module("lm_head", lm_head);
  if (config.tied) lm_head.weight = transformer.wte.weight;
  initialize(generator);
  if (config.lora.r > 0) nn::train_only_lora(*this);
}

/// Matrices N(0, 0.02²), biases 0. Each block adds to the stream twice, through its c_proj; these
/// start smaller by √(2·n_layer), so that the size of the stream does not grow with the depth.
void Gpt::initialize(Generator& generator) {
  const double std = 0.02;
  // Not 0: the weights before c_proj would get no gradient.
  const double std_proj =
      std / std::sqrt(2.0 * static_cast<double>(config.n_layer)) * (config.quiet_start ? 0.01 : 1);
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.find(".lora_") != name.npos) {
      if (name.ends_with("lora_A.weight"))
        nn::kaiming_uniform_(parameter, std::sqrt(5), "fan_in", "leaky_relu", generator);
      continue;  // lora_B stays 0
    }
    const bool is_proj = name.ends_with("c_proj.weight");
    if (parameter.dim() >= 2) nn::normal_(parameter, 0, is_proj ? std_proj : std, generator);
    if (name.ends_with("bias")) nn::zeros_(parameter);
  }
}

Tensor Gpt::next_logits(const Arg& index, Cache& cache) {
  check(!is_training(), "gpt", "the model is training: call eval() before decoding with a cache");
  if (cache.empty()) cache.resize(static_cast<size_t>(config.n_layer));
  check(static_cast<int64_t>(cache.size()) == config.n_layer, "gpt", "a cache of ", cache.size(),
        " layers for a model of ", config.n_layer, ": start each model with an empty cache");
  return lm_head(select(features(index, &cache), 1, -1));
}

std::vector<Tensor> Gpt::attention(const Arg& index) {
  const NoGrad no_grad;
  check(!is_training(), "gpt", "the model is training: call eval() before attention()");
  std::vector<Tensor> weights;
  Tensor x = transformer.embed(index, 0);
  for (Block& block : transformer.h) {
    weights.push_back(block.attn.weights(block.ln_1(x)));
    x = block(x);
  }
  return weights;
}

Tensor Gpt::features(const Arg& index, Cache* cache) {
  const int64_t before = cache != nullptr ? cache->front().length() : 0;
  const bool has_end = !config.is_relative();
  const bool fits = index.dim() == 2 && index.size(1) > 0 &&
                    (!has_end || before + index.size(1) <= config.block_size);
  if (!fits)  // not check(), which would write the parts of the text every time
    fail("gpt", "indices of shape ", index.shape(),
         before > 0 ? concat(" after ", before, " in the cache") : "", ": (B, T) with 1 to ",
         has_end ? concat("block_size ", config.block_size) : "any number of", " tokens expected");
  const Tensor x = transformer(index, cache);
  // Drops what no later token will see; not at every token, because that moves the others.
  if (cache != nullptr && cache->front().length() >= 2 * config.block_size)
    for (nn::KVCache& layer : *cache) layer.keep_last(config.block_size - 1);
  return x;
}

}  // namespace tarsier::zoo::gpt
