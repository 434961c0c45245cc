#pragma once
// How the paragraphs of a text begin: a good prompt for a model of it.

#include <string>
#include <string_view>

namespace tarsier::zoo {

struct Opening {
  std::string word;     ///< "" if the text has no words
  bool common = false;  ///< whether several paragraphs begin with it
};

/// The most common first word of a paragraph, i.e. of a line after an empty one: "///" in these
/// sources, where a comment begins. If no two paragraphs begin alike, the first word of the text.
/// Indented lines and closing lines ("}") do not count.
Opening opening_of(std::string_view text);

}  // namespace tarsier::zoo
