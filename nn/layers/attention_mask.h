#pragma once
// What a query may look at: the masks that are given, and the one that attention takes.

#include <cstdint>
#include <vector>

#include "kv_cache.h"

namespace tarsier::nn {

/// What a query may look at. Masks are PyTorch's: of bool, true means *not* (the opposite of
/// scaled_dot_product_attention); floating ones are added to the scores. All kinds combine.
struct AttentionOptions {
  Tensor key_padding_mask = {};  ///< (B, S); (S) where the input has no batch
  Tensor attn_mask = {};         ///< (T, S) or (B·H, T, S)
  bool is_causal = false;  ///< query i sees keys 0 … i (of as many); needs no mask beside it
  /// For decoding, under NoGrad: attn(x, {.is_causal = true, .cache = &cache}) adds the keys and
  /// values of the T new tokens to those in the cache, and lets them see both. So S, in masks and
  /// weights, is cache.length() afterwards. Self-attention only; one cache for each layer.
  KVCache* cache = nullptr;
  /// The same for cross-attention to a memory that stays as it is: the first call puts its keys and
  /// values in there, later ones take them out and compute none.
  KVCache* memory_cache = nullptr;
};

/// The sizes that the masks of an attention layer must have: B, H, T and S.
struct MaskSizes {
  int64_t batch, heads, queries, keys;
  bool batched = true;  ///< whether the layer's inputs have a batch dimension
};

/// The masks of `options` that are there, as views over (B, H, T, S): padding as (B, 1, 1, S), the
/// other as (T, S) or (B, H, T, S). Throws Error(layer) for another shape, or a dtype that is
/// neither bool nor that of the scores.
std::vector<Tensor> given_masks(const char* layer, const AttentionOptions& options,
                                const MaskSizes& sizes, DType dtype);

/// Masks as above, all in one as scaled_dot_product_attention takes it: of bool, true means *may*
/// look; of `dtype`, where one of them is floating. Undefined where there are none.
Tensor combined_mask(const std::vector<Tensor>& masks, DType dtype);

}  // namespace tarsier::nn
