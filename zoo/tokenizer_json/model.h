#pragma once
// How a piece of text becomes tokens.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "section.h"
#include "vocabulary.h"

namespace tarsier::zoo::tokenizer_json {

class Model {
 public:
  virtual ~Model() = default;
  Vocabulary vocabulary;
  /// Appends the tokens of a piece, UTF-8 and not empty.
  virtual void encode(std::string_view piece, std::vector<int32_t>& out) const = 0;
};

/// The part "model" of the file: BPE, WordPiece or Unigram. Throws Error("tokenizer") for another
/// one (WordLevel), for an option that changes tokens and is not supported, and for a vocabulary or
/// merges that do not belong together.
std::unique_ptr<Model> read_model(const Section& file);

/// The id of the token under `key`, such as "unk_token"; −1 if the key is missing. Throws
/// Error("tokenizer") if the vocabulary lacks the token.
int32_t special_id(const Section& part, const char* key, const Vocabulary& vocabulary);

/// Reads the "vocab" of a model: an object of token → id.
void read_vocabulary(const Section& part, Vocabulary& vocabulary);

std::unique_ptr<Model> read_bpe(const Section& part);
std::unique_ptr<Model> read_word_piece(const Section& part);
std::unique_ptr<Model> read_unigram(const Section& part);

}  // namespace tarsier::zoo::tokenizer_json
