#pragma once
// The window of local_attention().

#include <cstdint>

namespace tarsier {

/// Which keys a query may look at, by their distance: query i stands at key i + offset, and sees
/// the keys from `left` before that one to `right` after it.
struct AttentionWindow {
  static constexpr int64_t kUnlimited = INT64_MAX;
  int64_t left = kUnlimited;   ///< 0 or more
  int64_t right = kUnlimited;  ///< 0 or more; 0: causal
  int64_t offset = 0;          ///< of query 0 among the keys: what a cache holds from before
};

}  // namespace tarsier
