#pragma once
// The arguments of an attention: its matrices in memory, which keys a query sees, its dropout.

#include <cstdint>

#include "../../base/random.h"

namespace tarsier::kernels {

/// One matrix per head, anywhere in memory: row t of head h is at data + offsets[h] + t·row, and
/// its elements are contiguous. Heads may be at any distance, or share memory (broadcast).
template <class T>
struct HeadRows {
  T* data = nullptr;
  const int64_t* offsets = nullptr;
  int64_t row = 0;
};

/// The keys that a query sees: those on the diagonals lower … upper of the matrix of scores. Key j
/// is visible to query i if lower <= j − i <= upper.
/// Requires −kNoLimit <= lower <= upper <= kNoLimit.
struct Band {
  static constexpr int64_t kNoLimit = int64_t(1) << 60;  ///< so that no sum with it overflows
  int64_t lower = -kNoLimit;
  int64_t upper = kNoLimit;  ///< 0: causal, query i sees keys 0 … i
};

/// The operands of one attention. Per head: q (tq, d), k (tk, d), v (tk, dv), y (tq, dv).
template <class T>
struct Attention {
  int64_t heads, tq, tk, d, dv;
  HeadRows<const T> q, k, v;
  T scale;
  Band band;  ///< what is outside it takes no time
  /// At most one of the two masks; element (i, j) of head h is at offsets[h] + i·row + j·col.
  const bool* keep = nullptr;  ///< true: may attend
  const T* bias = nullptr;     ///< added to the scores
  const int64_t* mask_offsets = nullptr;
  int64_t mask_row = 0, mask_col = 0;
  /// A weight is dropped where uniform<float>(key, ((h·tq + i)·tk + j)) < dropout_p; the others
  /// are multiplied by 1 / (1 − dropout_p).
  double dropout_p = 0;
  RandomKey key;
};

/// dy in; dq, dk, dv out (a null one is not computed). y and lse are those of the forward pass.
template <class T>
struct AttentionGrad {
  HeadRows<const T> y, dy;
  const T* lse = nullptr;
  HeadRows<T> dq, dk, dv;
};

}  // namespace tarsier::kernels
