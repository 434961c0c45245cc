#pragma once
// A batch of sequences of different lengths as rows, step by step, without the padding.

#include <cstdint>
#include <vector>

#include "../../autograd/ops.h"

namespace tarsier::nn {

/// Where the rows of a batch (T, B, C) stand once those of the padding are removed. They are sorted
/// by steps: at step t the rows of all sequences longer than t, the longest sequence first. So the
/// sequences of a step are the first ones of the step before it. As PackedSequence of PyTorch.
class RNNSteps {
 public:
  /// `lengths` (B) i64, from 1 to T each; if it is undefined, all are T.
  /// Throws Error(op) for other lengths.
  RNNSteps(const char* op, int64_t T, int64_t B, const Tensor& lengths);

  /// How many sequences have the step t, for t = 0, 1, …: never more than before.
  const std::vector<int64_t>& counts() const { return counts_; }

  Tensor pack(const Tensor& x) const;    ///< (T, B, C) → (rows, C)
  Tensor unpack(const Tensor& y) const;  ///< (rows, C) → (T, B, C), 0 in the padding
  /// The states (S, B, C) of all sequences, the longest first; and back.
  Tensor sort(const Tensor& state) const;
  Tensor unsort(const Tensor& state) const;

 private:
  int64_t T_, B_;
  std::vector<int64_t> counts_;
  // Undefined without lengths, where all stays in place:
  Tensor order_, place_;  ///< (B): the sequence at each place, and the place of each sequence
  Tensor rows_;           ///< the row in (T · B, C) of each row that stays
};

}  // namespace tarsier::nn
