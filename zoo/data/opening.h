#pragma once
// How the parts of a text begin: what a model of it is best asked to go on with.

#include <string>
#include <string_view>

namespace tarsier::zoo {

struct Opening {
  std::string word;     ///< "" where the text has no words
  bool common = false;  ///< whether several paragraphs begin with it
};

/// The commonest first word of a paragraph, that is of a line after an empty one: "///" in these
/// sources, where a comment begins. Where no two paragraphs begin alike, the first word of the
/// text. Indented lines, and those that close what was open ("}"), begin nothing.
Opening opening_of(std::string_view text);

}  // namespace tarsier::zoo
