#include "zoo/tokenizer_json/model.h"

#include <limits>

namespace tarsier::zoo::tokenizer_json {

int32_t special_id(const Section& part, const char* key, const Vocabulary& vocabulary) {
  if (!part.has(key)) return -1;
  const int32_t id = vocabulary.id_of(part.text(key));
  check(id >= 0, "tokenizer", part.place(), ": the ", key, " '", part.text(key),
        "' is not in the vocabulary");
  return id;
}

void read_vocabulary(const Section& part, Vocabulary& vocabulary) {
  const Section vocab = part.section("vocab");
  for (const auto& [token, id] : vocab.json().as_object()) {
    check(id.is_int() && id.as_int() >= 0 && id.as_int() <= std::numeric_limits<int32_t>::max(),
          "tokenizer", vocab.place(), ": the id of '", token, "' is ", shown(id),
          ", where a whole number from 0 was expected");
    const auto number = static_cast<int32_t>(id.as_int());
    check(vocabulary.token_of(number) == nullptr, "tokenizer", vocab.place(), ": '", token,
          "' and another token have the id ", number);
    vocabulary.add(token, number);
  }
}

std::unique_ptr<Model> read_model(const Section& file) {
  const Section part = file.section("model");
  // Old files leave the type out.
  const std::string type = part.text("type", part.has("merges") ? "BPE" : "");
  if (type == "BPE") return read_bpe(part);
  if (type == "WordPiece") return read_word_piece(part);
  if (type == "Unigram") return read_unigram(part);
  part.refuse("the model '" + type + "' (expected BPE, WordPiece or Unigram)");
}

}  // namespace tarsier::zoo::tokenizer_json
