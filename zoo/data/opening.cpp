#include "zoo/data/opening.h"

#include <algorithm>
#include <map>

#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace {

/// The first word of a line; of a very long one (a text without spaces) its beginning.
std::string_view first_word(std::string_view line) {
  constexpr size_t kMostBytes = 40;
  size_t end = std::min(line.find_first_of(" \t\r"), line.size());
  if (end > kMostBytes)
    for (end = kMostBytes; !begins_character(line[end]);) --end;  // not inside a character
  return line.substr(0, end);
}

}  // namespace

Opening opening_of(std::string_view text) {
  std::map<std::string_view, int> counts;
  std::string_view first;
  bool after_empty = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view word = first_word(line);
    if (first.empty()) first = word;
    if (after_empty && !word.empty() && word.find_first_of(")]}") != 0) ++counts[word];
    after_empty = line.find_first_not_of(" \t\r") == line.npos;
  }
  const auto most = std::ranges::max_element(
      counts, [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counts.end() || most->second < 2) return {std::string(first), false};
  return {std::string(most->first), true};
}

}  // namespace tarsier::zoo
