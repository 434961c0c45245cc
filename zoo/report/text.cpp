// Text and numbers in a page.
#include <cmath>
#include <cstdio>

#include "zoo/base/format.h"
#include "zoo/data/text.h"
#include "zoo/data/unicode.h"
#include "zoo/report/svg.h"

namespace tarsier::zoo {

std::string escape(std::string_view text) {
  static constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string out;
  while (!text.empty()) {
    const NextCharacter next = next_character(text);
    const char32_t c = next.character;
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (control || c == 0xFFFD || c == 0xFFFE || c == 0xFFFF) {
      out += kReplacement;
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string shortened(std::string_view text, int64_t characters) {
  size_t bytes = 0;
  for (int64_t i = 0; i < characters && bytes < text.size(); ++i)
    bytes += next_character(text.substr(bytes)).bytes;
  const std::string kept(text.substr(0, bytes));
  return bytes < text.size() ? kept + "…" : kept;
}

std::string visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += "␣";
    } else if (c == '\n') {
      out += "⏎";
    } else if (c == '\t') {
      out += "⇥";
    } else {
      out += c;
    }
  }
  return out;
}

std::string short_number(double value) {
  if (!std::isfinite(value)) return "–";
  if (std::abs(value) < 1e12 && value == std::floor(value))
    return with_commas(static_cast<int64_t>(value));
  if (std::abs(value) >= 1000 && std::abs(value) < 1e12)
    return with_commas(static_cast<int64_t>(std::llround(value)));
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace tarsier::zoo
