#pragma once
// Prefix codes (Huffman's), as deflate and JPEG store them: only the lengths of the codes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tarsier::zoo {

/// A code that is known by its lengths: shorter codes come first, and codes of one length are
/// consecutive numbers. Looking up a code takes one step, in a table of all bit strings that are as
/// long as the longest code.
class PrefixCode {
 public:
  struct Entry {
    uint16_t symbol = 0;
    uint16_t length = 0;  ///< in bits; 0: no code begins like this
  };
  /// How many codes have 1, 2, … 16 bits.
  using Counts = std::array<uint16_t, 16>;

  PrefixCode() = default;
  /// `symbols` in the order of their codes. With `reversed`, the first bit of a code is the lowest
  /// bit of what find() gets, as in deflate; otherwise it is the highest of longest() bits, as in
  /// JPEG. Throws Error("data") if there are more codes of these lengths than there can be; `what`
  /// says of what.
  PrefixCode(const Counts& counts, const std::vector<uint16_t>& symbols, bool reversed,
             const char* what);

  bool empty() const { return table_.empty(); }
  /// The bits of the longest code.
  int longest() const { return longest_; }
  /// The code that longest() bits begin with.
  Entry find(uint32_t bits) const { return table_[bits]; }

 private:
  int longest_ = 0;
  std::vector<Entry> table_;
};

}  // namespace tarsier::zoo
