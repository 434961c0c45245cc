#include "zoo/tokenizer_json/normalizer.h"

#include <utility>

#include "zoo/tokenizer_json/characters.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

using Step = std::function<std::string(const std::string&)>;

/// The text that f(out, character) makes of each character.
template <class F>
std::string mapped(const std::string& text, const F& f) {
  std::string out;
  for_each_character(text, [&](char32_t c, std::string_view) { f(out, c); });
  return out;
}

std::string without(const std::string& text, bool (*drops)(char32_t)) {
  return mapped(text, [&](std::string& out, char32_t c) {
    if (!drops(c)) append_utf8(out, c);
  });
}

std::string lowered(const std::string& text) { return mapped(text, append_lower_case); }

/// Without control characters, and with a space for each white space.
std::string cleaned(const std::string& text) {
  return mapped(text, [](std::string& out, char32_t c) {
    if (c == U'\t' || c == U'\n' || c == U'\r' || (is_space(c) && !is_unclean(c))) {
      out += ' ';
    } else if (!is_unclean(c)) {
      append_utf8(out, c);
    }
  });
}

std::string spaced_ideographs(const std::string& text) {
  return mapped(text, [](std::string& out, char32_t c) {
    if (is_ideograph(c)) out += ' ';
    append_utf8(out, c);
    if (is_ideograph(c)) out += ' ';
  });
}

/// Without white space at its ends.
std::string stripped(const std::string& text, bool left, bool right) {
  size_t begin = text.size(), end = 0, at = 0;
  for_each_character(text, [&](char32_t c, std::string_view bytes) {
    if (!is_space(c)) {
      begin = std::min(begin, at);
      end = at + bytes.size();
    }
    at += bytes.size();
  });
  if (!left) begin = 0;
  if (!right) end = text.size();
  return begin < end ? text.substr(begin, end - begin) : "";
}

/// Source: Devlin et al. 2018, tokenization.py.
Step bert(const Section& part) {
  const bool clean = part.flag("clean_text", true),
             spaces = part.flag("handle_chinese_chars", true), lower = part.flag("lowercase", true),
             strip = part.flag("strip_accents", lower);
  return [=](const std::string& text) {
    std::string out = clean ? cleaned(text) : text;
    if (spaces) out = spaced_ideographs(out);
    if (strip) out = without(nfd(out), is_bert_accent);
    return lower ? lowered(out) : out;
  };
}

Step step_of(const Section& part) {
  const std::string type = part.type();
  if (type == "NFC") return [](const std::string& text) { return nfc(text); };
  if (type == "NFD") return [](const std::string& text) { return nfd(text); };
  if (type == "Lowercase") return lowered;
  if (type == "StripAccents")
    return [](const std::string& text) { return without(text, is_accent); };
  if (type == "BertNormalizer") return bert(part);
  if (type == "Strip") {
    const bool left = part.flag("strip_left"), right = part.flag("strip_right");
    return [=](const std::string& text) { return stripped(text, left, right); };
  }
  if (type == "Prepend") {
    const std::string start = part.text("prepend");
    return [=](const std::string& text) { return text.empty() ? text : start + text; };
  }
  if (type == "Replace") {
    const std::string from = fixed_pattern(part), to = part.text("content");
    return [=](const std::string& text) { return replaced(text, from, to); };
  }
  part.refuse("the normalizer '" + type + "'");
}

}  // namespace

std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
  std::string out;
  size_t at = 0;
  for (size_t found; (found = text.find(from, at)) != text.npos; at = found + from.size())
    out.append(text, at, found - at).append(to);
  return out.append(text, at);
}

std::string fixed_pattern(const Section& part) {
  const Section pattern = part.section("pattern");
  const bool is_fixed = pattern.has("String");
  const std::string text = pattern.text(is_fixed ? "String" : "Regex");
  if (!is_fixed && text.find_first_of("\\[](){}.*+?|^$") != text.npos)
    part.refuse("the regular expression '" + text + "'");
  if (text.empty()) pattern.mistaken(is_fixed ? "String" : "Regex", "a text that is not empty");
  return text;
}

Normalizer::Normalizer(const Section& file) {
  for (const Section& part : steps_of(file, "normalizer", "normalizers")) {
    steps_.push_back(step_of(part));
    const std::string type = part.type();
    may_remove_ = may_remove_ || type == "StripAccents" || type == "Strip" ||
                  type == "BertNormalizer" || (type == "Replace" && part.text("content").empty());
  }
}

std::string Normalizer::operator()(std::string text) const {
  for (const Step& step : steps_) text = step(text);
  return text;
}

}  // namespace tarsier::zoo::tokenizer_json
