#pragma once
// Synthetic tasks whose answers depend on tokens a known distance back.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo::compare {

/// Sequences, and what a model must say at their last K tokens.
struct Batch {
  Tensor tokens;   ///< (B, T) i64
  Tensor answers;  ///< (B, K) i64
};

/// How many different tokens and answers there are, in all tasks.
inline constexpr int64_t kTokens = 26, kAnswers = 13;

/// A task at any distance D: what came D tokens ago must be known now.
struct SyntheticTask {
  std::string name;     ///< for --task
  std::string summary;  ///< one sentence
  int64_t least_distance;
  int64_t questions;  ///< K: tokens at the end of each sequence that have an answer
  double chance;      ///< the accuracy of the best answer without looking

  /// T = D + K.
  int64_t length(int64_t distance) const { return distance + questions; }
  /// `size` sequences. Sequence b of a key is always the same.
  Batch (*make)(int64_t size, int64_t distance, RandomKey key);
};

/// copy: four symbols of four kinds, blanks, and at the end four marks: say the symbols again, each D
///   tokens after it came. Source: Hochreiter & Schmidhuber 1997; as in Arjovsky et al. 2016,
///   "Unitary evolution recurrent neural networks".
/// recall: four tokens that each pair one of four keys with one of four values, blanks, and from the
///   D-th token on the keys alone, in another order: say the value of each. Source: Graves et al.
///   2014, "Neural Turing machines"; Ba et al. 2016, "Using fast weights to attend to the recent
///   past"; there, a pair is two tokens.
/// sum: four digits from 0 to 3 anywhere in D tokens, blanks between them, and a mark: say their
///   sum. Source: the adding problem of Hochreiter & Schmidhuber 1997, with digits.
const std::vector<SyntheticTask>& synthetic_tasks();

}  // namespace tarsier::zoo::compare
