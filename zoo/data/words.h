#pragma once
// Text as words and punctuation, and a vocabulary of them.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// Text cut into tokens at white space, and around punctuation:
///   - letters, numbers and the marks on them stay together, with a hyphen between them
///     (well-known), a point or comma between digits (3.5), and an apostrophe before three letters
///     or more (o'connor);
///   - an apostrophe and one or two letters that end a word are a token (don 't, woman 's);
///   - every other character is a token; several equal ones in a row are one token (...);
///   - an entity &name;, which some data sets write for quotes and the like, is one character, and
///     &apos; is an apostrophe.
/// The mark ￭ shows where there was no space. It is on the punctuation's side, so that a word is
/// the same token everywhere: "(No, she's 5.)" → (￭  No  ￭,  she  ￭'s  5  ￭.  ￭). So
/// join_words() gives the text back, except that white space becomes one space. A ￭ in the text
/// itself becomes ■.
/// Source of the mark: Klein et al. 2017, "OpenNMT: open-source toolkit for neural machine
/// translation" (joiner annotation).
std::vector<std::string> split_words(std::string_view text, bool lower_case);

/// The text of tokens that split_words() made, or a model.
std::string join_words(const std::vector<std::string>& tokens);

/// `text` in lower case (lower_case() of unicode.h).
std::string to_lower(std::string_view text);

/// The tokens that a model knows, the most frequent first. The first four are special: padding,
/// unknown word, beginning and end of a sentence.
class WordVocabulary {
 public:
  static constexpr int32_t kPad = 0, kUnknown = 1, kBegin = 2, kEnd = 3;

  WordVocabulary() = default;
  /// The tokens of `sentences` that occur `min_count` times or more, the `max_size` − 4 most
  /// frequent of them (0: all). Equally frequent ones are in the order of their bytes.
  /// Throws Error("data") if none is left.
  WordVocabulary(const std::vector<std::vector<std::string>>& sentences, int64_t min_count,
                 int64_t max_size = 0);

  Json to_json() const;  ///< an array of the tokens
  /// Throws Error("data") for a repeated token, or other special tokens.
  static WordVocabulary from_json(const Json& json);

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  const std::string& operator[](int64_t id) const { return tokens_[static_cast<size_t>(id)]; }
  /// The id of a token; kUnknown where there is none.
  int32_t id_of(const std::string& token) const;

  std::vector<int32_t> encode(const std::vector<std::string>& tokens) const;
  /// The tokens of `ids` up to kEnd, without kPad and kBegin. Throws Error("data") for an id that
  /// does not exist.
  std::vector<std::string> decode(const std::vector<int32_t>& ids) const;

 private:
  void add(const std::string& token);

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace tarsier::zoo
