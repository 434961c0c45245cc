#pragma once
// Text as tokens: what a model reads and writes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/io/json.h"
#include "../task/settings.h"
#include "words.h"

namespace tarsier::zoo {

/// Special tokens. Every tokenizer has them, under these ids; the tokens of text come after.
constexpr int32_t kPad = WordVocabulary::kPad, kUnknown = WordVocabulary::kUnknown,
                  kBegin = WordVocabulary::kBegin, kEnd = WordVocabulary::kEnd, kSpecialTokens = 4;

struct TokenizerOptions {
  std::string kind = "words";  ///< or "characters", "bpe"
  bool lower = true;           ///< words: in lower case
  int64_t min_count = 2;       ///< rarer words and characters are unknown
  int64_t size = 8000;         ///< bpe: the number of tokens
  /// bpe: a folder with GPT-2's vocab.json and merges.txt, or with a tokenizer.json, to use instead
  /// of learning.
  std::string vocab = "";

  void add_to(Settings& settings);
};

/// Converts text to ids and back.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Learns the tokens of `texts`. Throws Error("tokenizer") for an unknown kind.
  static std::unique_ptr<Tokenizer> train(const std::vector<std::string>& texts,
                                          const TokenizerOptions& options);
  /// The tokenizer that to_json() described. Throws Error("json") or Error("tokenizer").
  static std::unique_ptr<Tokenizer> from_json(const Json& json);
  virtual Json to_json() const = 0;

  /// The number of ids, the special ones included.
  virtual int64_t size() const = 0;
  /// The only special token is kUnknown. One thread may call it at a time.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  /// Text up to kEnd, without kPad and kBegin.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;
  /// The tokens of `text` as strings, also those that encode() calls unknown: one for each id. With
  /// `as_is` words keep their capitals.
  virtual std::vector<std::string> split(std::string_view text, bool as_is = false) const = 0;
  /// The text of such strings.
  virtual std::string join(const std::vector<std::string>& tokens) const = 0;
  /// What decode() gives for the tokens of `text`, if all are known. For words: in lower case if
  /// the tokenizer lowers them, and with one space for all white space. Compare a model's output
  /// with this.
  virtual std::string as_written(std::string_view text) const { return std::string(text); }
  /// One token as shown to people: "<eos>", " the".
  virtual std::string show(int32_t id) const = 0;
};

}  // namespace tarsier::zoo
