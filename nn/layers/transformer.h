#pragma once
// The Transformer of Vaswani et al. 2017, "Attention is all you need": encoder and decoder.

#include <optional>
#include <string>
#include <vector>

#include "../container.h"
#include "../module.h"
#include "activation.h"
#include "attention.h"
#include "dropout.h"
#include "kv_cache.h"
#include "linear.h"
#include "norm.h"

namespace tarsier::nn {

// --------------------------------------------------------------------------------------- options

/// What encoder and decoder layers have in common.
struct TransformerLayerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;  ///< on attention weights, in the feed-forward block, after each block
  Activation activation = "relu";  ///< in the feed-forward block
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< (B, T, C) instead of (T, B, C)
  bool norm_first = false;   ///< pre-norm: x + f(norm(x)) instead of norm(x + f(x))
  bool bias = true;          ///< in linear maps and norms
};

struct TransformerStackOptions {
  TransformerLayerOptions layer = {};
  /// A LayerNorm after the last layer. A pre-norm stack needs it: nothing else keeps its output in
  /// bounds. PyTorch's default is none, and Transformer always has one.
  bool final_norm = false;
};

/// What an encoder may look at. S is the time of the source. Masks are PyTorch's: of bool, true
/// means *not*; floating ones are added to the scores. All kinds combine.
struct EncoderMasks {
  Tensor src_mask = {};              ///< (S, S) or (B·H, S, S)
  Tensor src_key_padding_mask = {};  ///< (B, S)
  bool is_causal = false;            ///< place i sees 0 … i; no mask is needed for it
};

/// What a decoder may look at. T is the time of the target, S that of the memory.
struct DecoderMasks {
  Tensor tgt_mask = {};                 ///< (T, T) or (B·H, T, T)
  Tensor memory_mask = {};              ///< (T, S) or (B·H, T, S)
  Tensor tgt_key_padding_mask = {};     ///< (B, T)
  Tensor memory_key_padding_mask = {};  ///< (B, S)
  bool tgt_is_causal = false;
  bool memory_is_causal = false;
};

/// The masks of both.
struct TransformerMasks {
  Tensor src_mask = {}, tgt_mask = {}, memory_mask = {};
  Tensor src_key_padding_mask = {}, tgt_key_padding_mask = {}, memory_key_padding_mask = {};
  bool src_is_causal = false, tgt_is_causal = false, memory_is_causal = false;
};

// --------------------------------------------------------------------------------------- encoder

/// Self-attention, then two linear maps with a function between them, each with a short cut around
/// it and a norm:
///   f₁(x) = dropout1(self_attn(x))
///   f₂(x) = dropout2(linear2(dropout(activation(linear1(x)))))
///   post-norm (the default):  x = norm1(x + f₁(x));  x = norm2(x + f₂(x))
///   pre-norm (norm_first):    x = x + f₁(norm1(x));  x = x + f₂(norm2(x))
/// Post-norm is the original, and needs a warm-up of the learning rate; pre-norm trains without.
/// Shapes: (S, B, d_model), or (B, S, d_model) with batch_first, → the same.
/// Starts as its parts do (attention.h, linear.h, norm.h). Throws Error("multihead_attention") for
/// wrong sizes and masks.
/// Sources: Vaswani et al. 2017; pre-norm: Xiong et al. 2020, "On layer normalization in the
/// Transformer architecture".
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html, with the
/// same keys.
struct TransformerEncoderLayer : Layer<TransformerEncoderLayer> {
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  const Activation activation;
  const bool norm_first;

  TransformerEncoderLayer(int64_t d_model, int64_t nhead,
                          const TransformerLayerOptions& options = {});

  /// layer(x, {.is_causal = true}).
  Tensor operator()(const Arg& src, const EncoderMasks& masks = {}) {
    return Layer::operator()(src, masks);
  }
  Tensor forward(const Arg& src, const EncoderMasks& masks = {});
  /// The same with the weights of self_attn: (B, S, S), the mean over heads; or (B, H, S, S).
  AttentionResult with_weights(const Arg& src, const EncoderMasks& masks = {},
                               bool average_weights = true);

  std::string extra_repr() const override;

 private:
  /// The layer, where `attention(x)` is self_attn.
  template <class Attention>
  Tensor run(const Arg& src, const Attention& attention);
};

struct EncoderResult {
  Tensor output;
  std::vector<Tensor> weights;  ///< by layer: where each place looks
};

/// num_layers encoder layers, one after the other: layers.0, layers.1, …, then norm, where there is
/// a final one. Shapes as the layer's.
/// Each layer starts with numbers of its own; PyTorch starts all with those of one.
/// Throws Error("transformer") unless num_layers > 0.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html, with the same
/// keys.
struct TransformerEncoder : Layer<TransformerEncoder> {
  ModuleList<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerEncoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                     const TransformerStackOptions& options = {});

  Tensor operator()(const Arg& src, const EncoderMasks& masks = {}) {
    return Layer::operator()(src, masks);
  }
  Tensor forward(const Arg& src, const EncoderMasks& masks = {});
  /// The same with the weights of every layer's attention, as the layer gives them.
  EncoderResult with_weights(const Arg& src, const EncoderMasks& masks = {},
                             bool average_weights = true);
};

// --------------------------------------------------------------------------------------- decoder

/// What a decoder remembers, so that the next token costs O(T): the keys and values of the tokens
/// that it has seen, and those of the memory, computed once. For use under NoGrad alone.
///
///   const NoGrad guard;
///   DecoderCache cache;
///   for (…) y = decoder(newest_tokens, memory, {.tgt_is_causal = true}, &cache);
///
/// y is the output of the newest tokens alone. The memory must be the same tensor in every step.
struct DecoderCache {
  struct OfLayer {
    KVCache self_attn, multihead_attn;
    Tensor memory;  ///< whose keys and values multihead_attn holds
  };
  std::vector<OfLayer> layers;  ///< made by the decoder in the first step

  /// The number of tokens remembered.
  int64_t length() const { return layers.empty() ? 0 : layers.front().self_attn.length(); }
  /// Row b of the batch becomes what row rows[b] was, for beam search: rows (B) i64. Rows that
  /// change places must have the same memory.
  void reorder(const Tensor& rows) {
    for (OfLayer& layer : layers) layer.self_attn.reorder(rows);
  }
  /// Forgets all, for another memory.
  void clear() { layers.clear(); }
};

struct DecoderResult {
  Tensor output;
  std::vector<Tensor> weights;  ///< by layer: where each target place looks in the memory
};

/// Self-attention, attention to the memory (an encoder's output), and two linear maps:
///   f₁(x) = dropout1(self_attn(x))
///   f₂(x) = dropout2(multihead_attn(x, memory, memory))
///   f₃(x) = dropout3(linear2(dropout(activation(linear1(x)))))
///   post-norm (the default):  x = norm1(x + f₁(x));  x = norm2(x + f₂(x));  x = norm3(x + f₃(x))
///   pre-norm (norm_first):    x = x + f₁(norm1(x));  x = x + f₂(norm2(x));  x = x + f₃(norm3(x))
/// Shapes: tgt (T, B, d_model), memory (S, B, d_model) → (T, B, d_model); B first with batch_first.
/// Start, errors and sources as TransformerEncoderLayer.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html, with the
/// same keys.
struct TransformerDecoderLayer : Layer<TransformerDecoderLayer> {
  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;
  const Activation activation;
  const bool norm_first;

  TransformerDecoderLayer(int64_t d_model, int64_t nhead,
                          const TransformerLayerOptions& options = {});

  /// layer(x, memory, {.tgt_is_causal = true}).
  Tensor operator()(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                    DecoderCache::OfLayer* cache = nullptr) {
    return Layer::operator()(tgt, memory, masks, cache);
  }
  Tensor forward(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                 DecoderCache::OfLayer* cache = nullptr);
  /// The same with the weights of multihead_attn: (B, T, S), the mean over heads; or (B, H, T, S).
  AttentionResult with_weights(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                               bool average_weights = true);

  std::string extra_repr() const override;

 private:
  /// The layer, where `cross(x)` is the attention of x to the memory.
  template <class Cross>
  Tensor run(const Arg& tgt, const AttentionOptions& self_options, const Cross& cross);
};

/// num_layers decoder layers: layers.0, layers.1, …, then norm, where there is a final one. Shapes
/// as the layer's, start and errors as TransformerEncoder.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html, with the same
/// keys.
struct TransformerDecoder : Layer<TransformerDecoder> {
  ModuleList<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerDecoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                     const TransformerStackOptions& options = {});

  Tensor operator()(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                    DecoderCache* cache = nullptr) {
    return Layer::operator()(tgt, memory, masks, cache);
  }
  /// Throws Error("decoder_cache") where the cache comes from another decoder or memory.
  Tensor forward(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                 DecoderCache* cache = nullptr);
  /// The same with the weights of every layer's attention to the memory, as the layer gives them.
  DecoderResult with_weights(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                             bool average_weights = true);
};

// ----------------------------------------------------------------------------------- transformer

/// decoder(tgt, encoder(src)), each with a final norm; from sequence to sequence, as in
/// translation. Embeddings, positions and the map to words are the caller's. tgt is shifted by one
/// place, and mostly wants {.tgt_is_causal = true}. Shapes: src (S, B, d_model), tgt (T, B,
/// d_model) → (T, B, d_model); B first with batch_first. Starts with all matrices Xavier-uniform
/// (in_proj_weight as one of 3C rows), biases as the parts. Throws Error("transformer") where the
/// batches of src and tgt differ; for the rest as the layers. Decode with encoder(src) once, and
/// decoder(…) with a DecoderCache for each token. Source: Vaswani et al. 2017. As
/// https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html, with the same keys.
struct Transformer : Layer<Transformer> {
  TransformerEncoder encoder;
  TransformerDecoder decoder;
  const bool batch_first;

  explicit Transformer(int64_t d_model = 512, int64_t nhead = 8, int64_t num_encoder_layers = 6,
                       int64_t num_decoder_layers = 6, const TransformerLayerOptions& options = {});

  Tensor operator()(const Arg& src, const Arg& tgt, const TransformerMasks& masks = {}) {
    return Layer::operator()(src, tgt, masks);
  }
  Tensor forward(const Arg& src, const Arg& tgt, const TransformerMasks& masks = {});

  /// (size, size): −∞ above the diagonal, else 0; what is_causal stands for, as a mask.
  static Tensor generate_square_subsequent_mask(int64_t size, DType dtype = f32);
};

}  // namespace tarsier::nn
