#include "autograd/io/utf8.h"

namespace tarsier {

bool is_utf8(std::string_view text, size_t* bad) {
  const auto fails_at = [&](size_t at) {
    if (bad != nullptr) *bad = at;
    return false;
  };
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    // The number of continuation bytes, and the range of the first (Unicode 15, table 3-7). This
    // excludes overlong forms, surrogates and code points above U+10FFFF.
    int more = 0;
    unsigned low = 0x80, high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return fails_at(i);
    }
    const size_t start = i++;
    for (; more > 0; --more, ++i, low = 0x80, high = 0xBF) {
      if (i >= text.size()) return fails_at(start);
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < low || byte > high) return fails_at(start);
    }
  }
  return true;
}

std::string repaired_utf8(std::string_view text) {
  std::string clean;
  size_t bad = 0;
  while (!is_utf8(text, &bad)) {
    clean.append(text.substr(0, bad)).append("\xEF\xBF\xBD");
    text.remove_prefix(bad + 1);
  }
  return clean.append(text);
}

void append_utf8(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
}

}  // namespace tarsier
