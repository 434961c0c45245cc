#pragma once
// Whether markup is well formed, and values that make it hard.

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/error.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline const char* const kNasty = "<b onload='x'>&\"\x01\xff\n</svg>]]>";

inline int count(std::string_view text, std::string_view part) {
  int n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

/// What is wrong with markup, read as XML: "" if every tag is closed in turn, every attribute
/// quoted, every & the beginning of an entity, and no byte is invalid.
inline std::string flaw(std::string_view text) {
  std::vector<std::string> open;
  const auto entity_ok = [](std::string_view rest) {
    for (const char* name : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
      if (rest.starts_with(name)) return true;
    return false;
  };
  if (text.starts_with("<!DOCTYPE html>")) text.remove_prefix(15);
  for (size_t i = 0; i < text.size();) {
    const NextCharacter next = next_character(text.substr(i));
    const bool replaced = next.character == 0xFFFD && next.bytes == 1;
    if (replaced || (next.character < 0x20 && text[i] != '\n' && text[i] != '\t'))
      return concat("byte ", static_cast<int>(static_cast<unsigned char>(text[i])), " at ", i);
    if (text[i] == '&' && !entity_ok(text.substr(i))) return concat("bare & at ", i);
    if (text[i] == '>') return concat("bare > at ", i);
    if (text[i] != '<') {
      i += next.bytes;
      continue;
    }
    const size_t end = text.find('>', i);
    if (end == text.npos) return "a tag without end";
    std::string_view tag = text.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1))
        return concat("</", tag.substr(1), "> closes ", open.empty() ? "nothing" : open.back());
      open.pop_back();
      continue;
    }
    const bool closed = tag.ends_with('/');
    if (closed) tag.remove_suffix(1);
    const std::string name(tag.substr(0, tag.find(' ')));
    tag.remove_prefix(name.size());
    while (!tag.empty()) {  // ' name="value"'
      const size_t quote = tag.find("=\"");
      const size_t after = quote == tag.npos ? tag.npos : tag.find('"', quote + 2);
      if (tag[0] != ' ' || after == tag.npos) return concat("attributes of <", name, ">: ", tag);
      const std::string_view value = tag.substr(quote + 2, after - quote - 2);
      if (value.find('<') != value.npos) return concat("< in an attribute of <", name, ">");
      for (size_t at = 0; (at = value.find('&', at)) != value.npos; ++at)
        if (!entity_ok(value.substr(at))) return concat("bare & in an attribute of <", name, ">");
      tag.remove_prefix(after + 1);
    }
    if (closed) continue;
    open.push_back(name);
    if (name == "style") {  // not markup inside
      i = text.find("</style>", i);
      if (i == text.npos) return "a style without end";
    }
  }
  return open.empty() ? "" : concat("<", open.back(), "> is not closed");
}

}  // namespace tarsier::zoo
