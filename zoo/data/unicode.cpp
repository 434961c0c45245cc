#include "zoo/data/unicode.h"

#include "autograd/io/utf8.h"
#include "zoo/data/find_range.h"
#include "zoo/data/unicode_tables.h"

namespace tarsier::zoo {

CharClass class_of(char32_t c) {
  if (find_range(kLetters, c) != nullptr) return CharClass::letter;
  if (find_range(kSpaces, c) != nullptr) return CharClass::space;
  if (find_range(kNumbers, c) != nullptr) return CharClass::number;
  return CharClass::other;
}

bool is_mark(char32_t c) { return find_range(kMarks, c) != nullptr; }

char32_t lower_case(char32_t c) {
  const LowerRun* run = find_range(kLower, c);
  if (run == nullptr || (c - run->first) % run->step != 0) return c;
  return static_cast<char32_t>(static_cast<int32_t>(c) + run->distance);
}

NextCharacter next_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size() || !is_utf8(text.substr(0, bytes))) return {};
  char32_t c = lead & (0xFF >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  return {c, bytes};
}

size_t run_length(std::string_view text, CharClass kind, size_t* last) {
  size_t at = 0;
  while (at < text.size()) {
    const NextCharacter next = next_character(text.substr(at));
    if (class_of(next.character) != kind) break;
    at += next.bytes;
    if (last != nullptr) *last = next.bytes;
  }
  return at;
}

size_t space_length(std::string_view text) {
  size_t last = 0;
  const size_t length = run_length(text, CharClass::space, &last);
  return length == text.size() || length == last ? length : length - last;
}

}  // namespace tarsier::zoo
