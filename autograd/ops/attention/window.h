#pragma once
// The window of local_attention().

#include <cstdint>

namespace tarsier {

/// The keys that a query may see, by distance: query i is at the position of key i + offset, and
/// sees the keys from `left` before that to `right` after it.
struct AttentionWindow {
  static constexpr int64_t kUnlimited = INT64_MAX;
  int64_t left = kUnlimited;   ///< 0 or more
  int64_t right = kUnlimited;  ///< 0 or more; 0: causal
  int64_t offset = 0;          ///< of query 0 among the keys: the length of a cache
};

}  // namespace tarsier
