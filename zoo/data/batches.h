#pragma once
// Windows of a long text, as (inputs, targets) for next-character prediction.

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/random.h"
#include "autograd/tensor.h"

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

  /// How many windows an epoch has: as many as fit side by side, wherever the first begins.
  int64_t windows_per_epoch(int64_t length) const {
    return std::max<int64_t>(1, (size() - length) / length);
  }

  /// The batch of training step `step` (from 1): a function of key, step and sizes alone, so that a
  /// resumed run sees what an unbroken one sees.
  /// The windows are drawn without replacement: an epoch lays them side by side over the whole
  /// text, from a random first place, and goes through them in random order. So every character is
  /// read once before any is read twice, where nanoGPT's independent draws leave out a third of the
  /// text in the time of one epoch.
  TokenBatch training_batch(RandomKey key, int64_t step, int64_t batch, int64_t length) const;

 private:
  const std::vector<int64_t>& epoch_starts(RandomKey key, int64_t epoch, int64_t length) const;

  std::vector<int32_t> tokens_;
  // The order of the last epoch asked for, and what it is a function of.
  mutable std::vector<int64_t> epoch_;
  mutable std::array<uint64_t, 4> epoch_key_{};
};

}  // namespace tarsier::zoo
