#pragma once
// What a decoder remembers: the keys and values of the tokens that it has seen.

#include <cstdint>
#include <utility>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::nn {

/// The keys and values of one attention layer, so that a new token computes only its own: a step
/// costs O(T) in place of O(T²). Room grows by doubling. Nothing in it is recorded: for use under
/// NoGrad alone. It can be moved, not copied: two would write to the same memory.
///
///   std::vector<KVCache> caches(n_layer);             // one per layer
///   const auto [keys, values] = cache.append(k, v);   // k, v: those of the new tokens
///   const Tensor y = local_attention(q, keys, values, {.right = 0, .offset = cache.length() - T});
class KVCache {
 public:
  KVCache() = default;
  KVCache(KVCache&&) noexcept = default;
  KVCache& operator=(KVCache&&) noexcept = default;

  /// Adds k (B, H, T, D) and v (B, H, T, Dv); returns all keys and values so far, (B, H, length,
  /// ·). The result is good until the next append. Throws Error("kv_cache") where sizes or dtype
  /// are not those of before, or gradients are recorded.
  std::pair<Tensor, Tensor> append(const Tensor& k, const Tensor& v);

  /// All keys and values so far, as append gave them.
  std::pair<Tensor, Tensor> all() const;

  /// The number of tokens remembered.
  int64_t length() const { return length_; }
  /// Where the next token stands: the number of tokens before it, those of keep_last() included.
  int64_t position() const { return forgotten_ + length_; }
  /// Forgets all but the first `length` tokens. Throws Error("kv_cache") where there are fewer.
  void truncate(int64_t length);
  /// Forgets all but the last `length` tokens, for attention that looks no further back. Throws
  /// Error("kv_cache") where there are fewer.
  void keep_last(int64_t length);
  /// Row b of the batch becomes what row rows[b] was, for beam search: rows (B) i64. Throws
  /// Error("kv_cache") for other shapes, and Error("index_select") for rows that do not exist.
  void reorder(const Tensor& rows);
  void clear() { length_ = forgotten_ = 0; }

 private:
  Tensor keys_, values_;  ///< (B, H, room, ·)
  int64_t length_ = 0;
  int64_t forgotten_ = 0;  ///< tokens that went before these
};

}  // namespace tarsier::nn
