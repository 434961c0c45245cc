#pragma once
// The tokens of BERT: those of a text, and [MASK], which hides one of them.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../data/tokenizer.h"

namespace tarsier::zoo::bert {

/// The ids of a tokenizer, and one more for [MASK], the last. kBegin is the [CLS] of the paper, kEnd
/// ends a line.
class Vocabulary {
 public:
  explicit Vocabulary(std::unique_ptr<Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  int32_t mask() const { return static_cast<int32_t>(tokenizer_->size()); }
  int64_t size() const { return tokenizer_->size() + 1; }

  /// kBegin and the tokens of a text as a user writes it, in which every "[MASK]" stands for one
  /// token, and does not change how the text around it is cut.
  std::vector<int32_t> encode(const std::string& text) const;

  /// One token as people write it, without blanks around it: "the", "[MASK]".
  std::string word(int32_t id) const;

  /// Tokens as text in one line: [MASK] and <unk> stand apart, " / " ends a line.
  std::string text(const std::vector<int32_t>& ids) const;

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace tarsier::zoo::bert
