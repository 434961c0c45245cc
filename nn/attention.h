#pragma once
// Multi-head attention.

#include <string>

#include "nn/linear.h"
#include "nn/module.h"

namespace tarsier::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< on the attention weights, while training
  bool bias = true;
  bool batch_first = false;  ///< (B, T, C) instead of (T, B, C)
};

/// What a query may look at. Masks are PyTorch's: of bool, true means *not* (the opposite of
/// scaled_dot_product_attention); floating ones are added to the scores. Both kinds combine.
struct AttentionOptions {
  Tensor key_padding_mask = {};  ///< (B, S)
  Tensor attn_mask = {};         ///< (T, S) or (B·H, T, S)
  bool is_causal = false;        ///< query i sees keys 0 … i; no mask is needed for it
};

struct AttentionResult {
  Tensor output;   ///< shaped as the query
  Tensor weights;  ///< (B, T, S), the mean over heads; or (B, H, T, S); after dropout
};

/// head_h = softmax(q_h · k_hᵀ / √D + mask) · v_h, output = out_proj(concat(head_1 … head_H)),
/// where q, k, v are linear maps of query, key and value, cut into H heads of size D = C / H.
/// Shapes: query (T, B, C), key and value (S, B, C), output (T, B, C); B first with batch_first.
/// A query that may look at nothing gets the bias of out_proj (PyTorch: NaN).
/// Starts with in_proj_weight Xavier-uniform, out_proj.weight as in Linear, all biases 0.
/// Throws Error("multihead_attention") for wrong sizes.
/// Source: Vaswani et al. 2017, "Attention is all you need".
/// As https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html, with the same
/// keys.
class MultiheadAttention : public Layer<MultiheadAttention> {
 public:
  Tensor in_proj_weight;  ///< (3C, C): the maps of query, key and value
  Tensor in_proj_bias;    ///< (3C), or undefined
  Linear out_proj;

  MultiheadAttention(int64_t embed_dim, int64_t num_heads,
                     const MultiheadAttentionOptions& options = {});

  /// Cross-attention: attn(x, memory, memory, {.key_padding_mask = …}).
  Tensor operator()(const Arg& query, const Arg& key, const Arg& value,
                    const AttentionOptions& options = {}) {
    return scoped([&] { return forward(query, key, value, options); });
  }
  /// Self-attention: attn(x, {.is_causal = true}).
  Tensor operator()(const Arg& x, const AttentionOptions& options = {}) {
    return (*this)(x, x, x, options);
  }
  /// The same with the attention weights: slower, for they are made whole.
  AttentionResult with_weights(const Arg& query, const Arg& key, const Arg& value,
                               const AttentionOptions& options = {}, bool average_weights = true);

  Tensor forward(const Arg& query, const Arg& key, const Arg& value,
                 const AttentionOptions& options = {});
  Tensor forward(const Arg& x, const AttentionOptions& options = {}) {
    return forward(x, x, x, options);
  }

  std::string extra_repr() const override;

 private:
  /// Query, key and value by heads: (B, H, T, D) and twice (B, H, S, D).
  struct Heads {
    Tensor q, k, v;
  };
  Heads project(const Arg& query, const Arg& key, const Arg& value) const;
  Tensor in_proj(const Arg& x, int64_t first, int64_t count) const;
  Tensor split_heads(const Tensor& x) const;
  Tensor join_heads(const Arg& heads);
  Tensor combined_mask(const Heads& heads, const AttentionOptions& options) const;
  double dropout_p() const { return is_training() ? options_.dropout : 0; }

  int64_t embed_dim_, num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace tarsier::nn
