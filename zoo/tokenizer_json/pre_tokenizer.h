#pragma once
// How a text is split into pieces, which no token crosses.

#include <functional>
#include <string>
#include <vector>

#include "section.h"

namespace tarsier::zoo::tokenizer_json {

/// A part of a text.
struct Piece {
  std::string text;
  bool is_first = false;  ///< at the beginning of the whole text
};

class PreTokenizer {
 public:
  PreTokenizer() = default;  ///< the text is one piece
  /// The part "pre_tokenizer" of the file. Read are ByteLevel, Split, Whitespace, WhitespaceSplit,
  /// BertPreTokenizer, Punctuation, Digits, Metaspace, CharDelimiterSplit and Sequences of them;
  /// patterns as in split_pattern.h. Throws Error("tokenizer") that names what is not.
  explicit PreTokenizer(const Section& file);

  /// The pieces of a text that is not empty. None of them is.
  std::vector<Piece> operator()(Piece text) const;
  /// Whether something depends on Piece::is_first.
  bool needs_first() const { return needs_first_; }

 private:
  std::vector<std::function<std::vector<Piece>(const Piece&)>> steps_;
  bool needs_first_ = false;
};

}  // namespace tarsier::zoo::tokenizer_json
