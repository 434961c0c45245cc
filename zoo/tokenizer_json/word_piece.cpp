// WordPiece: the longest token at the beginning of a word, then the longest that continues it.
// Source: Wu et al. 2016, "Google's neural machine translation system"; Devlin et al. 2018.

#include <utility>

#include "zoo/data/text.h"
#include "zoo/tokenizer_json/model.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

class WordPiece final : public Model {
 public:
  explicit WordPiece(const Section& part)
      : prefix_(part.text("continuing_subword_prefix", "##")),
        longest_(part.whole("max_input_chars_per_word", 1, kLongest, 100)) {
    read_vocabulary(part, vocabulary);
    unknown_ = special_id(part, "unk_token", vocabulary);
    check(unknown_ >= 0, "tokenizer", part.place(), ": the key 'unk_token' is missing");
  }

  void encode(std::string_view word, std::vector<int32_t>& out) const override {
    const size_t before = out.size();
    bool is_known = count_characters(word) <= longest_;
    for (size_t at = 0; is_known && at < word.size();) {
      const auto [id, bytes] = longest_token(word.substr(at), at > 0);
      is_known = id >= 0;
      out.push_back(id);
      at += bytes;
    }
    if (is_known) return;
    out.resize(before);
    out.push_back(unknown_);
  }

 private:
  static constexpr int64_t kLongest = 1000;  // of a word: finding its tokens takes n³ steps

  /// The longest token that `text` begins with, and its length there; −1 if there is none.
  std::pair<int32_t, size_t> longest_token(std::string_view text, bool continues) const {
    std::string token = continues ? prefix_ : "";
    const size_t start = token.size();
    token += text;
    while (token.size() > start) {
      if (const int32_t id = vocabulary.id_of(token); id >= 0) return {id, token.size() - start};
      while (!begins_character(token.back())) token.pop_back();
      token.pop_back();
    }
    return {-1, 0};
  }

  const std::string prefix_;
  const int64_t longest_;
  int32_t unknown_ = -1;
};

}  // namespace

std::unique_ptr<Model> read_word_piece(const Section& part) {
  return std::make_unique<WordPiece>(part);
}

}  // namespace tarsier::zoo::tokenizer_json
