#pragma once
// Tells data apart: a resumed run refuses data other than those that it was trained on.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tarsier::zoo {

/// 64-bit FNV-1a of everything added, in order. The lengths of lists are included, so that a value
/// that moves from one list to the next changes it.
/// Source: http://www.isthe.com/chongo/tech/comp/fnv/
class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes);
  template <class T>
  requires std::is_integral_v<T> Fingerprint& add(const std::vector<T>& values) {
    const uint64_t count = values.size();
    add({reinterpret_cast<const char*>(&count), sizeof count});
    return add({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  template <class T>
  Fingerprint& add(const std::vector<std::vector<T>>& rows) {
    for (const std::vector<T>& row : rows) add(row);
    return *this;
  }

  /// In hexadecimal, 16 digits.
  std::string text() const;

 private:
  uint64_t hash_ = 14695981039346656037u;
};

}  // namespace tarsier::zoo
