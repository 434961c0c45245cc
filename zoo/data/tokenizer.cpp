#include "zoo/data/tokenizer.h"

#include <utility>

#include "autograd/base/error.h"
#include "autograd/io/json.h"
#include "zoo/data/bpe.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

namespace {

std::string joined(const std::vector<std::string>& tokens) {
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

/// Words, or single characters.
class ListTokenizer final : public Tokenizer {
 public:
  ListTokenizer(const std::vector<std::string>& texts, const TokenizerOptions& options)
      : words_(options.kind == "words"), lower_(words_ && options.lower) {
    std::vector<std::vector<std::string>> tokens;
    for (const std::string& text : texts) tokens.push_back(split(text, false));
    vocabulary_ = WordVocabulary(tokens, options.min_count);
  }

  explicit ListTokenizer(const Json& json)
      : words_(json["kind"].as_string() == "words"),
        lower_(json["lower"].as_bool()),
        vocabulary_(WordVocabulary::from_json(json["tokens"])) {}

  Json to_json() const override {
    return Json::Object{{"kind", words_ ? "words" : "characters"},
                        {"lower", lower_},
                        {"tokens", vocabulary_.to_json()}};
  }

  int64_t size() const override { return vocabulary_.size(); }

  std::vector<int32_t> encode(std::string_view text) const override {
    return vocabulary_.encode(split(text, false));
  }

  std::string decode(const std::vector<int32_t>& ids) const override {
    return join(vocabulary_.decode(ids));
  }

  std::vector<std::string> split(std::string_view text, bool as_is) const override {
    if (words_) return split_words(text, lower_ && !as_is);
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size(); at += out.back().size())
      out.emplace_back(text.substr(at, next_character(text.substr(at)).bytes));
    return out;
  }

  std::string join(const std::vector<std::string>& tokens) const override {
    return words_ ? join_words(tokens) : joined(tokens);
  }

  std::string as_written(std::string_view text) const override {
    return words_ ? join_words(split(text, false)) : std::string(text);
  }

  std::string show(int32_t id) const override { return vocabulary_[id]; }

 private:
  bool words_, lower_;
  WordVocabulary vocabulary_;
};

/// Byte pairs; can encode every text.
class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(Bpe bpe) : bpe_(std::move(bpe)) {}

  Json to_json() const override { return Json::Object{{"kind", "bpe"}, {"bpe", bpe_.to_json()}}; }

  int64_t size() const override { return kSpecialTokens + bpe_.size(); }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids = bpe_.encode(text);
    for (int32_t& id : ids) id += kSpecialTokens;
    return ids;
  }

  std::string decode(const std::vector<int32_t>& ids) const override {
    std::vector<int32_t> text;
    for (int32_t id : ids) {
      if (id == kEnd) break;
      if (id >= kSpecialTokens) text.push_back(id - kSpecialTokens);
    }
    return bpe_.decode(text);
  }

  std::vector<std::string> split(std::string_view text, bool) const override {
    std::vector<std::string> out;
    for (const int32_t id : bpe_.encode(text)) out.push_back(bpe_[id]);
    return out;
  }

  std::string join(const std::vector<std::string>& tokens) const override { return joined(tokens); }

  std::string show(int32_t id) const override {
    static const char* const specials[] = {"<pad>", "<unk>", "<bos>", "<eos>"};
    return id < kSpecialTokens ? specials[id] : bpe_[id - kSpecialTokens];
  }

 private:
  Bpe bpe_;
};

}  // namespace

void TokenizerOptions::add_to(Settings& settings) {
  settings.add("tokens", kind, "units that a text is split into", {"words", "characters", "bpe"});
  settings.add("lower", lower, "words in lower case");
  settings.add("min_count", min_count, "rarer words and characters are unknown");
  settings.add("vocab_size", size, "of bpe: the number of tokens", 256);
  settings.add("vocab", vocab, "a folder with the files of an existing bpe", {});
}

std::unique_ptr<Tokenizer> Tokenizer::train(const std::vector<std::string>& texts,
                                            const TokenizerOptions& options) {
  if (options.kind == "words" || options.kind == "characters")
    return std::make_unique<ListTokenizer>(texts, options);
  check(options.kind == "bpe", "tokenizer", "unknown kind of tokens '", options.kind,
        "': use words, characters or bpe");
  if (!options.vocab.empty())
    return std::make_unique<BpeTokenizer>(Bpe::load_folder(options.vocab));
  std::string all;
  for (const std::string& text : texts) all.append(text).append("\n");
  return std::make_unique<BpeTokenizer>(Bpe::train(all, options.size));
}

std::unique_ptr<Tokenizer> Tokenizer::from_json(const Json& json) {
  const std::string kind = json["kind"].as_string();
  if (kind == "words" || kind == "characters") return std::make_unique<ListTokenizer>(json);
  check(kind == "bpe", "tokenizer", "'", kind,
        "' is not a kind of tokens: expected words, characters or bpe");
  return std::make_unique<BpeTokenizer>(Bpe::from_json(json["bpe"]));
}

}  // namespace tarsier::zoo
