#include "zoo/gpt/tokens.h"

#include <algorithm>
#include <utility>

#include "autograd/io/json.h"

namespace tarsier::zoo::gpt {

namespace {

constexpr const char* kFile = "tokenizer.json";  // the kind in config.json

/// Calls add(line, whole) for every line, without its end; `whole` if it has one.
template <class Add>
void for_each_line(std::string_view text, const Add& add) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    add(text.substr(0, end), end != text.npos);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

}  // namespace

TextTokens::TextTokens(std::string_view text, const TokenizerOptions& options)
    : words_(options.kind == "words") {
  if (options.kind == "characters") {
    characters_ = CharVocabulary(decode_utf8(text, "the text"));
    return;
  }
  std::vector<std::string> lines;
  for_each_line(text, [&](std::string_view line, bool) { lines.emplace_back(line); });
  tokenizer_ = Tokenizer::train(lines, options);
}

TextTokens::TextTokens(Json file, int64_t size, const std::string& source)
    : file_(std::make_unique<tokenizer_json::TokenizerJson>(file, source)),
      content_(std::move(file)),
      file_size_(size) {
  check(file_->size() <= size, "tokenizer", source, " has ", file_->size(),
        " tokens, but the model has ", size, ": they do not belong together");
}

int64_t TextTokens::size() const {
  if (file_) return file_size_;
  return tokenizer_ ? tokenizer_->size() : characters_.size();
}

Json TextTokens::to_json() const {
  if (file_) return Json::Object{{"kind", kFile}, {"size", file_size_}, {"file", content_.dump()}};
  if (tokenizer_) return tokenizer_->to_json();
  return characters_.characters();
}

TextTokens TextTokens::from_json(const Json& json) {
  TextTokens tokens;
  if (json.is_string()) {
    tokens.characters_ = CharVocabulary::from_characters(json.as_string());
  } else if (json["kind"] == Json(kFile)) {
    return TextTokens(Json::parse(json["file"].as_string(), kFile), json["size"].as_int(), kFile);
  } else {
    tokens.tokenizer_ = Tokenizer::from_json(json);
    tokens.words_ = json["kind"].as_string() == "words";
  }
  return tokens;
}

std::vector<int32_t> TextTokens::encode(std::string_view text, const std::string& source) const {
  if (are_characters()) return characters_.encode(decode_utf8(text, source), source);
  check_utf8(text, source);
  if (file_) return file_->encode(text, /*specials=*/false);
  if (!words_) return tokenizer_->encode(text);
  std::vector<int32_t> ids;
  for_each_line(text, [&](std::string_view line, bool whole) {
    const std::vector<int32_t> words = tokenizer_->encode(line);
    ids.insert(ids.end(), words.begin(), words.end());
    if (whole) ids.push_back(kEnd);
  });
  return ids;
}

bool TextTokens::knows(const std::string& text) const {
  if (!are_characters()) return true;
  const std::vector<char32_t> characters = decode_utf8(text, "the text");
  return std::all_of(characters.begin(), characters.end(),
                     [&](char32_t c) { return characters_.contains(c); });
}

std::string TextTokens::as_written(std::string_view text) const {
  if (!words_) return std::string(text);
  std::string out;
  for_each_line(text, [&](std::string_view line, bool whole) {
    out += tokenizer_->as_written(line);
    if (whole) out += '\n';
  });
  return out;
}

std::string TextTokens::written(int32_t id, int32_t before) const {
  if (are_characters()) return encode_utf8(characters_[id]);
  if (file_) return file_->added(id, before);
  if (words_ && id == kEnd) return "\n";
  if (!words_ || (before < kSpecialTokens && before != kUnknown)) return tokenizer_->decode({id});
  return tokenizer_->decode({before, id}).substr(tokenizer_->decode({before}).size());
}

std::string TextTokens::show(int32_t id) const {
  if (file_) return file_->decode({id}, /*skip_specials=*/false);
  return are_characters() ? encode_utf8(characters_[id]) : tokenizer_->show(id);
}

int32_t TextTokens::blank() const {
  if (words_) return kEnd;
  if (file_) {
    const std::vector<int32_t> line = file_->encode("\n", /*specials=*/false);
    return line.empty() ? 0 : line.back();
  }
  if (!are_characters()) return tokenizer_->encode("\n").front();
  for (int64_t i = 0; i < characters_.size(); ++i)
    if (characters_[i] == U'\n') return static_cast<int32_t>(i);
  return 0;
}

std::pair<std::string_view, std::string_view> training_and_validation(std::string_view text) {
  return split_characters(text, count_characters(text) * 9 / 10);
}

}  // namespace tarsier::zoo::gpt
