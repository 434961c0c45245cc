#pragma once
// GPT: a Transformer that predicts the next character from those before it.
//
//   index (B, T)  →  token + position embedding  →  n_layer blocks  →  layer norm  →  logits (B, T,
//   V)
//
// A block lets every position look back at earlier ones (attention), then thinks about what it saw
// (MLP); both add to a stream of width C that runs from bottom to top. Sizes, initialisation and
// the names of the weights are nanoGPT's, so its checkpoints load here and ours there.
// Sources: Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019;
// https://github.com/karpathy/nanoGPT/blob/master/model.py
//
// B batch, T time (context), C width, H heads, D = C/H head size, V vocabulary.

#include <vector>

#include "nn/kv_cache.h"
#include "nn/nn.h"

namespace tarsier::zoo {

struct GptConfig {
  int64_t vocab_size = 65;  ///< V
  int64_t block_size = 64;  ///< the longest T that the position embedding knows
  int64_t n_layer = 4;
  int64_t n_head = 4;    ///< H
  int64_t n_embd = 128;  ///< C
  double dropout = 0;
  /// Biases in linear layers and layer norms: GPT-2 has them, without is faster.
  bool bias = false;
  nn::Activation activation = "gelu";  ///< in the MLP; GPT-2 has "gelu_tanh"
  double layer_norm_eps = 1e-5;
  bool tied = true;  ///< one matrix as token embedding and as output layer
};

/// The keys and values of the tokens that a Gpt has seen, layer by layer (nn/kv_cache.h).
using GptCache = std::vector<nn::KVCache>;

/// softmax(QKᵀ/√D + causal mask)·V in H heads side by side: (B, T, C) → (B, T, C).
/// Q, K and V come from one matrix product. Source: Vaswani et al., 2017.
struct CausalSelfAttention : nn::Layer<CausalSelfAttention> {
  nn::Linear c_attn;  ///< x → [Q K V]
  nn::Linear c_proj;
  nn::Dropout resid_dropout;
  int64_t n_head;
  double attn_dropout;

  explicit CausalSelfAttention(const GptConfig& config)
      : c_attn(config.n_embd, 3 * config.n_embd, config.bias),
        c_proj(config.n_embd, config.n_embd, config.bias),
        resid_dropout(config.dropout),
        n_head(config.n_head),
        attn_dropout(config.dropout) {
    register_module("c_attn", c_attn);
    register_module("c_proj", c_proj);
    register_module("resid_dropout", resid_dropout);
  }

  /// With a `cache`, x is what follows the tokens in there, and joins them.
  Tensor forward(const Arg& x, nn::KVCache* cache = nullptr) {
    const int64_t B = x.size(0), T = x.size(1), C = x.size(2), D = C / n_head;
    const auto heads = [&](const Tensor& part) {  // (B, T, C) → (B, H, T, D)
      return transpose(reshape(part, {B, T, n_head, D}), 1, 2);
    };
    const std::vector<Tensor> qkv = chunk(c_attn(x), 3, 2);
    const Tensor q = heads(qkv[0]), k = heads(qkv[1]), v = heads(qkv[2]);
    const Tensor y = cache != nullptr ? attend_cached(q, k, v, *cache)
                                      : scaled_dot_product_attention(
                                            q, k, v, /*mask=*/{}, is_training() ? attn_dropout : 0,
                                            /*is_causal=*/true);
    return resid_dropout(c_proj(reshape(transpose(y, 1, 2), {B, T, C})));
  }

 private:
  /// Query i stands behind all tokens that the cache held before, and sees them, too.
  static Tensor attend_cached(const Arg& q, const Tensor& k, const Tensor& v, nn::KVCache& cache) {
    const int64_t before = cache.length();
    const auto [keys, values] = cache.append(k, v);
    return local_attention(q, keys, values, {.right = 0, .offset = before});
  }
};

/// activation(x·W)·U, four times as wide inside: (B, T, C) → (B, T, C).
struct Mlp : nn::Layer<Mlp> {
  nn::Linear c_fc;
  nn::Linear c_proj;
  nn::Dropout dropout;
  nn::Activation activation;

  explicit Mlp(const GptConfig& config)
      : c_fc(config.n_embd, 4 * config.n_embd, config.bias),
        c_proj(4 * config.n_embd, config.n_embd, config.bias),
        dropout(config.dropout),
        activation(config.activation) {
    register_module("c_fc", c_fc);
    register_module("c_proj", c_proj);
    register_module("dropout", dropout);
  }

  Tensor forward(const Arg& x) { return dropout(c_proj(activation(c_fc(x)))); }
};

/// x + attention(norm(x)), then x + mlp(norm(x)). The norm stands before each part, not after: the
/// stream itself stays untouched, which makes deep stacks easier to train (Xiong et al., 2020).
struct Block : nn::Layer<Block> {
  nn::LayerNorm ln_1;
  CausalSelfAttention attn;
  nn::LayerNorm ln_2;
  Mlp mlp;

  explicit Block(const GptConfig& config)
      : ln_1(config.n_embd, config.layer_norm_eps, true, config.bias),
        attn(config),
        ln_2(config.n_embd, config.layer_norm_eps, true, config.bias),
        mlp(config) {
    register_module("ln_1", ln_1);
    register_module("attn", attn);
    register_module("ln_2", ln_2);
    register_module("mlp", mlp);
  }

  Tensor forward(const Arg& x, nn::KVCache* cache = nullptr) {
    const Tensor seen = x + attn(ln_1(x), cache);
    return seen + mlp(ln_2(seen));
  }
};

/// Embeddings, blocks, and the last norm: (B, T) i64 → (B, T, C).
struct GptBody : nn::Layer<GptBody> {
  nn::Embedding wte;  ///< what a character means
  nn::Embedding wpe;  ///< what a position means
  nn::Dropout drop;
  nn::ModuleList<Block> h;
  nn::LayerNorm ln_f;

  explicit GptBody(const GptConfig& config)
      : wte(config.vocab_size, config.n_embd),
        wpe(config.block_size, config.n_embd),
        drop(config.dropout),
        h(config.n_layer, config),
        ln_f(config.n_embd, config.layer_norm_eps, true, config.bias) {
    register_module("wte", wte);
    register_module("wpe", wpe);
    register_module("drop", drop);
    register_module("h", h);
    register_module("ln_f", ln_f);
  }

  /// With a `cache`, the indices follow the tokens in there.
  Tensor forward(const Arg& index, GptCache* cache = nullptr) {
    const int64_t before = cache != nullptr ? cache->front().length() : 0;
    const Tensor position = arange(before, before + index.size(1));
    Tensor x = drop(wte(index) + wpe(position));
    for (int64_t i = 0; i < h.size(); ++i)
      x = h[i](x, cache != nullptr ? &(*cache)[static_cast<size_t>(i)] : nullptr);
    return ln_f(x);
  }
};

/// The whole model. One matrix serves as token embedding and as output layer (Press & Wolf, 2017),
/// unless `tied` is false.
struct Gpt : nn::Layer<Gpt> {
  GptConfig config;
  GptBody transformer;
  nn::Linear lm_head;

  /// Initialised with numbers from `generator`. Throws Error("gpt") where n_head does not divide
  /// n_embd, or there is no layer.
  explicit Gpt(const GptConfig& config, Generator& generator = default_generator());

  /// Logits of the next character at every position: (B, T) i64 → (B, T, V).
  /// Throws Error("gpt") where T is more than block_size.
  Tensor forward(const Arg& index) { return lm_head(features(index)); }

  /// Logits of what follows the last position: (B, T) i64 → (B, V). All that generating needs.
  Tensor next_logits(const Arg& index) { return lm_head(select(features(index), 1, -1)); }
  /// The same for index (B, T) that follow the tokens in `cache`, and join them there: only they
  /// are computed. Begin with an empty GptCache; it takes block_size tokens at most. Under NoGrad
  /// and in eval() alone. Throws Error("gpt") for a cache of another model, or one that is full.
  Tensor next_logits(const Arg& index, GptCache& cache);

  /// Mean cross-entropy of `targets` (B, T) i64, in nats per character.
  Tensor loss(const Arg& index, const Tensor& targets) {
    return cross_entropy(flatten((*this)(index), 0, 1), flatten(targets));
  }

 private:
  Tensor features(const Arg& index, GptCache* cache = nullptr);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo
