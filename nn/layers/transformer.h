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

/// The options of encoder and decoder layers.
struct TransformerLayerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;  ///< on attention weights, in the feed-forward block, after each block
  Activation activation = "relu";  ///< in the feed-forward block
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< (B, T, C) instead of (T, B, C)
  bool norm_first = false;   ///< pre-norm: x + f(norm(x)) instead of norm(x + f(x))
  bool bias = true;          ///< in linear layers and norms
};

struct TransformerStackOptions {
  TransformerLayerOptions layer = {};
  /// A LayerNorm after the last layer. A pre-norm stack needs it, since nothing else limits its
  /// output. PyTorch's default is none; Transformer always has one.
  bool final_norm = false;

  /// The usual choice since GPT-2: pre-norm with a LayerNorm at the end, GELU, (B, T, C).
  static TransformerStackOptions pre_norm(int64_t dim_feedforward, double dropout) {
    return {.layer = {.dim_feedforward = dim_feedforward,
                      .dropout = dropout,
                      .activation = "gelu",
                      .batch_first = true,
                      .norm_first = true},
            .final_norm = true};
  }
};

/// What an encoder may attend to. S is the length of the source. Masks are PyTorch's: in a bool
/// mask, true means *not*; a floating mask is added to the scores. Masks of all kinds may be
/// combined.
struct EncoderMasks {
  Tensor src_mask = {};              ///< (S, S) or (B·H, S, S)
  Tensor src_key_padding_mask = {};  ///< (B, S)
  bool is_causal = false;            ///< position i sees 0 … i; no mask needed
};

/// What a decoder may attend to. T is the length of the target, S that of the memory.
struct DecoderMasks {
  Tensor tgt_mask = {};                 ///< (T, T) or (B·H, T, T)
  Tensor memory_mask = {};              ///< (T, S) or (B·H, T, S)
  Tensor tgt_key_padding_mask = {};     ///< (B, T)
  Tensor memory_key_padding_mask = {};  ///< (B, S)
  bool tgt_is_causal = false;
  bool memory_is_causal = false;
};

/// The masks of encoder and decoder.
struct TransformerMasks {
  Tensor src_mask = {}, tgt_mask = {}, memory_mask = {};
  Tensor src_key_padding_mask = {}, tgt_key_padding_mask = {}, memory_key_padding_mask = {};
  bool src_is_causal = false, tgt_is_causal = false, memory_is_causal = false;
};

// --------------------------------------------------------------------------------------- encoder

/// Self-attention, then a feed-forward block of two linear layers, each with a residual connection
/// and a norm:
///   f₁(x) = dropout1(self_attn(x))
///   f₂(x) = dropout2(linear2(dropout(activation(linear1(x)))))
///   post-norm (the default):  x = norm1(x + f₁(x));  x = norm2(x + f₂(x))
///   pre-norm (norm_first):    x = x + f₁(norm1(x));  x = x + f₂(norm2(x))
/// Post-norm is the original, and needs a warm-up of the learning rate; pre-norm does not.
/// Shapes: (S, B, d_model), or (B, S, d_model) with batch_first, → the same.
/// Initial values are those of the parts (attention.h, linear.h, norm.h).
/// Throws Error("multihead_attention") for wrong sizes and masks.
/// Sources: Vaswani et al. 2017; pre-norm: Xiong et al. 2020, "On layer normalization in the
/// Transformer architecture".
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html; same keys.
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
  Tensor operator()(const Arg& src, const EncoderMasks& masks = {});
  Tensor forward(const Arg& src, const EncoderMasks& masks = {});
  /// The same with the weights of self_attn: (B, S, S), the mean over heads; or (B, H, S, S).
  AttentionResult with_weights(const Arg& src, const EncoderMasks& masks = {},
                               bool average_weights = true);

  std::string extra_repr() const override;

 private:
  /// The layer, with `attention(x)` as self_attn.
  template <class Attention>
  Tensor run(const Arg& src, const Attention& attention);
};

struct EncoderResult {
  Tensor output;
  std::vector<Tensor> weights;  ///< by layer: what each position attends to
};

/// num_layers encoder layers, one after the other: layers.0, layers.1, …, then norm, if there is a
/// final one. Shapes as in the layer.
/// Each layer has its own initial values; in PyTorch all layers start as copies of one.
/// Throws Error("transformer") unless num_layers > 0.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html, with its keys.
struct TransformerEncoder : Layer<TransformerEncoder> {
  ModuleList<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerEncoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                     const TransformerStackOptions& options = {});

  Tensor operator()(const Arg& src, const EncoderMasks& masks = {});
  Tensor forward(const Arg& src, const EncoderMasks& masks = {});
  /// The same with the weights of every layer's attention, as the layer gives them.
  EncoderResult with_weights(const Arg& src, const EncoderMasks& masks = {},
                             bool average_weights = true);
};

// --------------------------------------------------------------------------------------- decoder

/// What a decoder keeps, so that the next token costs O(T): the keys and values of the tokens so
/// far, and those of the memory, computed once. Use it only under NoGrad.
///
///   const NoGrad guard;
///   DecoderCache cache;
///   for (…) y = decoder(newest_tokens, memory, {.tgt_is_causal = true}, &cache);
///
/// y is the output for the newest tokens only. The memory must be the same tensor in every step.
struct DecoderCache {
  struct OfLayer {
    KVCache self_attn, multihead_attn;
    Tensor memory;  ///< the tensor whose keys and values multihead_attn holds
  };
  std::vector<OfLayer> layers;  ///< made by the decoder in the first step

  /// The number of tokens in the cache.
  int64_t length() const { return layers.empty() ? 0 : layers.front().self_attn.length(); }
  /// Row b of the batch becomes the former row rows[b], for beam search: rows (B) i64. Rows that
  /// move must have the same memory.
  void reorder(const Tensor& rows) {
    for (OfLayer& layer : layers) layer.self_attn.reorder(rows);
  }
  /// Drops everything, for another memory.
  void clear() { layers.clear(); }
};

struct DecoderResult {
  Tensor output;
  std::vector<Tensor> weights;  ///< by layer: what each target position attends to in the memory
};

/// Self-attention, attention to the memory (an encoder's output), and a feed-forward block:
///   f₁(x) = dropout1(self_attn(x))
///   f₂(x) = dropout2(multihead_attn(x, memory, memory))
///   f₃(x) = dropout3(linear2(dropout(activation(linear1(x)))))
///   post-norm (the default):  x = norm1(x + f₁(x));  x = norm2(x + f₂(x));  x = norm3(x + f₃(x))
///   pre-norm (norm_first):    x = x + f₁(norm1(x));  x = x + f₂(norm2(x));  x = x + f₃(norm3(x))
/// Shapes: tgt (T, B, d_model), memory (S, B, d_model) → (T, B, d_model); B first with batch_first.
/// Initial values, errors and sources as for TransformerEncoderLayer.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html; same keys.
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
                    DecoderCache::OfLayer* cache = nullptr);
  Tensor forward(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                 DecoderCache::OfLayer* cache = nullptr);
  /// The same with the weights of multihead_attn: (B, T, S), the mean over heads; or (B, H, T, S).
  AttentionResult with_weights(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                               bool average_weights = true);

  std::string extra_repr() const override;

 private:
  /// The layer, with `cross(x)` as the attention of x to the memory.
  template <class Cross>
  Tensor run(const Arg& tgt, const AttentionOptions& self_options, const Cross& cross);
};

/// num_layers decoder layers: layers.0, layers.1, …, then norm, if there is a final one. Shapes as
/// in the layer, initial values and errors as for TransformerEncoder.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html, with its keys.
struct TransformerDecoder : Layer<TransformerDecoder> {
  ModuleList<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;

  TransformerDecoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                     const TransformerStackOptions& options = {});

  Tensor operator()(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                    DecoderCache* cache = nullptr);
  /// Throws Error("decoder_cache") if the cache belongs to another decoder or memory.
  Tensor forward(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                 DecoderCache* cache = nullptr);
  /// The same with the weights of every layer's attention to the memory, as the layer gives them.
  DecoderResult with_weights(const Arg& tgt, const Arg& memory, const DecoderMasks& masks = {},
                             bool average_weights = true);
};

// ----------------------------------------------------------------------------------- transformer

/// decoder(tgt, encoder(src)), each with a final norm: from one sequence to another, as in
/// translation. Embeddings, positions and the output layer are up to the caller. tgt is shifted by
/// one position, and usually needs {.tgt_is_causal = true}.
/// Shapes: src (S, B, d_model), tgt (T, B, d_model) → (T, B, d_model); B first with batch_first.
/// All matrices start Xavier-uniform (in_proj_weight as one matrix of 3C rows), biases as in the
/// parts. Throws Error("transformer") if the batch sizes of src and tgt differ; other errors as in
/// the layers. To decode, call encoder(src) once, then decoder(…) with a DecoderCache per token.
/// Source: Vaswani et al. 2017.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html, with its keys.
struct Transformer : Layer<Transformer> {
  TransformerEncoder encoder;
  TransformerDecoder decoder;
  const bool batch_first;

  explicit Transformer(int64_t d_model = 512, int64_t nhead = 8, int64_t num_encoder_layers = 6,
                       int64_t num_decoder_layers = 6, const TransformerLayerOptions& options = {});

  Tensor operator()(const Arg& src, const Arg& tgt, const TransformerMasks& masks = {});
  Tensor forward(const Arg& src, const Arg& tgt, const TransformerMasks& masks = {});

  /// The causal mask (size, size): −∞ above the diagonal, 0 elsewhere.
  static Tensor generate_square_subsequent_mask(int64_t size, DType dtype = f32);
};

}  // namespace tarsier::nn
