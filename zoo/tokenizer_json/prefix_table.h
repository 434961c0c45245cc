#pragma once
// Finds which of many texts another one begins with.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarsier::zoo::tokenizer_json {

/// Texts with numbers, sorted: each byte narrows the range of those that still fit.
class PrefixTable {
 public:
  PrefixTable() = default;
  /// Of equal texts the first counts; empty ones are left out.
  explicit PrefixTable(std::vector<std::pair<std::string, int32_t>> entries)
      : entries_(std::move(entries)) {
    std::erase_if(entries_, [](const auto& entry) { return entry.first.empty(); });
    const auto is_less = [](const auto& a, const auto& b) { return a.first < b.first; };
    const auto is_same = [](const auto& a, const auto& b) { return a.first == b.first; };
    std::stable_sort(entries_.begin(), entries_.end(), is_less);
    entries_.erase(std::unique(entries_.begin(), entries_.end(), is_same), entries_.end());
  }

  /// Calls f(bytes, number) for each that `text` begins with, shortest first.
  template <class F>
  void for_each(std::string_view text, const F& f) const {
    auto begin = entries_.begin(), end = entries_.end();
    for (size_t depth = 0; begin != end && depth < text.size();) {
      const auto byte = static_cast<unsigned char>(text[depth]);
      const auto at = [&](const auto& entry) {
        return static_cast<unsigned char>(entry.first[depth]);
      };
      begin = std::partition_point(begin, end, [&](const auto& entry) { return at(entry) < byte; });
      end = std::partition_point(begin, end, [&](const auto& entry) { return at(entry) == byte; });
      ++depth;
      if (begin == end || begin->first.size() > depth) continue;
      f(depth, begin->second);
      ++begin;  // the others are longer
    }
  }

 private:
  std::vector<std::pair<std::string, int32_t>> entries_;
};

}  // namespace tarsier::zoo::tokenizer_json
