#pragma once
// Labelled texts as tokens, and batches of them for a classifier.

#include <cstdint>
#include <string>
#include <vector>

#include "../data/cut.h"
#include "../data/labelled.h"
#include "../data/sampler.h"
#include "../data/tokenizer.h"
#include "../task/batch.h"

namespace tarsier::zoo::text_classifier {

/// kBegin and the first tokens of a text, at most `max_length` in total (kNoLimit: all tokens).
std::vector<int32_t> text_tokens(const std::string& text, const Tokenizer& tokenizer,
                                 int64_t max_length);

struct TokenTexts {
  std::vector<std::vector<int32_t>> rows;  ///< text_tokens()
  std::vector<int64_t> labels;
  Cut cut;  ///< what was cut off

  TokenTexts() = default;
  TokenTexts(const LabelledText& data, const Tokenizer& tokenizer, int64_t max_length);

  int64_t size() const { return static_cast<int64_t>(labels.size()); }

  /// Batches of texts of similar length.
  BatchSampler sampler(int64_t batch_size, RandomKey key) const;

  /// The texts with these numbers: "index" (B, T) i64, padded with kPad, "padding" (B, T) bool,
  /// true at padding, and "labels" (B) i64. Texts of more than `length` tokens are cut.
  Batch batch(const std::vector<int64_t>& chosen, int64_t length = kNoLimit) const;
};

/// Makes a random fraction of the tokens of `batch` unknown, drawn from `key`, but no special
/// tokens. A model then cannot rely on any single token.
/// Source: Iyyer et al. 2015, "Deep unordered composition rivals syntactic methods" (word dropout).
void drop_tokens(Batch& batch, double share, RandomKey key);

}  // namespace tarsier::zoo::text_classifier
