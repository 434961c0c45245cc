#pragma once
// Decoders of Llama's family: Llama, Mistral, Qwen2, Qwen3, SmolLM. A GPT (zoo/gpt/model.h) with
// other parts:
//
//   rotary positions (rope.h)   in place of learned ones
//   RMSNorm                     in place of layer norm
//   grouped queries             Hkv key heads serve H query heads
//   down(act(gate(x)) · up(x))  in place of an MLP of two layers
//   a sliding window            in the layers that have one, a query sees only the last keys
// Names of weights and sizes are transformers'.
// Sources: Touvron et al. 2023, "LLaMA: open and efficient foundation language models"; Jiang et
// al. 2023, "Mistral 7B"; Yang et al. 2024, 2025, "Qwen2", "Qwen3 technical report"
//
// B batch, T time, C width, H heads, Hkv key heads, D head size, V vocabulary.

#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "../../nn/layers/heads.h"
#include "../../nn/layers/kv_cache.h"
#include "../../nn/nn.h"
#include "rope.h"

namespace tarsier::zoo::llama {

struct Config {
  int64_t vocab_size = 32000;         ///< V
  int64_t hidden_size = 4096;         ///< C
  int64_t intermediate_size = 11008;  ///< the width inside the MLP
  int64_t num_hidden_layers = 32;
  int64_t num_attention_heads = 32;  ///< H
  int64_t num_key_value_heads = 32;  ///< Hkv
  int64_t head_dim = 128;            ///< D
  double rms_norm_eps = 1e-6;
  nn::Activation hidden_act = "silu";
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  bool qk_norm = false;  ///< RMSNorm of every query and key, as Qwen3
  /// How many keys a query sees in each layer, its own included; none: all. Empty: all in all.
  std::vector<std::optional<int64_t>> windows = {};
  bool tie_word_embeddings = false;
  Rope rope = {};
};

/// The keys and values of the tokens that a Llama has seen, one cache per layer.
using Cache = std::vector<nn::KVCache>;

/// softmax(QKᵀ/√D + mask)·V with rotated queries and keys: (B, T, C) → (B, T, C). Query head h has
/// key head ⌊h·Hkv/H⌋.
struct Attention : nn::Layer<Attention> {
  const Config config;
  const int64_t reach;  ///< how many keys before its own a query sees
  nn::Linear q_proj, k_proj, v_proj, o_proj;
  std::optional<nn::RMSNorm> q_norm, k_norm;  ///< over D

  Attention(const Config& c, int64_t layer)
      : config(c),
        reach(reach_of(c, layer)),
        q_proj(c.hidden_size, c.num_attention_heads * c.head_dim, c.qkv_bias),
        k_proj(c.hidden_size, c.num_key_value_heads * c.head_dim, c.qkv_bias),
        v_proj(c.hidden_size, c.num_key_value_heads * c.head_dim, c.qkv_bias),
        o_proj(c.num_attention_heads * c.head_dim, c.hidden_size, c.o_bias) {
    register_module("q_proj", q_proj);
    register_module("k_proj", k_proj);
    register_module("v_proj", v_proj);
    register_module("o_proj", o_proj);
    if (!c.qk_norm) return;
    register_module("q_norm", q_norm.emplace(c.head_dim, c.rms_norm_eps));
    register_module("k_norm", k_norm.emplace(c.head_dim, c.rms_norm_eps));
  }

  /// cos and sin (T, D/2) belong to the tokens of x. With a `cache`, x follows the tokens in it.
  Tensor forward(const Arg& x, const Tensor& cos, const Tensor& sin, nn::KVCache* cache) {
    const int64_t B = x.size(0), T = x.size(1), Hkv = config.num_key_value_heads;
    Tensor q = nn::split_heads(q_proj(x), config.num_attention_heads);
    Tensor k = nn::split_heads(k_proj(x), Hkv), v = nn::split_heads(v_proj(x), Hkv);
    if (q_norm) {
      q = (*q_norm)(q);
      k = (*k_norm)(k);
    }
    q = rotary_embedding(q, cos, sin);
    k = rotary_embedding(k, cos, sin);
    const int64_t before = cache != nullptr ? cache->length() : 0;
    if (cache != nullptr) std::tie(k, v) = cache->append(k, v);
    // Every key head is expanded over its group of query heads, without copies.
    q = reshape(q, {B, Hkv, config.num_attention_heads / Hkv, T, config.head_dim});
    const Tensor y = local_attention(q, unsqueeze(k, 2), unsqueeze(v, 2),
                                     {.left = reach, .right = 0, .offset = before});
    return o_proj(nn::join_heads(flatten(y, 1, 2)));
  }

 private:
  static int64_t reach_of(const Config& c, int64_t layer) {
    const auto i = static_cast<size_t>(layer);
    return i < c.windows.size() && c.windows[i] ? *c.windows[i] - 1 : AttentionWindow::kUnlimited;
  }
};

/// down(act(gate(x)) · up(x)): (B, T, C) → (B, T, C).
/// Source: Shazeer 2020, "GLU variants improve Transformer".
struct Mlp : nn::Layer<Mlp> {
  nn::Linear gate_proj, up_proj, down_proj;
  nn::Activation act;

  explicit Mlp(const Config& c)
      : gate_proj(c.hidden_size, c.intermediate_size, c.mlp_bias),
        up_proj(c.hidden_size, c.intermediate_size, c.mlp_bias),
        down_proj(c.intermediate_size, c.hidden_size, c.mlp_bias),
        act(c.hidden_act) {
    register_module("gate_proj", gate_proj);
    register_module("up_proj", up_proj);
    register_module("down_proj", down_proj);
  }

  Tensor forward(const Arg& x) { return down_proj(act(gate_proj(x)) * up_proj(x)); }
};

/// x + attention(norm(x)), then x + mlp(norm(x)).
struct Block : nn::Layer<Block> {
  nn::RMSNorm input_layernorm;
  Attention self_attn;
  nn::RMSNorm post_attention_layernorm;
  Mlp mlp;

  Block(const Config& c, int64_t layer)
      : input_layernorm(c.hidden_size, c.rms_norm_eps),
        self_attn(c, layer),
        post_attention_layernorm(c.hidden_size, c.rms_norm_eps),
        mlp(c) {
    register_module("input_layernorm", input_layernorm);
    register_module("self_attn", self_attn);
    register_module("post_attention_layernorm", post_attention_layernorm);
    register_module("mlp", mlp);
  }

  Tensor forward(const Arg& x, const Tensor& cos, const Tensor& sin, nn::KVCache* cache) {
    const Tensor seen = x + self_attn(input_layernorm(x), cos, sin, cache);
    return seen + mlp(post_attention_layernorm(seen));
  }
};

/// Embedding, blocks, and the last norm: (B, T) i64 → (B, T, C).
struct Body : nn::Layer<Body> {
  const Config config;
  nn::Embedding embed_tokens;
  nn::ModuleList<Block> layers;
  nn::RMSNorm norm;

  explicit Body(const Config& c)
      : config(c), embed_tokens(c.vocab_size, c.hidden_size), norm(c.hidden_size, c.rms_norm_eps) {
    for (int64_t i = 0; i < c.num_hidden_layers; ++i) layers.emplace_back(c, i);
    register_module("embed_tokens", embed_tokens);
    register_module("layers", layers);
    register_module("norm", norm);
  }

  /// With a `cache`, the indices follow the tokens in it.
  Tensor forward(const Arg& index, Cache* cache = nullptr) {
    Tensor x = embed_tokens(index);
    const int64_t before = cache != nullptr ? cache->front().position() : 0;
    const auto [cos, sin] =
        rotation(config.rope, config.head_dim, index.size(1), before, x.dtype());
    for (int64_t i = 0; i < layers.size(); ++i)
      x = layers[i](x, cos, sin, cache != nullptr ? &(*cache)[static_cast<size_t>(i)] : nullptr);
    return norm(x);
  }
};

/// The whole model.
struct Llama : nn::Layer<Llama> {
  const Config config;
  Body model;
  nn::Linear lm_head;

  /// Throws Error("llama") for sizes that do not fit together: heads that key heads do not divide,
  /// an odd head_dim, a count of windows that is not that of the layers.
  explicit Llama(const Config& config);

  /// Logits of the next token at every position: (B, T) i64 → (B, T, V).
  /// Throws Error("llama") for other shapes.
  Tensor forward(const Arg& index) { return lm_head(features(index)); }

  /// Logits of the token after the last position: (B, T) i64 → (B, V). With a `cache`, the indices
  /// follow the tokens in it and are added to it; only they are computed. Start with an empty
  /// Cache, and call it under NoGrad. With rope of the kind dynamic, the earlier tokens keep the
  /// angles that they had when they were added.
  Tensor next_logits(const Arg& index, Cache* cache = nullptr);

 private:
  Tensor features(const Arg& index, Cache* cache = nullptr);
};

}  // namespace tarsier::zoo::llama
