#pragma once
// Which keys a query may attend to: the given masks, and the mask that attention takes.

#include <cstdint>
#include <vector>

#include "kv_cache.h"

namespace tarsier::nn {

/// Which keys a query may attend to. Masks are PyTorch's: in a bool mask, true means *not* (the
/// opposite of scaled_dot_product_attention); a floating mask is added to the scores. Masks of all
/// kinds may be combined.
struct AttentionOptions {
  Tensor key_padding_mask = {};  ///< (B, S); (S) if the input has no batch
  Tensor attn_mask = {};         ///< (T, S) or (B·H, T, S)
  bool is_causal = false;  ///< query i sees keys 0 … i, of as many keys as queries; no mask needed
  /// For decoding, under NoGrad: attn(x, {.is_causal = true, .cache = &cache}) appends the keys and
  /// values of the T new tokens to the cache, and attends to all of them. So in masks and weights S
  /// is the new cache.length(). Self-attention only; each layer needs its own cache.
  KVCache* cache = nullptr;
  /// The same for cross-attention to a memory that does not change: the first call stores its keys
  /// and values, later calls reuse them.
  KVCache* memory_cache = nullptr;
};

/// The sizes that the masks of an attention layer must have: B, H, T and S.
struct MaskSizes {
  int64_t batch, heads, queries, keys;
  bool batched = true;  ///< whether the layer's inputs have a batch dimension
};

/// The masks given in `options`, as views that broadcast to (B, H, T, S): padding as (B, 1, 1, S),
/// the other as (T, S) or (B, H, T, S). Throws Error(layer) for another shape, or a dtype that is
/// neither bool nor that of the scores.
std::vector<Tensor> given_masks(const char* layer, const AttentionOptions& options,
                                const MaskSizes& sizes, DType dtype);

/// All these masks combined into one for scaled_dot_product_attention: bool, where true means *may*
/// attend, or of `dtype` if one of them is floating. Undefined if there are none.
Tensor combined_mask(const std::vector<Tensor>& masks, DType dtype);

}  // namespace tarsier::nn
