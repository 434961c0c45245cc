#pragma once
// Multi-head attention.

#include <optional>
#include <string>
#include <vector>

#include "../module.h"
#include "attention_mask.h"
#include "linear.h"
#include "quantizable.h"

namespace tarsier::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< on the attention weights, in training
  bool bias = true;
  bool add_bias_kv = false;          ///< one more, learned key and value: bias_k and bias_v
  bool add_zero_attn = false;        ///< one more key and value, of zeros
  std::optional<int64_t> kdim = {};  ///< size of key, if not embed_dim
  std::optional<int64_t> vdim = {};  ///< size of value, if not embed_dim
  bool batch_first = false;          ///< (B, T, C) instead of (T, B, C)
};

struct AttentionResult {
  Tensor output;   ///< with the shape of the query
  Tensor weights;  ///< after dropout: (B, T, S), the mean over heads, or (B, H, T, S)
};

/// head_h = softmax(q_h · k_hᵀ / √D + mask) · v_h, output = out_proj(concat(head_1 … head_H)),
/// where q, k and v are linear maps of query, key and value, split into H heads of size D = C / H.
/// Shapes: query (T, B, C), key (S, B, kdim), value (S, B, vdim), output (T, B, C); B comes first
/// with batch_first. A single sequence has no B, neither here nor in the weights.
/// The keys of add_bias_kv and add_zero_attn come after all others, in this order. Masks do not
/// apply to them, and the weights have a column for each.
/// A query that may attend to no key gets the bias of out_proj, and weights of 0. (PyTorch does the
/// same when it records and returns no weights; with weights, and in eval() under no_grad, NaN.)
/// in_proj_weight and q_, k_ and v_proj_weight start Xavier-uniform, bias_k and bias_v
/// Xavier-normal, out_proj.weight as in Linear, the other biases as 0.
/// Throws Error("multihead_attention") for sizes or dtypes that do not fit.
/// Source: Vaswani et al. 2017, "Attention is all you need".
/// As https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html, with its keys.
class MultiheadAttention : public Layer<MultiheadAttention>, public Quantizable {
 public:
  Tensor in_proj_weight;  ///< (3C, C): the maps of query, key and value
  // With kdim or vdim, instead of in_proj_weight:
  Tensor q_proj_weight;  ///< (C, C)
  Tensor k_proj_weight;  ///< (C, kdim)
  Tensor v_proj_weight;  ///< (C, vdim)
  /// In the place of these four after nn::quantize_.
  QuantizedMatrix in_proj_quantized, q_proj_quantized, k_proj_quantized, v_proj_quantized;

  Tensor in_proj_bias;    ///< (3C), or undefined
  Tensor bias_k, bias_v;  ///< (1, 1, C) with add_bias_kv
  Linear out_proj;

  MultiheadAttention(int64_t embed_dim, int64_t num_heads,
                     const MultiheadAttentionOptions& options = {});

  /// Cross-attention: attn(x, memory, memory, {.key_padding_mask = …}).
  Tensor operator()(const Arg& query, const Arg& key, const Arg& value,
                    const AttentionOptions& options = {});
  /// Self-attention: attn(x, {.is_causal = true}).
  Tensor operator()(const Arg& x, const AttentionOptions& options = {});
  /// The same with the attention weights. Slower, since it stores all of them.
  AttentionResult with_weights(const Arg& query, const Arg& key, const Arg& value,
                               const AttentionOptions& options = {}, bool average_weights = true);

  Tensor forward(const Arg& query, const Arg& key, const Arg& value,
                 const AttentionOptions& options = {});
  Tensor forward(const Arg& x, const AttentionOptions& options = {}) {
    return forward(x, x, x, options);
  }

  std::vector<QuantizableMatrix> matrices() override;
  std::string extra_repr() const override;

 private:
  struct Scene;
  MaskSizes check_inputs(const Arg& query, const Arg& key, const Arg& value,
                         const AttentionOptions& options) const;
  Tensor full_mask(const MaskSizes& sizes, const AttentionOptions& options, DType dtype) const;
  std::vector<Tensor> in_proj(const Arg& x, int64_t first, int64_t count) const;
  std::vector<Tensor> project(const Arg& query, const Arg& key, const Arg& value) const;
  std::vector<Tensor> project_once(const Arg& query, const Arg& key, const Arg& value,
                                   KVCache& memory_cache) const;
  Tensor with_extra_key(const Tensor& x, const Tensor& bias) const;
  Scene prepare(const Arg& query, const Arg& key, const Arg& value,
                const AttentionOptions& options) const;
  Tensor attend(const Scene& scene, const Tensor& values) const;
  Tensor join_heads(const Tensor& heads, bool batched);
  bool packs_in_proj() const { return in_proj_weight.defined() || in_proj_quantized.defined(); }
  int64_t extra_keys() const {
    return (bias_k.defined() ? 1 : 0) + (options_.add_zero_attn ? 1 : 0);
  }

  int64_t embed_dim_, num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace tarsier::nn
