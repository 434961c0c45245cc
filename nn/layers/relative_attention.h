#pragma once
// Attention that sees how far apart two positions are.

#include <string>

#include "../module.h"
#include "kv_cache.h"
#include "linear.h"

namespace tarsier::nn {

struct RelativeAttentionOptions {
  /// The distances 0 … max_distance − 1 have a vector each; what is farther shares the last one.
  int64_t max_distance = 256;
  double dropout = 0;  ///< on the attention weights, in training
  bool bias = false;
};

/// Causal self-attention in H heads of size D = C / H, with a learned vector r_d for each distance:
///   S[i, j] = (q_i · k_j + q_i · r_{i−j}) / √D for j ≤ i,   y = out_proj(softmax(S) · v).
/// So a head can ask for "the note a bar ago" whatever note that is: x (B, T, C) → (B, T, C).
///
/// The skew. All products q_i · r_d are one matrix product, but S needs row i shifted by i: the
/// columns of R are distances, those of S are keys. For T queries and K keys, of which the last T
/// belong to the queries, let column c of R (T, K + 1) stand for the distance K − c:
///   R[i, c] = q_i · r_{K−c}, in memory at i·(K + 1) + c.
/// Query i is at key i + K − T, so key j is at the distance i + K − T − j, which is the column
/// c = T + j − i, in memory at i·(K + 1) + T + j − i = T + i·K + j. So without its first T numbers
/// the memory of R, read in rows of K, is the wanted matrix: the shift costs nothing. Where j lies
/// after the query it holds numbers of a neighbouring row, which the causal mask hides.
///
/// With a cache, x follows the tokens in it and is added to them.
/// The linear maps start as in Linear, r as N(0, 0.02²).
/// Throws Error("relative_attention") for sizes that do not fit.
/// Source: Huang et al. 2018, "Music transformer", 3.4; Shaw et al. 2018, "Self-attention with
/// relative position representations".
class RelativeAttention : public Layer<RelativeAttention> {
 public:
  const int64_t embed_dim, num_heads;
  const RelativeAttentionOptions options;
  Linear in_proj;   ///< (3C, C): the maps of query, key and value
  Linear out_proj;  ///< (C, C)
  Tensor relative;  ///< (H, max_distance, D): r_d of each head

  RelativeAttention(int64_t embed_dim, int64_t num_heads,
                    const RelativeAttentionOptions& options = {});

  Tensor operator()(const Arg& x, KVCache* cache = nullptr);
  Tensor forward(const Arg& x, KVCache* cache = nullptr);

  /// The attention weights, without dropout: (B, T, C) → (B, H, T, T).
  Tensor weights(const Arg& x);

  std::string extra_repr() const override;

 private:
  struct Heads {
    Tensor q, k, v;  // (B, H, T, D)
  };
  Heads heads(const Arg& x);
  /// softmax(S): q (B, H, T, D), k (B, H, K, D) → (B, H, T, K).
  Tensor weights_of(const Tensor& q, const Tensor& k);
};

/// q_i · r_{i + K − T − j} for each query i and key j ≤ i + K − T: q (B, H, T, D), vectors of
/// distances `relative` (H, L, D) → (B, H, T, K), by the skew above. Later keys have any numbers.
Tensor relative_scores(const Arg& q, const Tensor& relative, int64_t keys);

}  // namespace tarsier::nn
