#pragma once
// The keys and values of earlier tokens, kept while decoding.

#include <cstdint>
#include <utility>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::nn {

/// The keys and values of one attention layer, so that only those of a new token are computed: a
/// step costs O(T) instead of O(T²). The capacity grows by doubling. Nothing is recorded: use it
/// only under NoGrad. It can be moved but not copied, since copies would write to the same memory.
///
///   std::vector<KVCache> caches(n_layer);             // one per layer
///   const auto [keys, values] = cache.append(k, v);   // k, v: those of the new tokens
///   const Tensor y = local_attention(q, keys, values, {.right = 0, .offset = cache.length() - T});
class KVCache {
 public:
  KVCache() = default;
  KVCache(KVCache&&) noexcept = default;
  KVCache& operator=(KVCache&&) noexcept = default;

  /// Appends k (B, H, T, D) and v (B, H, T, Dv). Returns all keys and values so far,
  /// (B, H, length, D) and (B, H, length, Dv), valid until the next append.
  /// Throws Error("kv_cache") if sizes or dtype differ from before, or if gradients are recorded.
  std::pair<Tensor, Tensor> append(const Tensor& k, const Tensor& v);

  /// All keys and values so far, as append returns them.
  std::pair<Tensor, Tensor> all() const;

  /// The number of tokens in the cache.
  int64_t length() const { return length_; }
  /// The position of the next token: the number of tokens before it, with those that keep_last()
  /// dropped.
  int64_t position() const { return forgotten_ + length_; }
  /// Drops all but the first `length` tokens. Throws Error("kv_cache") if there are fewer.
  void truncate(int64_t length);
  /// Drops all but the last `length` tokens, for attention with a window. Throws Error("kv_cache")
  /// if there are fewer.
  void keep_last(int64_t length);
  /// Row b of the batch becomes the former row rows[b], for beam search: rows (B) i64. Throws
  /// Error("kv_cache") for other shapes, and Error("index_select") for rows that do not exist.
  void reorder(const Tensor& rows);
  void clear() { length_ = forgotten_ = 0; }

 private:
  Tensor keys_, values_;  ///< (B, H, room, ·)
  int64_t length_ = 0;
  int64_t forgotten_ = 0;  ///< tokens before these, dropped by keep_last()
};

}  // namespace tarsier::nn
