#pragma once
// Attention as in today's language models: fewer key heads than query heads, positions in the
// attention, a window.

#include <optional>
#include <string>

#include "../module.h"
#include "attention.h"
#include "linear.h"
#include "position.h"

namespace tarsier::nn {

struct GroupedQueryAttentionOptions {
  std::optional<int64_t> head_dim = {};  ///< D; embed_dim / num_heads by default
  double dropout = 0;                    ///< on the attention weights, in training
  bool bias = false;
  /// A query sees the keys at a distance less than `window`, its own included: with is_causal the
  /// last `window` keys. Time grows with T · window instead of T².
  std::optional<int64_t> window = {};
  /// rotary and alibi act here; the other kinds are added to the input before the first layer.
  PositionKind position = PositionKind::none;
  RotaryOptions rotary = {};  ///< for position = rotary
};

/// Self-attention in which each of the Hkv key and value heads serves G = H / Hkv query heads:
///   head_h = softmax(q_h · k_gᵀ / √D + mask) · v_g, g = ⌊h / G⌋, output = o_proj(concat(head_h)).
/// Hkv = H is multi-head attention, Hkv = 1 is multi-query attention. The cache, which decoding
/// reads for each token, is smaller by a factor G.
/// x (B, T, C) → (B, T, C). Masks and cache as for MultiheadAttention, batch first:
///   attn(x, {.is_causal = true, .cache = &cache})
/// With a cache, the new tokens follow those in it, also for rotary and alibi positions.
/// A query that may attend to no key gets the bias of o_proj.
/// The parts start as in Linear. Keys as in Hugging Face's Llama.
/// Throws Error("grouped_query_attention") for sizes and masks that do not fit.
/// Source: Ainslie et al. 2023, "GQA: training generalized multi-query transformer models from
/// multi-head checkpoints"; Shazeer 2019, "Fast transformer decoding: one write-head is all you
/// need"; the window: Beltagy et al. 2020, "Longformer", and Jiang et al. 2023, "Mistral 7B".
class GroupedQueryAttention : public Layer<GroupedQueryAttention> {
 public:
  const int64_t embed_dim, num_heads, num_kv_heads, head_dim;
  const GroupedQueryAttentionOptions options;
  Linear q_proj;          ///< (H·D, C)
  Linear k_proj, v_proj;  ///< (Hkv·D, C)
  Linear o_proj;          ///< (C, H·D)

  GroupedQueryAttention(int64_t embed_dim, int64_t num_heads, int64_t num_kv_heads,
                        const GroupedQueryAttentionOptions& options = {});

  Tensor operator()(const Arg& x, const AttentionOptions& call = {});
  Tensor forward(const Arg& x, const AttentionOptions& call = {});

  std::string extra_repr() const override;

 private:
  Tensor full_mask(const AttentionOptions& call, const MaskSizes& sizes, DType dtype) const;

  std::optional<RotaryEmbedding> rotary_;
};

/// GroupedQueryAttention with one key head per query head and a sliding window: time and memory are
/// linear in T.
///   nn::LocalAttention attn(C, H, 128);
struct LocalAttention : GroupedQueryAttention {
  LocalAttention(int64_t embed_dim, int64_t num_heads, int64_t window,
                 const GroupedQueryAttentionOptions& options = {});

  std::string type_name() const override;
};

}  // namespace tarsier::nn
