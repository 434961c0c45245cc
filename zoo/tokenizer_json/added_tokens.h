#pragma once
// Tokens that are found in a text before everything else: <|endoftext|>, [MASK].

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "normalizer.h"
#include "prefix_table.h"
#include "section.h"
#include "vocabulary.h"

namespace tarsier::zoo::tokenizer_json {

/// A part of a text: an added token, or text between two, normalized.
struct Stretch {
  int32_t id = -1;  ///< of the added token, or −1
  std::string text;
  bool is_first = false;  ///< at the beginning of the text
};

class AddedTokens {
 public:
  AddedTokens() = default;
  /// The list "added_tokens" of the file. Throws Error("tokenizer") if a token has another id in
  /// the model's vocabulary, or an id is there twice.
  AddedTokens(const Section& file, const Vocabulary& model, const Normalizer& normalizer);

  /// Cuts a text at the tokens in it: first at those that are not normalized, in the text as it is,
  /// then at the others, after normalizing. The longest token counts. Adds nothing for empty parts.
  std::vector<Stretch> cut(std::string_view text, const Normalizer& normalizer) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  bool is_special(int32_t id) const { return special_.contains(id); }

 private:
  struct Rules {
    bool single_word = false;  ///< not next to letters
    bool lstrip = false;       ///< takes the white space before it
    bool rstrip = false;       ///< and after it
  };
  struct Range {
    int32_t id;  // −1 between two tokens
    size_t begin, end;
  };
  std::vector<Range> ranges_of(std::string_view text, const PrefixTable& tokens) const;

  Vocabulary vocabulary_;
  std::unordered_set<int32_t> special_;
  std::unordered_map<int32_t, Rules> rules_;
  PrefixTable as_is_, normalized_;
};

}  // namespace tarsier::zoo::tokenizer_json
