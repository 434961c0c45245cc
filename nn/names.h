#pragma once
// Lists of names in messages.

#include <string>
#include <vector>

#include "../autograd/base/error.h"

namespace tarsier::nn {

/// "\n  missing: a, b, c", the first ten and then "… and 37 more"; "" if there are none.
inline std::string list_line(const char* title, const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kShown; ++i)
    text += i == 0 ? concat("\n  ", title, ": ", names[i]) : ", " + names[i];
  if (names.size() > kShown) text += concat(", … and ", names.size() - kShown, " more");
  return text;
}

}  // namespace tarsier::nn
