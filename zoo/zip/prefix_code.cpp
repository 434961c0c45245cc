#include "zoo/zip/prefix_code.h"

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

uint32_t reverse(uint32_t bits, int count) {
  uint32_t out = 0;
  for (int i = 0; i < count; ++i) out |= (bits >> i & 1) << (count - 1 - i);
  return out;
}

}  // namespace

PrefixCode::PrefixCode(const Counts& counts, const std::vector<uint16_t>& symbols, bool reversed,
                       const char* what) {
  for (int length = 1; length <= 16; ++length)
    if (counts[static_cast<size_t>(length - 1)] > 0) longest_ = length;
  if (longest_ == 0) return;
  table_.resize(size_t{1} << longest_);
  uint32_t code = 0;
  size_t next = 0;
  for (int length = 1; length <= longest_; ++length, code <<= 1)
    for (int i = 0; i < counts[static_cast<size_t>(length - 1)]; ++i, ++code) {
      check(code < uint32_t{1} << length, "data", what, " has more codes of ", length,
            " bits than there can be: the file is damaged");
      const Entry entry{symbols.at(next++), static_cast<uint16_t>(length)};
      // Everything that begins with the code.
      const uint32_t others = uint32_t{1} << (longest_ - length);
      for (uint32_t rest = 0; rest < others; ++rest)
        table_[reversed ? reverse(code, length) | rest << length
                        : code << (longest_ - length) | rest] = entry;
    }
}

}  // namespace tarsier::zoo
