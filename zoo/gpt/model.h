#pragma once
// GPT: a Transformer that predicts the next token from those before it.
//
//   index (B, T)  →  token + position embedding  →  n_layer blocks  →  norm  →  logits (B, T, V)
//
// In a block every position looks at itself and earlier ones (attention), then processes what it
// saw (MLP); both add to a stream of width C that runs from bottom to top. Sizes, initialisation
// and the names of the weights are nanoGPT's: its checkpoints load here, and ours there. Options
// replace parts by those of later models: rotary positions, RMSNorm, SwiGLU.
// Sources: Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019;
// https://github.com/karpathy/nanoGPT/blob/master/model.py
//
// B batch, T time (context), C width, H heads, D = C/H head size, V vocabulary.

#include <cmath>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "../../nn/checkpoint.h"
#include "../../nn/layers/heads.h"
#include "../../nn/layers/kv_cache.h"
#include "../../nn/nn.h"
#include "config.h"

namespace tarsier::zoo::gpt {

/// The keys and values of the tokens that a Gpt has seen, one cache per layer.
using Cache = std::vector<nn::KVCache>;

/// Layer norm or RMSNorm over the last dimension: (…, C) → (…, C).
struct Norm : nn::Layer<Norm> {
  Tensor weight, bias;  ///< (C)
  const bool rms;
  const double eps;

  explicit Norm(const Config& config) : rms(config.rms_norm), eps(config.layer_norm_eps) {
    const bool with_bias = config.bias && !rms;
    register_parameter("weight", weight, ones({config.n_embd}));
    register_parameter("bias", bias, with_bias ? zeros({config.n_embd}) : Tensor());
  }

  Tensor forward(const Arg& x) {
    return rms ? rms_norm(x, weight, eps) : layer_norm(x, weight, bias, eps);
  }
};

/// softmax(QKᵀ/√D + mask)·V in H parallel heads: (B, T, C) → (B, T, C). The mask lets every
/// position see itself and the block_size − 1 before it.
/// Q, K and V come from one matrix product. Source: Vaswani et al., 2017.
struct CausalSelfAttention : nn::Layer<CausalSelfAttention> {
  nn::LoraLinear c_attn;  ///< x → [Q K V]
  nn::LoraLinear c_proj;
  nn::Dropout resid_dropout;
  std::optional<nn::RotaryEmbedding> rotary;
  const Config config;

  explicit CausalSelfAttention(const Config& c)
      : c_attn(c.n_embd, 3 * c.n_embd, c.bias, c.lora_of("c_attn")),
        c_proj(c.n_embd, c.n_embd, c.bias, c.lora_of("c_proj")),
        resid_dropout(c.dropout),
        config(c) {
    register_module("c_attn", c_attn);
    register_module("c_proj", c_proj);
    register_module("resid_dropout", resid_dropout);
    if (config.position == nn::PositionKind::rotary)
      register_module("rotary", rotary.emplace(config.n_embd / config.n_head));
  }

  /// With a `cache`, x follows the tokens in it, and is added to them.
  Tensor forward(const Arg& x, nn::KVCache* cache = nullptr) {
    auto [q, k, v] = heads(x, cache != nullptr ? cache->position() : 0);
    const int64_t before = cache != nullptr ? cache->length() : 0;
    if (cache != nullptr) std::tie(k, v) = cache->append(k, v);
    const Tensor y = attend(q, k, v, before);
    return resid_dropout(c_proj(nn::join_heads(y)));
  }

  /// The attention weights, i.e. the softmax alone: attention with the identity matrix as values
  /// returns them. (B, T, C) → (B, H, T, T).
  Tensor weights(const Arg& x) {
    const auto [q, k, v] = heads(x, 0);
    const int64_t T = x.size(1);
    return attend(q, k, expand(eye(T, x.dtype()), {x.size(0), config.n_head, T, T}), 0);
  }

 private:
  struct Heads {
    Tensor q, k, v;  // (B, H, T, D)
  };
  /// Token 0 of x stands at `position`.
  Heads heads(const Arg& x, int64_t position) {
    const std::vector<Tensor> qkv = chunk(c_attn(x), 3, 2);
    Tensor q = nn::split_heads(qkv[0], config.n_head), k = nn::split_heads(qkv[1], config.n_head);
    if (config.qk_norm) {
      q = rms_norm(q);
      k = rms_norm(k);
    }
    if (rotary) {
      q = (*rotary)(q, position);
      k = (*rotary)(k, position);
    }
    return {q, k, nn::split_heads(qkv[2], config.n_head)};
  }

  /// Query i stands at key i + before.
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, int64_t before) {
    const Tensor distance =
        config.position == nn::PositionKind::alibi
            ? nn::alibi_bias(config.n_head, q.size(2), k.size(2), before, q.dtype())
            : Tensor();
    return local_attention(q, k, v, {.left = config.block_size - 1, .right = 0, .offset = before},
                           distance, is_training() ? config.dropout : 0);
  }
};

/// activation(x·W)·U, or with SwiGLU (silu(x·W) · (x·V))·U: (B, T, C) → (B, T, C).
struct Mlp : nn::Layer<Mlp> {
  nn::LoraLinear c_fc;  ///< x → x·W, or with SwiGLU [x·V x·W]
  nn::LoraLinear c_proj;
  nn::Dropout dropout;
  nn::Activation activation;

  explicit Mlp(const Config& config)
      : c_fc(config.n_embd, (config.swiglu ? 2 : 1) * config.mlp_width(), config.bias,
             config.lora_of("c_fc")),
        c_proj(config.mlp_width(), config.n_embd, config.bias, config.lora_of("c_proj")),
        dropout(config.dropout),
        activation(config.activation) {
    if (config.swiglu) activation = {[](const Arg& x) { return nn::SwiGLU()(x); }, "swiglu"};
    register_module("c_fc", c_fc);
    register_module("c_proj", c_proj);
    register_module("dropout", dropout);
  }

  Tensor forward(const Arg& x) { return dropout(c_proj(activation(c_fc(x)))); }
};

/// x + attention(norm(x)), then x + mlp(norm(x)). The norm comes before each part, not after: the
/// stream itself is never normalised, which makes deep stacks easier to train (Xiong et al., 2020).
struct Block : nn::Layer<Block> {
  Norm ln_1;
  CausalSelfAttention attn;
  Norm ln_2;
  Mlp mlp;

  explicit Block(const Config& config) : ln_1(config), attn(config), ln_2(config), mlp(config) {
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
struct Body : nn::Layer<Body> {
  nn::Embedding wte;                        ///< what a token means
  std::unique_ptr<nn::InputPositions> wpe;  ///< what a position means; null if attention encodes it
  nn::Dropout drop;
  nn::ModuleList<Block> h;
  Norm ln_f;
  const double scale;  ///< of token embeddings: √C with sinusoidal positions (Vaswani et al., 3.4)
  const bool checkpoint;

  explicit Body(const Config& config)
      : wte(config.vocab_size, config.n_embd),
        wpe(nn::input_positions(config.position, config.block_size, config.n_embd)),
        drop(config.dropout),
        h(config.n_layer, config),
        ln_f(config),
        scale(config.position == nn::PositionKind::sinusoidal
                  ? std::sqrt(static_cast<double>(config.n_embd))
                  : 1),
        checkpoint(config.checkpoint) {
    register_module("wte", wte);
    if (wpe) register_module("wpe", *wpe);
    register_module("drop", drop);
    register_module("h", h);
    register_module("ln_f", ln_f);
  }

  /// (B, T) → (B, T, C), where token 0 stands at `position`.
  Tensor embed(const Arg& index, int64_t position) {
    Tensor x = wte(index);
    if (scale != 1) x = x * scale;
    return drop(wpe ? (*wpe)(x, position) : x);
  }

  /// With a `cache`, the indices follow the tokens in it.
  Tensor forward(const Arg& index, Cache* cache = nullptr) {
    Tensor x = embed(index, cache != nullptr ? cache->front().position() : 0);
    for (int64_t i = 0; i < h.size(); ++i) {
      nn::KVCache* const seen = cache != nullptr ? &(*cache)[static_cast<size_t>(i)] : nullptr;
      // Not the last one: backward begins with it, while the others keep nothing yet.
      const bool again = checkpoint && i + 1 < h.size();
      x = again ? nn::checkpoint(h[i], x, seen) : h[i](x, seen);
    }
    return ln_f(x);
  }
};

/// The whole model. One matrix serves as token embedding and as output layer (Press & Wolf, 2017),
/// unless `tied` is false.
struct Gpt : nn::Layer<Gpt> {
  Config config;
  Body transformer;
  nn::Linear lm_head;

  /// Initialised with numbers from `generator`. Throws Error("gpt") if n_head does not divide
  /// n_embd or there is no layer, and Error("memory") if the machine cannot hold the weights.
  explicit Gpt(const Config& config, Generator& generator = default_generator());

  /// Logits of the next token at every position: (B, T) i64 → (B, T, V).
  /// Throws Error("gpt") if T is more than block_size, unless positions are relative.
  Tensor forward(const Arg& index) { return lm_head(features(index)); }

  /// Logits of the token after the last position: (B, T) i64 → (B, V). All that generation needs.
  Tensor next_logits(const Arg& index) { return lm_head(select(features(index), 1, -1)); }
  /// The same for index (B, T) that follow the tokens in `cache`; they are added to it, and only
  /// they are computed. Start with an empty Cache; it takes at most block_size tokens, or with
  /// relative positions any number, of which it keeps those that are still seen. Call it under
  /// NoGrad and in eval(). Throws Error("gpt") for the cache of another model, or a full one.
  Tensor next_logits(const Arg& index, Cache& cache);

  /// The attention weights of each layer: (B, T) i64 → (B, H, T, T). Only in eval().
  std::vector<Tensor> attention(const Arg& index);

  /// Mean cross-entropy of `targets` (B, T) i64, in nats per token.
  Tensor loss(const Arg& index, const Tensor& targets) {
    return cross_entropy(flatten((*this)(index), 0, 1), flatten(targets));
  }

 private:
  Tensor features(const Arg& index, Cache* cache = nullptr);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo::gpt
