#pragma once
// Which examples are in which batch: shuffling, and batches of similar length.

#include <cstdint>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo {

/// The numbers 0 … n − 1 in random order, each order equally likely; depends only on n and key.
/// Source: Fisher and Yates' shuffle as in Knuth, TAOCP 2, algorithm 3.4.2 P.
std::vector<int64_t> permutation(int64_t n, RandomKey key);

/// The limits of a batch. At least one is given (0: no limit); if both are, both hold.
struct BatchLimits {
  int64_t examples = 0;
  /// Positions including padding: number of examples · longest example. An example longer than the
  /// limit is a batch of its own.
  int64_t tokens = 0;
  /// Lengths are rounded up to a multiple of it before examples are grouped. A larger bucket mixes
  /// more, and pads more.
  int64_t bucket = 1;
};

/// Batches of examples of similar length, so that little of a batch is padding.
///
/// In every epoch the examples are sorted by length (shortest first, those of the same bucket in
/// random order), cut into batches, and the batches are shuffled. Every example is in exactly one
/// batch of an epoch. The sorted lengths are the same in all epochs, and so are the cuts: an epoch
/// always has batches_per_epoch() batches. The batch of a step depends only on (lengths, limits,
/// key, step), which makes resuming exact.
///
/// For examples of one size (images) all lengths are 1: a plain shuffle.
class BatchSampler {
 public:
  BatchSampler() = default;
  /// `lengths[i]` is the length of example i. Epoch e uses the streams key.stream + 2e and + 1.
  /// Throws Error("data") for no examples, lengths below 0, and missing or negative limits.
  BatchSampler(std::vector<int64_t> lengths, BatchLimits limits, RandomKey key);

  int64_t examples() const { return static_cast<int64_t>(lengths_.size()); }
  int64_t batches_per_epoch() const { return static_cast<int64_t>(cuts_.size()) - 1; }
  /// The epoch (from 0) that step `step` (from 1) belongs to.
  int64_t epoch_of(int64_t step) const { return (step - 1) / batches_per_epoch(); }

  /// The examples of training step `step` (from 1). Not const, because it caches the epoch's order:
  /// one thread may call it at a time.
  std::vector<int64_t> batch(int64_t step);

  /// All batches once, shortest first, not shuffled: for evaluation.
  std::vector<std::vector<int64_t>> all() const;

 private:
  /// Examples by length; equal ones by `tie`.
  std::vector<int64_t> sorted(const std::vector<int64_t>& tie) const;

  std::vector<int64_t> lengths_;  // rounded up to whole buckets
  std::vector<int64_t> cuts_;     // batch b holds sorted examples cuts_[b] … cuts_[b + 1] − 1
  RandomKey key_;
  int64_t epoch_ = -1;            // the one of order_ and batches_
  std::vector<int64_t> order_;    // its examples, sorted by length
  std::vector<int64_t> batches_;  // its batches, shuffled
};

/// The lengths of rows, for BatchSampler.
std::vector<int64_t> lengths_of(const std::vector<std::vector<int32_t>>& rows);

/// (B) i64: the labels of the examples with these numbers. Throws Error("data") for a number
/// without a label.
Tensor label_batch(const std::vector<int64_t>& labels, const std::vector<int64_t>& examples);

/// Rows of different lengths as one (B, T) i64 tensor, T the longest; shorter rows are padded with
/// `padding` at the end. T is at least 1. Throws Error("data") for no rows.
Tensor pad_rows(const std::vector<std::vector<int32_t>>& rows, int32_t padding);

/// (B, T) bool: true where pad_rows() of the same rows has padding, which attention must ignore
/// (PyTorch's key_padding_mask).
Tensor padding_mask(const std::vector<std::vector<int32_t>>& rows);

}  // namespace tarsier::zoo
