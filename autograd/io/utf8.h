#pragma once
// UTF-8, the encoding of every text file that the project reads.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier {

/// Whether `text` is valid UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF); if
/// not, `bad` is the position of the first invalid byte.
bool is_utf8(std::string_view text, size_t* bad = nullptr);

/// `text` with U+FFFD in place of every byte that is not part of valid UTF-8: a text may have been
/// cut inside a character.
std::string repaired_utf8(std::string_view text);

/// Appends the encoding of a code point, which must be at most U+10FFFF and not a surrogate.
void append_utf8(std::string& out, uint32_t code);

}  // namespace tarsier
