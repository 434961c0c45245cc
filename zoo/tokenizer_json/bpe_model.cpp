// Byte pairs over characters. With ByteLevel pieces the characters are bytes; with byte_fallback a
// character without a token becomes the tokens <0x00> … <0xFF> of its bytes.
// Source: Sennrich et al. 2016; https://huggingface.co/docs/tokenizers

#include <cstdio>
#include <utility>

#include "zoo/data/merge_table.h"
#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/model.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

class BpeModel final : public Model {
 public:
  explicit BpeModel(const Section& part)
      : prefix_(part.text("continuing_subword_prefix", "")),
        suffix_(part.text("end_of_word_suffix", "")),
        fuse_unknown_(part.flag("fuse_unk", false)),
        byte_fallback_(part.flag("byte_fallback", false)),
        ignore_merges_(part.flag("ignore_merges", false)) {
    const Json* dropout = part.json().find("dropout");
    if (part.has("dropout") && !(dropout->is_number() && dropout->as_double() == 0))
      part.refuse("a dropout of " + shown(*dropout));
    read_vocabulary(part, vocabulary);
    unknown_ = special_id(part, "unk_token", vocabulary);
    for (int byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
      byte_tokens_.push_back(vocabulary.id_of(name));
    }
    read_merges(part);
  }

  void encode(std::string_view piece, std::vector<int32_t>& out) const override {
    if (ignore_merges_)
      if (const int32_t whole = vocabulary.id_of(piece); whole >= 0) {
        out.push_back(whole);
        return;
      }
    cache_.append(piece, out, [&](std::string_view word, std::vector<int32_t>& tokens) {
      std::vector<int32_t> own = symbols_of(word);
      merges_.apply(own);
      tokens.insert(tokens.end(), own.begin(), own.end());
    });
  }

 private:
  /// A merge is "a b" or ["a", "b"].
  std::pair<std::string, std::string> halves_of(const Section& part, const Json& merge,
                                                size_t number) const {
    if (merge.is_string()) {
      const std::string& text = merge.as_string();
      const size_t space = text.find(' ');
      if (space != text.npos && text.find(' ', space + 1) == text.npos)
        return {text.substr(0, space), text.substr(space + 1)};
    } else if (merge.is_array() && merge.as_array().size() == 2 &&
               merge.as_array()[0].is_string() && merge.as_array()[1].is_string()) {
      return {merge.as_array()[0].as_string(), merge.as_array()[1].as_string()};
    }
    fail("tokenizer", part.place(), ", merge ", number, ": found ", merge.dump().substr(0, 40),
         ", where two tokens were expected: \"a b\" or [\"a\", \"b\"]");
  }

  void read_merges(const Section& part) {
    if (!part.value("merges").is_array()) part.mistaken("merges", "a list […]");
    size_t number = 0;
    for (const Json& merge : part.value("merges").as_array()) {
      const auto [left, right] = halves_of(part, merge, ++number);
      const auto id_of = [&](const std::string& token) {
        const int32_t id = vocabulary.id_of(token);
        check(id >= 0, "tokenizer", part.place(), ", merge ", number, ": '", token,
              "' is not in the vocabulary");
        return id;
      };
      const std::string end = right.starts_with(prefix_) ? right.substr(prefix_.size()) : right;
      merges_.add({id_of(left), id_of(right)}, id_of(left + end));
    }
  }

  /// The tokens of single characters.
  std::vector<int32_t> symbols_of(std::string_view word) const {
    std::vector<int32_t> out;
    size_t unknown = 0;  // characters that have no token and are not written yet
    const auto flush = [&] {
      if (unknown > 0) out.insert(out.end(), fuse_unknown_ ? 1 : unknown, unknown_);
      unknown = 0;
    };
    size_t at = 0;
    for_each_character(word, [&](char32_t, std::string_view bytes) {
      std::string symbol(bytes);
      if (at > 0) symbol.insert(0, prefix_);
      at += bytes.size();
      if (at == word.size()) symbol += suffix_;
      if (const int32_t id = vocabulary.id_of(symbol); id >= 0) {
        flush();
        out.push_back(id);
      } else if (!(byte_fallback_ && append_bytes(symbol, out)) && unknown_ >= 0) {
        ++unknown;
      }
    });
    flush();
    return out;
  }

  /// Appends the tokens of the bytes, if all have one.
  bool append_bytes(const std::string& symbol, std::vector<int32_t>& out) const {
    for (const char byte : symbol)
      if (byte_tokens_[static_cast<uint8_t>(byte)] < 0) return false;
    for (const char byte : symbol) out.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
    return true;
  }

  const std::string prefix_, suffix_;
  const bool fuse_unknown_, byte_fallback_, ignore_merges_;
  int32_t unknown_ = -1;
  std::vector<int32_t> byte_tokens_;  // −1 where there is none
  MergeTable merges_;
  mutable WordCache cache_;
};

}  // namespace

std::unique_ptr<Model> read_bpe(const Section& part) { return std::make_unique<BpeModel>(part); }

}  // namespace tarsier::zoo::tokenizer_json
