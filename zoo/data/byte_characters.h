#pragma once
// Bytes as characters in GPT-2's files: each byte is written as one printable character. Bytes that
// Latin-1 prints stand for themselves; the others are, in order, U+0100, U+0101, ….

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text.h"

namespace tarsier::zoo {

struct ByteCharacters {
  std::array<char32_t, 256> character{};
  std::unordered_map<char32_t, uint8_t> byte;
  std::vector<uint8_t> order;  ///< by character: the order of ids

  ByteCharacters() {
    const auto prints = [](unsigned b) {
      return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    };
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) character[b] = prints(b) ? b : next++;
    for (unsigned b = 0; b < 256; ++b) {
      byte[character[b]] = static_cast<uint8_t>(b);
      order.push_back(static_cast<uint8_t>(b));
    }
    std::sort(order.begin(), order.end(),
              [&](uint8_t a, uint8_t b) { return character[a] < character[b]; });
  }
};

inline const ByteCharacters& byte_characters() {
  static const ByteCharacters table;
  return table;
}

/// The bytes that `text` stands for; empty if a character stands for no byte.
inline std::optional<std::string> bytes_of(std::string_view text) {
  std::string out;
  for (char32_t character : decode_utf8(text, "a token")) {
    const auto found = byte_characters().byte.find(character);
    if (found == byte_characters().byte.end()) return std::nullopt;
    out += static_cast<char>(found->second);
  }
  return out;
}

}  // namespace tarsier::zoo
