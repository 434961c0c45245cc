#include "zoo/llama/model.h"

namespace tarsier::zoo::llama {

namespace {

constexpr const char* kName = "llama";

const Config& checked(const Config& c) {
  check(c.num_key_value_heads > 0 && c.num_attention_heads > 0 &&
            c.num_attention_heads % c.num_key_value_heads == 0,
        kName, "num_attention_heads ", c.num_attention_heads,
        " must be a multiple of num_key_value_heads ", c.num_key_value_heads);
  const int64_t least = c.rope.kind == Rope::Kind::dynamic ? 4 : 2;
  check(c.head_dim >= least && c.head_dim % 2 == 0, kName, "head_dim ", c.head_dim,
        ": its elements are rotated in pairs, so it must be even, and at least ", least);
  check(c.num_hidden_layers > 0, kName, c.num_hidden_layers, " layers: at least one is needed");
  check(c.windows.empty() || static_cast<int64_t>(c.windows.size()) == c.num_hidden_layers, kName,
        c.windows.size(), " windows for ", c.num_hidden_layers, " layers");
  return c;
}

}  // namespace

Llama::Llama(const Config& config)
    : config(checked(config)),
      model(config),
      lm_head(config.hidden_size, config.vocab_size, /*with_bias=*/false) {
  register_module("model", model);
  register_module("lm_head", lm_head);
  if (config.tie_word_embeddings) lm_head.weight = model.embed_tokens.weight;
}

Tensor Llama::next_logits(const Arg& index, Cache* cache) {
  if (cache != nullptr && cache->empty())
    cache->resize(static_cast<size_t>(config.num_hidden_layers));
  check(cache == nullptr || static_cast<int64_t>(cache->size()) == config.num_hidden_layers, kName,
        "a cache of another model: start each model with an empty cache");
  return lm_head(select(features(index, cache), 1, -1));
}

Tensor Llama::features(const Arg& index, Cache* cache) {
  check(index.dim() == 2 && index.size(1) > 0, kName, "indices of shape ", index.shape(),
        ": (B, T) with 1 token or more expected");
  return model(index, cache);
}

}  // namespace tarsier::zoo::llama
