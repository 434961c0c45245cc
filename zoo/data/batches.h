#pragma once
// Windows of a long text, as (inputs, targets) for next-character prediction.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo {

/// B windows of T characters, and the character that follows each of theirs.
struct TokenBatch {
  Tensor inputs;   ///< (B, T) i64
  Tensor targets;  ///< (B, T) i64: targets[b, t] follows inputs[b, t]
};

/// Cuts windows out of a text that it keeps.
class TokenWindows {
 public:
  TokenWindows() = default;
  explicit TokenWindows(std::vector<int32_t> tokens) : tokens_(std::move(tokens)) {}

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

  /// The windows of length `length` that begin at `starts`. A window needs length + 1 tokens.
  /// Throws Error("data") where one reaches over the end.
  TokenBatch at(const std::vector<int64_t>& starts, int64_t length) const;

  /// Batches of windows side by side, from the first token to the last: each but the first is a
  /// target once. About 2,048 tokens a batch; the last window is shorter than `length`.
  void for_each(int64_t length, const std::function<void(const TokenBatch&)>& use) const;

  /// The batch of training step `step` (from 1): windows that begin anywhere, drawn independently.
  /// A function of key, step and sizes alone, so that a resumed run sees what an unbroken one sees.
  TokenBatch training_batch(RandomKey key, int64_t step, int64_t batch, int64_t length) const;

 private:
  std::vector<int32_t> tokens_;
};

}  // namespace tarsier::zoo
