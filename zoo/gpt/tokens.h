#pragma once
// The text of a language model as tokens: characters, words or byte pairs.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../autograd/io/json.h"
#include "../data/text.h"
#include "../data/tokenizer.h"
#include "../tokenizer_json/tokenizer_json.h"

namespace tarsier::zoo::gpt {

/// Converts text to ids and back, so that a model can write it token by token.
///   characters   all that occur in the text; a prompt with another one is an error
///   words        with kEnd at the end of a line; rare ones become kUnknown
///   bpe          can encode every text
///   a tokenizer.json (zoo/tokenizer_json), of a model that was trained elsewhere
class TextTokens {
 public:
  TextTokens() = default;  ///< knows nothing yet
  /// Learns from `text`, UTF-8.
  TextTokens(std::string_view text, const TokenizerOptions& options);
  /// The tokenizer.json `file`, for a model of `size` tokens. Throws Error("tokenizer") with
  /// `source` if it has more.
  TextTokens(Json file, int64_t size, const std::string& source);

  /// The characters as one string, or what Tokenizer::to_json() says, or the content of a
  /// tokenizer.json in one string.
  Json to_json() const;
  static TextTokens from_json(const Json& json);

  int64_t size() const;
  bool are_characters() const { return tokenizer_ == nullptr && file_ == nullptr; }
  /// Throws Error("data") that names the characters of `source` that are not known.
  std::vector<int32_t> encode(std::string_view text, const std::string& source) const;
  bool knows(const std::string& text) const;
  /// `text` as its tokens give it back (Tokenizer::as_written).
  std::string as_written(std::string_view text) const;

  /// What token `id` adds to a text that ends with token `before`. Words need it for their spaces.
  std::string written(int32_t id, int32_t before) const;
  /// One token as shown to people.
  std::string show(int32_t id) const;
  /// The token to start from without a prompt: a new line, or else the first token.
  int32_t blank() const;

 private:
  CharVocabulary characters_;
  std::unique_ptr<Tokenizer> tokenizer_;  ///< of words and byte pairs
  bool words_ = false;
  std::unique_ptr<tokenizer_json::TokenizerJson> file_;
  Json content_;           ///< of the file
  int64_t file_size_ = 0;  ///< of the model
};

/// The part of a text to train on, its first 90 % of characters, and the rest, to validate on.
std::pair<std::string_view, std::string_view> training_and_validation(std::string_view text);

}  // namespace tarsier::zoo::gpt
