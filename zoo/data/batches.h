#pragma once
// Windows of a long text, as (inputs, targets) for next-token prediction.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo {

/// B windows of T tokens, and for each token the one that follows it.
struct TokenBatch {
  Tensor inputs;   ///< (B, T) i64
  Tensor targets;  ///< (B, T) i64: targets[b, t] follows inputs[b, t]
};

/// Cuts windows out of a text, which it stores.
class TokenWindows {
 public:
  TokenWindows() = default;
  explicit TokenWindows(std::vector<int32_t> tokens) : tokens_(std::move(tokens)) {}

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

  /// The windows of length `length` that begin at `starts`. A window needs length + 1 tokens.
  /// Throws Error("data") if a window passes the end of the text.
  TokenBatch at(const std::vector<int64_t>& starts, int64_t length) const;

  /// Batches of adjacent windows, from the first token to the last: each token but the first is a
  /// target exactly once. About 2,048 tokens a batch; the last window is shorter than `length`.
  void for_each(int64_t length, const std::function<void(const TokenBatch&)>& use) const;

  /// The batch of training step `step` (from 1): windows that begin anywhere, drawn independently.
  /// Depends only on key, step and sizes, so a resumed run sees the batches of an unbroken one.
  TokenBatch training_batch(RandomKey key, int64_t step, int64_t batch, int64_t length) const;

 private:
  std::vector<int32_t> tokens_;
};

}  // namespace tarsier::zoo
