#pragma once
// The class of a code point.

#include <cstddef>
#include <string_view>

namespace tarsier::zoo {

/// The classes of \p{L}, \p{N} and \s in regular expressions, and the rest.
enum class CharClass { letter, number, space, other };

/// Unicode's class of a code point; `other` for those above U+10FFFF.
CharClass class_of(char32_t character);

/// Whether a code point is a mark on the character before it (\p{M}): an accent, a vowel sign. Its
/// class is `other`.
bool is_mark(char32_t character);

/// The lower-case letter of an upper-case one, if that is one code point; otherwise `character`.
char32_t lower_case(char32_t character);

/// The character at the beginning of UTF-8 text, and its length in bytes. A byte that begins no
/// valid character counts as one character, U+FFFD: any bytes can be traversed.
struct NextCharacter {
  char32_t character = 0xFFFD;
  size_t bytes = 1;
};
NextCharacter next_character(std::string_view text);

/// The length of the run of characters of class `kind` at the beginning of `text`; `last` gets the
/// length of its last character.
size_t run_length(std::string_view text, CharClass kind, size_t* last = nullptr);
/// The length of what \s+(?!\S)|\s+ matches at the beginning of `text`: white space without its last
/// character, unless the text ends there or nothing would be left.
size_t space_length(std::string_view text);

}  // namespace tarsier::zoo
