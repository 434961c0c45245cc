#include "zoo/data/words.h"

#include <algorithm>
#include <map>
#include <utility>

#include "autograd/base/error.h"
#include "autograd/io/json.h"
#include "autograd/io/utf8.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

namespace {

constexpr std::string_view kJoiner = "￭", kInsteadOfJoiner = "■";

/// What a character does at the edge of words.
enum class Kind { letter, digit, apostrophe, hyphen, point, space, symbol };

/// One character of the text, or one entity (&quot;).
struct Unit {
  std::string_view text;
  Kind kind = Kind::symbol;
};

/// The length of an entity at the beginning of `text` (&, letters or #digits, and a semicolon), or
/// 0.
size_t entity_length(std::string_view text) {
  if (text[0] != '&') return 0;
  size_t i = 1;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '#';
  };
  while (i < text.size() && i < 10 && fits(text[i])) ++i;
  return i > 1 && i < text.size() && text[i] == ';' ? i + 1 : 0;
}

Kind kind_of(char32_t character) {
  if (character == U'\'' || character == U'’') return Kind::apostrophe;
  if (character == U'-') return Kind::hyphen;
  if (character == U'.' || character == U',') return Kind::point;
  switch (class_of(character)) {
    case CharClass::letter:
      return Kind::letter;
    case CharClass::number:
      return Kind::digit;
    case CharClass::space:
      return Kind::space;
    case CharClass::other:
      return is_mark(character) ? Kind::letter : Kind::symbol;
  }
  return Kind::symbol;
}

std::vector<Unit> units_of(std::string_view text) {
  std::vector<Unit> units;
  while (!text.empty()) {
    Unit unit;
    if (const size_t length = entity_length(text)) {
      unit.text = text.substr(0, length);
      unit.kind = unit.text == "&apos;" || unit.text == "&#39;" ? Kind::apostrophe : Kind::symbol;
    } else {
      const auto [character, bytes] = next_character(text);
      unit = {text.substr(0, bytes), kind_of(character)};
    }
    units.push_back(unit);
    text.remove_prefix(unit.text.size());
  }
  return units;
}

bool in_word(Kind kind) { return kind == Kind::letter || kind == Kind::digit; }

/// A token as places in the list of units.
struct Span {
  size_t begin, end;
  bool is_word;
};

/// The token that begins at unit `i`, which is no space.
Span next_span(const std::vector<Unit>& units, size_t i) {
  const auto kind = [&](size_t at) { return at < units.size() ? units[at].kind : Kind::space; };
  const auto letters_from = [&](size_t at) {
    size_t count = 0;
    while (kind(at + count) == Kind::letter) ++count;
    return count;
  };
  size_t end = i + 1;
  if (kind(i) == Kind::apostrophe) {
    const size_t letters = letters_from(i + 1);
    const bool ending = (letters == 1 || letters == 2) && !in_word(kind(i + 1 + letters));
    if (ending) return {i, i + 1 + letters, false};
  }
  if (in_word(kind(i))) {
    for (;; ++end) {
      if (in_word(kind(end))) continue;
      const bool hyphen = kind(end) == Kind::hyphen && in_word(kind(end + 1));
      const bool point =
          kind(end) == Kind::point && kind(end - 1) == Kind::digit && kind(end + 1) == Kind::digit;
      const bool apostrophe = kind(end) == Kind::apostrophe && letters_from(end + 1) > 2;
      if (!hyphen && !point && !apostrophe) return {i, end, true};
    }
  }
  while (end < units.size() && units[end].text == units[i].text) ++end;
  return {i, end, false};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [character, bytes] = next_character(text);
    const char32_t lower = lower_case(character);
    if (lower == character) {
      out += text.substr(0, bytes);  // even if it is not UTF-8
    } else {
      append_utf8(out, lower);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::vector<std::string> split_words(std::string_view text, bool lower_case) {
  std::string prepared = lower_case ? to_lower(text) : std::string(text);
  replace_all(prepared, kJoiner, kInsteadOfJoiner);
  const std::vector<Unit> units = units_of(prepared);
  std::vector<std::string> tokens;
  bool joined = false;  // no space before this token
  for (size_t i = 0; i < units.size();) {
    if (units[i].kind == Kind::space) {
      joined = false;
      ++i;
      continue;
    }
    const Span span = next_span(units, i);
    std::string token;
    for (i = span.begin; i < span.end; ++i) token += units[i].text;
    // Of two tokens without a space between, at least one is not a word: that one gets the mark.
    if (joined && span.is_word) {
      tokens.back() += kJoiner;
    } else if (joined) {
      token.insert(0, kJoiner);
    }
    tokens.push_back(std::move(token));
    joined = true;
  }
  return tokens;
}

std::string join_words(const std::vector<std::string>& tokens) {
  std::string out;
  bool joined = true;
  for (std::string_view token : tokens) {
    if (token.starts_with(kJoiner) && token.size() > kJoiner.size()) {
      joined = true;
      token.remove_prefix(kJoiner.size());
    }
    const bool joins_next = token.ends_with(kJoiner) && token.size() > kJoiner.size();
    if (joins_next) token.remove_suffix(kJoiner.size());
    if (!joined) out += ' ';
    out += token;
    joined = joins_next;
  }
  return out;
}

// -------------------------------------------------------------------------------------- vocabulary

namespace {

const std::vector<std::string>& special_tokens() {
  static const std::vector<std::string> tokens = {"<pad>", "<unk>", "<bos>", "<eos>"};
  return tokens;
}

}  // namespace

void WordVocabulary::add(const std::string& token) {
  const bool is_new = ids_.try_emplace(token, static_cast<int32_t>(tokens_.size())).second;
  check(is_new, "data", "the vocabulary has '", token, "' twice");
  tokens_.push_back(token);
}

WordVocabulary::WordVocabulary(const std::vector<std::vector<std::string>>& sentences,
                               int64_t min_count, int64_t max_size) {
  std::map<std::string, int64_t> counts;
  for (const auto& sentence : sentences)
    for (const std::string& token : sentence) ++counts[token];
  for (const std::string& token : special_tokens()) {
    add(token);
    counts.erase(token);
  }
  std::vector<std::pair<int64_t, std::string>> frequent;
  for (const auto& [token, count] : counts)
    if (count >= min_count) frequent.emplace_back(-count, token);
  check(!frequent.empty(), "data", "none of ", counts.size(), " different words occurs ", min_count,
        " times: lower min_count, or give more text");
  std::sort(frequent.begin(), frequent.end());
  for (const auto& [count, token] : frequent)
    if (max_size == 0 || size() < max_size) add(token);
}

Json WordVocabulary::to_json() const { return Json::Array(tokens_.begin(), tokens_.end()); }

WordVocabulary WordVocabulary::from_json(const Json& json) {
  WordVocabulary out;
  for (const Json& token : json.as_array()) out.add(token.as_string());
  const std::vector<std::string>& special = special_tokens();
  check(out.tokens_.size() > special.size() &&
            std::equal(special.begin(), special.end(), out.tokens_.begin()),
        "data", "the vocabulary must begin with <pad>, <unk>, <bos>, <eos>, and have words");
  return out;
}

int32_t WordVocabulary::id_of(const std::string& token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? kUnknown : found->second;
}

std::vector<int32_t> WordVocabulary::encode(const std::vector<std::string>& tokens) const {
  std::vector<int32_t> out;
  for (const std::string& token : tokens) out.push_back(id_of(token));
  return out;
}

std::vector<std::string> WordVocabulary::decode(const std::vector<int32_t>& ids) const {
  std::vector<std::string> out;
  for (int32_t id : ids) {
    check(id >= 0 && id < size(), "data", "there is no word ", id, ": the vocabulary has ", size());
    if (id == kEnd) break;
    if (id != kPad && id != kBegin) out.push_back((*this)[id]);
  }
  return out;
}

}  // namespace tarsier::zoo
