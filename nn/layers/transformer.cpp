#include "nn/layers/transformer.h"

#include <limits>

#include "nn/init.h"

namespace tarsier::nn {
namespace {

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& options) {
  return {.dropout = options.dropout, .bias = options.bias, .batch_first = options.batch_first};
}

std::string layer_repr(const Activation& activation, bool norm_first) {
  return concat("activation=", activation.name(), ", norm_first=", norm_first ? "true" : "false");
}

AttentionOptions self_options(const EncoderMasks& masks) {
  return {.key_padding_mask = masks.src_key_padding_mask,
          .attn_mask = masks.src_mask,
          .is_causal = masks.is_causal};
}

AttentionOptions self_options(const DecoderMasks& masks) {
  return {.key_padding_mask = masks.tgt_key_padding_mask,
          .attn_mask = masks.tgt_mask,
          .is_causal = masks.tgt_is_causal};
}

AttentionOptions cross_options(const DecoderMasks& masks) {
  return {.key_padding_mask = masks.memory_key_padding_mask,
          .attn_mask = masks.memory_mask,
          .is_causal = masks.memory_is_causal};
}

/// Checks or stores that the cache belongs to `memory`.
void remember_memory(DecoderCache::OfLayer& cache, const Tensor& memory,
                     const DecoderMasks& masks) {
  check(!masks.memory_is_causal, "decoder_cache",
        "memory_is_causal does not work with a cache, which hides positions: use memory_mask");
  if (cache.multihead_attn.length() == 0) cache.memory = memory;
  check(cache.memory.impl() == memory.impl(), "decoder_cache", "holds the keys of a memory ",
        cache.memory.shape(), ", which is not this tensor ", memory.shape(),
        ": clear() it before using another memory");
}

/// The layers "layers" and the norm "norm" of a stack.
template <class L>
void fill_stack(ModuleList<L>& layers, std::optional<LayerNorm>& norm, int64_t d_model,
                int64_t nhead, int64_t num_layers, const TransformerStackOptions& options) {
  check(num_layers > 0, "transformer", num_layers, " layers: at least one is needed");
  for (int64_t i = 0; i < num_layers; ++i) layers.emplace_back(d_model, nhead, options.layer);
  if (options.final_norm)
    norm.emplace(d_model, options.layer.layer_norm_eps, true, options.layer.bias);
}

/// A block around which the stream goes: x + block(norm(x)), or norm(x + block(x)).
template <class Block>
Tensor with_residual(const Arg& x, LayerNorm& norm, bool norm_first, const Block& block) {
  return norm_first ? x + block(norm(x)) : norm(x + block(x));
}

}  // namespace

// ---------------------------------------------------------------------------------------- encoder

TransformerEncoderLayer::TransformerEncoderLayer(int64_t d_model, int64_t nhead,
                                                 const TransformerLayerOptions& options)
    : self_attn(d_model, nhead, attention_options(options)),
      linear1(d_model, options.dim_feedforward, options.bias),
      dropout(options.dropout),
      linear2(options.dim_feedforward, d_model, options.bias),
      norm1(d_model, options.layer_norm_eps, true, options.bias),
      norm2(d_model, options.layer_norm_eps, true, options.bias),
      dropout1(options.dropout),
      dropout2(options.dropout),
      activation(options.activation),
      norm_first(options.norm_first) {
  register_module("self_attn", self_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("dropout1", dropout1);
  register_module("dropout2", dropout2);
}

template <class Attention>
Tensor TransformerEncoderLayer::run(const Arg& src, const Attention& attention) {
  const auto attend = [&](const Arg& x) { return dropout1(attention(x)); };
  const auto feed_forward = [&](const Arg& x) {
    return dropout2(linear2(dropout(activation(linear1(x)))));
  };
  const Tensor x = with_residual(src, norm1, norm_first, attend);
  return with_residual(x, norm2, norm_first, feed_forward);
}

Tensor TransformerEncoderLayer::operator()(const Arg& src, const EncoderMasks& masks) {
  return Layer::operator()(src, masks);
}

Tensor TransformerEncoderLayer::forward(const Arg& src, const EncoderMasks& masks) {
  return run(src, [&](const Arg& x) { return self_attn(x, self_options(masks)); });
}

AttentionResult TransformerEncoderLayer::with_weights(const Arg& src, const EncoderMasks& masks,
                                                      bool average_weights) {
  return scoped([&]() -> AttentionResult {
    Tensor weights;
    const Tensor output = run(src, [&](const Arg& x) {
      const AttentionResult result =
          self_attn.with_weights(x, x, x, self_options(masks), average_weights);
      weights = result.weights;
      return result.output;
    });
    return {output, weights};
  });
}

std::string TransformerEncoderLayer::extra_repr() const {
  return layer_repr(activation, norm_first);
}

TransformerEncoder::TransformerEncoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                                       const TransformerStackOptions& options) {
  fill_stack(layers, norm, d_model, nhead, num_layers, options);
  register_module("layers", layers);
  if (norm) register_module("norm", *norm);
}

Tensor TransformerEncoder::operator()(const Arg& src, const EncoderMasks& masks) {
  return Layer::operator()(src, masks);
}

Tensor TransformerEncoder::forward(const Arg& src, const EncoderMasks& masks) {
  const CallScope here(src.at);
  Tensor x = src;
  for (TransformerEncoderLayer& layer : layers) x = layer(x, masks);
  return norm ? (*norm)(x) : x;
}

EncoderResult TransformerEncoder::with_weights(const Arg& src, const EncoderMasks& masks,
                                               bool average_weights) {
  return scoped([&] {
    const CallScope here(src.at);
    EncoderResult result{.output = src, .weights = {}};
    for (TransformerEncoderLayer& layer : layers) {
      const AttentionResult step = layer.with_weights(result.output, masks, average_weights);
      result.output = step.output;
      result.weights.push_back(step.weights);
    }
    if (norm) result.output = (*norm)(result.output);
    return result;
  });
}

// ---------------------------------------------------------------------------------------- decoder

TransformerDecoderLayer::TransformerDecoderLayer(int64_t d_model, int64_t nhead,
                                                 const TransformerLayerOptions& options)
    : self_attn(d_model, nhead, attention_options(options)),
      multihead_attn(d_model, nhead, attention_options(options)),
      linear1(d_model, options.dim_feedforward, options.bias),
      dropout(options.dropout),
      linear2(options.dim_feedforward, d_model, options.bias),
      norm1(d_model, options.layer_norm_eps, true, options.bias),
      norm2(d_model, options.layer_norm_eps, true, options.bias),
      norm3(d_model, options.layer_norm_eps, true, options.bias),
      dropout1(options.dropout),
      dropout2(options.dropout),
      dropout3(options.dropout),
      activation(options.activation),
      norm_first(options.norm_first) {
  register_module("self_attn", self_attn);
  register_module("multihead_attn", multihead_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("norm3", norm3);
  register_module("dropout1", dropout1);
  register_module("dropout2", dropout2);
  register_module("dropout3", dropout3);
}

template <class Cross>
Tensor TransformerDecoderLayer::run(const Arg& tgt, const AttentionOptions& self_options,
                                    const Cross& cross) {
  const auto attend = [&](const Arg& x) { return dropout1(self_attn(x, self_options)); };
  const auto attend_memory = [&](const Arg& x) { return dropout2(cross(x)); };
  const auto feed_forward = [&](const Arg& x) {
    return dropout3(linear2(dropout(activation(linear1(x)))));
  };
  Tensor x = with_residual(tgt, norm1, norm_first, attend);
  x = with_residual(x, norm2, norm_first, attend_memory);
  return with_residual(x, norm3, norm_first, feed_forward);
}

Tensor TransformerDecoderLayer::operator()(const Arg& tgt, const Arg& memory,
                                           const DecoderMasks& masks,
                                           DecoderCache::OfLayer* cache) {
  return Layer::operator()(tgt, memory, masks, cache);
}

Tensor TransformerDecoderLayer::forward(const Arg& tgt, const Arg& memory,
                                        const DecoderMasks& masks, DecoderCache::OfLayer* cache) {
  AttentionOptions self = self_options(masks), cross = cross_options(masks);
  if (cache != nullptr) {
    remember_memory(*cache, memory, masks);
    self.cache = &cache->self_attn;
    cross.memory_cache = &cache->multihead_attn;
  }
  return run(tgt, self, [&](const Arg& x) { return multihead_attn(x, memory, memory, cross); });
}

AttentionResult TransformerDecoderLayer::with_weights(const Arg& tgt, const Arg& memory,
                                                      const DecoderMasks& masks,
                                                      bool average_weights) {
  return scoped([&]() -> AttentionResult {
    Tensor weights;
    const Tensor output = run(tgt, self_options(masks), [&](const Arg& x) {
      const AttentionResult result =
          multihead_attn.with_weights(x, memory, memory, cross_options(masks), average_weights);
      weights = result.weights;
      return result.output;
    });
    return {output, weights};
  });
}

std::string TransformerDecoderLayer::extra_repr() const {
  return layer_repr(activation, norm_first);
}

TransformerDecoder::TransformerDecoder(int64_t d_model, int64_t nhead, int64_t num_layers,
                                       const TransformerStackOptions& options) {
  fill_stack(layers, norm, d_model, nhead, num_layers, options);
  register_module("layers", layers);
  if (norm) register_module("norm", *norm);
}

Tensor TransformerDecoder::operator()(const Arg& tgt, const Arg& memory, const DecoderMasks& masks,
                                      DecoderCache* cache) {
  return Layer::operator()(tgt, memory, masks, cache);
}

Tensor TransformerDecoder::forward(const Arg& tgt, const Arg& memory, const DecoderMasks& masks,
                                   DecoderCache* cache) {
  const size_t n = static_cast<size_t>(layers.size());
  if (cache != nullptr) {
    if (cache->layers.empty()) cache->layers.resize(n);
    check(cache->layers.size() == n, "decoder_cache", "a cache of ", cache->layers.size(),
          " layers in a decoder of ", n, ": use one for each decoder");
  }
  const CallScope here(tgt.at);
  Tensor x = tgt;
  for (size_t i = 0; i < n; ++i) {
    DecoderCache::OfLayer* of_layer = cache != nullptr ? &cache->layers[i] : nullptr;
    x = layers[static_cast<int64_t>(i)](x, memory, masks, of_layer);
  }
  return norm ? (*norm)(x) : x;
}

DecoderResult TransformerDecoder::with_weights(const Arg& tgt, const Arg& memory,
                                               const DecoderMasks& masks, bool average_weights) {
  return scoped([&] {
    const CallScope here(tgt.at);
    DecoderResult result{.output = tgt, .weights = {}};
    for (TransformerDecoderLayer& layer : layers) {
      const AttentionResult step =
          layer.with_weights(result.output, memory, masks, average_weights);
      result.output = step.output;
      result.weights.push_back(step.weights);
    }
    if (norm) result.output = (*norm)(result.output);
    return result;
  });
}

// ------------------------------------------------------------------------------------ transformer

Transformer::Transformer(int64_t d_model, int64_t nhead, int64_t num_encoder_layers,
                         int64_t num_decoder_layers, const TransformerLayerOptions& options)
    : encoder(d_model, nhead, num_encoder_layers, {.layer = options, .final_norm = true}),
      decoder(d_model, nhead, num_decoder_layers, {.layer = options, .final_norm = true}),
      batch_first(options.batch_first) {
  register_module("encoder", encoder);
  register_module("decoder", decoder);
  for (const Tensor& parameter : parameters())
    if (parameter.dim() > 1) xavier_uniform_(parameter);
}

Tensor Transformer::operator()(const Arg& src, const Arg& tgt, const TransformerMasks& masks) {
  return Layer::operator()(src, tgt, masks);
}

Tensor Transformer::forward(const Arg& src, const Arg& tgt, const TransformerMasks& masks) {
  const int batch = batch_first ? 0 : 1;
  check(src.dim() != 3 || tgt.dim() != 3 || src.size(batch) == tgt.size(batch), "transformer",
        "src ", src.shape(), " and tgt ", tgt.shape(), ": batches of ", src.size(batch), " and ",
        tgt.size(batch), " (dimension ", batch, ") should be equal");
  const Tensor memory = encoder(src, {.src_mask = masks.src_mask,
                                      .src_key_padding_mask = masks.src_key_padding_mask,
                                      .is_causal = masks.src_is_causal});
  return decoder(tgt, memory,
                 {.tgt_mask = masks.tgt_mask,
                  .memory_mask = masks.memory_mask,
                  .tgt_key_padding_mask = masks.tgt_key_padding_mask,
                  .memory_key_padding_mask = masks.memory_key_padding_mask,
                  .tgt_is_causal = masks.tgt_is_causal,
                  .memory_is_causal = masks.memory_is_causal});
}

Tensor Transformer::generate_square_subsequent_mask(int64_t size, DType dtype) {
  check(size >= 0, "transformer", "a mask of size ", size, ": 0 or more is needed");
  return masked_fill(zeros({size, size}, dtype), triu_mask(size, size, 1),
                     -std::numeric_limits<double>::infinity());
}

}  // namespace tarsier::nn
