#pragma once
// Pairs of texts as tokens, and batches of them for an encoder-decoder.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../data/cut.h"
#include "../data/fingerprint.h"
#include "../data/parallel.h"
#include "../data/sampler.h"
#include "../data/tokenizer.h"
#include "../task/batch.h"

namespace tarsier::zoo::transformer {

/// The input of the encoder: the first tokens of a text, and kEnd, at most `max_length` in total.
std::vector<int32_t> source_tokens(const std::string& text, const Tokenizer& tokenizer,
                                   int64_t max_length);

class TokenPairs {
 public:
  TokenPairs() = default;
  /// Longer texts are cut, so that neither side has more than `max_length` tokens; kNoLimit cuts
  /// none. A target that is cut has no kEnd, because it does not end there.
  TokenPairs(const ParallelText& text, const Tokenizer& source, const Tokenizer& target,
             int64_t max_length);
  /// Pairs of tokens as they are: each source with kEnd, each target between kBegin and kEnd.
  TokenPairs(std::vector<std::vector<int32_t>> source, std::vector<std::vector<int32_t>> target)
      : source_(std::move(source)), target_(std::move(target)) {}

  int64_t size() const { return static_cast<int64_t>(source_.size()); }
  /// What was cut off of both sides.
  const Cut& cut() const { return cut_; }

  void add_to(Fingerprint& fingerprint) const { fingerprint.add(source_).add(target_); }

  /// Batches of pairs of similar length.
  BatchSampler sampler(int64_t batch_size, RandomKey key) const;

  /// The pairs with these numbers, padded with kPad, (B, …) i64: "source", with "padding" (true at
  /// padding); "target", which the decoder reads and which begins with kBegin; and "next", the
  /// expected output: the target shifted by one, ending with kEnd.
  /// Sides longer than `length` are cut.
  Batch batch(const std::vector<int64_t>& chosen, int64_t length = kNoLimit) const;

 private:
  std::vector<std::vector<int32_t>> source_, target_;  // each target between kBegin and kEnd
  Cut cut_;
};

}  // namespace tarsier::zoo::transformer
