#pragma once
// The bytes of a file with bounds checks, for readers of binary formats.

#include <cstdint>
#include <string>
#include <string_view>

#include "../../autograd/base/error.h"

namespace tarsier::zoo {

struct Bytes {
  const std::string& path;
  std::string_view bytes;
  const char* of;  ///< what the file holds, for errors: "picture"

  /// Throws Error("data") beyond the end.
  uint8_t at(size_t i) const {
    check(i < bytes.size(), "data", "'", path, "' ends at byte ", bytes.size(),
          ", in the middle of the ", of, ": it is cut off");
    return static_cast<uint8_t>(bytes[i]);
  }
  /// The number in `count` bytes, at most 4, lowest first.
  uint32_t little_endian(size_t i, size_t count) const {
    uint32_t value = 0;
    for (size_t k = count; k-- > 0;) value = value << 8 | at(i + k);
    return value;
  }
  /// The same, highest first.
  uint32_t big_endian(size_t i, size_t count) const {
    uint32_t value = 0;
    for (size_t k = 0; k < count; ++k) value = value << 8 | at(i + k);
    return value;
  }
};

}  // namespace tarsier::zoo
