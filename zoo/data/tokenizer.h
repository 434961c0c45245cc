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

/// Tokens that are no text. Every tokenizer has them, under these ids; those of text come after.
constexpr int32_t kPad = WordVocabulary::kPad, kUnknown = WordVocabulary::kUnknown,
                  kBegin = WordVocabulary::kBegin, kEnd = WordVocabulary::kEnd, kSpecialTokens = 4;

struct TokenizerOptions {
  std::string kind = "words";  ///< or "characters", "bpe"
  bool lower = true;           ///< words: in small letters
  int64_t min_count = 2;       ///< words and characters that are rarer are unknown
  int64_t size = 8000;         ///< bpe: the number of tokens
  /// bpe: a folder with GPT-2's vocab.json and merges.txt, or others of this form, to use instead
  /// of learning.
  std::string vocab = "";

  void add_to(Settings& settings);
};

/// Makes text into ids and back.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Learns the tokens of `texts`. Throws Error("tokenizer") for another kind.
  static std::unique_ptr<Tokenizer> train(const std::vector<std::string>& texts,
                                          const TokenizerOptions& options);
  /// The tokenizer that to_json() described. Throws Error("json") or Error("tokenizer").
  static std::unique_ptr<Tokenizer> from_json(const Json& json);
  virtual Json to_json() const = 0;

  /// The number of ids, the special ones included.
  virtual int64_t size() const = 0;
  /// Without special tokens but kUnknown. One thread may call it at a time.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  /// Text up to kEnd, without kPad and kBegin.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;
  /// `text` as decode() gives it back where all tokens are known: of words, in small letters where
  /// the tokenizer makes them so, and with one space for all white space. What a model writes can
  /// be compared with this.
  virtual std::string as_written(std::string_view text) const { return std::string(text); }
  /// One token, as a person reads it: "<eos>", " the".
  virtual std::string show(int32_t id) const = 0;
};

}  // namespace tarsier::zoo
