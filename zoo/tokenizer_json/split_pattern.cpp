#include "zoo/tokenizer_json/split_pattern.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "zoo/data/bpe.h"
#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/normalizer.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

bool is_line_end(char32_t c) { return c == U'\r' || c == U'\n'; }

/// The length of (?i:'s|'t|'re|'ve|'m|'ll|'d) at the beginning of `text`, or 0. ſ is an s in lower
/// case.
size_t contraction(std::string_view text) {
  if (text.starts_with("'ſ")) return std::string_view("'ſ").size();
  for (const std::string_view end : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.size() >= end.size() &&
        std::equal(end.begin(), end.end(), text.begin(), [](char want, char found) {
          return want == static_cast<char>(std::tolower(static_cast<unsigned char>(found)));
        }))
      return end.size();
  return 0;
}

size_t line_ends(std::string_view text) {
  return std::min(text.find_first_not_of("\r\n"), text.size());
}

/// The first piece of Llama 3's regular expression, or of Qwen's, whose numbers have one digit.
size_t llama_piece(std::string_view text, int most_digits) {
  if (const size_t length = contraction(text)) return length;
  const NextCharacter first = next_character(text);
  const CharClass kind = class_of(first.character);
  // [^\r\n\p{L}\p{N}]?\p{L}+
  const bool may_lead = kind != CharClass::number && !is_line_end(first.character);
  const size_t lead = kind == CharClass::letter || !may_lead ? 0 : first.bytes;
  if (const size_t letters = run_length(text.substr(lead), CharClass::letter))
    return lead + letters;
  if (kind == CharClass::number) {  // \p{N}{1,3}
    size_t length = 0;
    for (int i = 0; i < most_digits && length < text.size(); ++i) {
      const NextCharacter next = next_character(text.substr(length));
      if (class_of(next.character) != CharClass::number) break;
      length += next.bytes;
    }
    return length;
  }
  // ␣?[^\s\p{L}\p{N}]+[\r\n]*
  const size_t space = text[0] == ' ' ? 1 : 0;
  if (const size_t others = run_length(text.substr(space), CharClass::other))
    return space + others + line_ends(text.substr(space + others));
  // \s*[\r\n]+ goes to the last line end of the white space.
  const size_t last = text.substr(0, run_length(text, CharClass::space)).find_last_of("\r\n");
  return last != text.npos ? last + 1 : space_length(text);
}

}  // namespace

Chunk gpt2_chunk(std::string_view text) { return {piece_length(text), true}; }

Chunk word_chunk(std::string_view text) {
  const Chunk word = run_chunk(text, is_word);
  if (word.is_match) return word;
  const Chunk other = run_chunk(text, [](char32_t c) { return !is_word(c) && !is_space(c); });
  if (other.is_match) return other;
  return {run_length(text, CharClass::space), false};
}

SplitPattern pattern_of(const Section& part) {
  const Section pattern = part.section("pattern");
  const std::string regex = pattern.text("Regex", "");
  if (regex == kGpt2) return gpt2_chunk;
  for (const auto& [known, digits] : {std::pair{kLlama3, 3}, std::pair{kQwen2, 1}})
    if (regex == known)
      return [digits = digits](std::string_view text) {
        return Chunk{llama_piece(text, digits), true};
      };
  return fixed_text(fixed_pattern(part));
}

SplitPattern fixed_text(std::string text) {
  return [fixed = std::move(text)](std::string_view text) {
    const size_t at = text.find(fixed);
    return at == 0 ? Chunk{fixed.size(), true} : Chunk{std::min(at, text.size()), false};
  };
}

}  // namespace tarsier::zoo::tokenizer_json
