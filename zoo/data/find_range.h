#pragma once
// Looking a code point up in a table of ranges.

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace tarsier::zoo {

/// The range of a sorted table that holds `c`, or null. A range has `first` and `last`.
template <class Range, size_t N>
const Range* find_range(const Range (&table)[N], char32_t c) {
  const Range* found = std::upper_bound(std::begin(table), std::end(table), c,
                                        [](char32_t v, const Range& r) { return v < r.first; });
  return found != std::begin(table) && c <= found[-1].last ? found - 1 : nullptr;
}

}  // namespace tarsier::zoo
