#include "zoo/zip/checksum.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tarsier::zoo {

namespace {

using Table = std::array<uint32_t, 256>;

/// The remainder of every byte, for a reflected polynomial.
Table table_of(uint32_t polynomial) {
  Table all{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? polynomial : 0);
    all[i] = value;
  }
  return all;
}

uint32_t remainder_of(std::string_view bytes, const Table& table) {
  uint32_t value = ~uint32_t{0};
  for (const char byte : bytes)
    value = value >> 8 ^ table[(value ^ static_cast<uint8_t>(byte)) & 255];
  return ~value;
}

}  // namespace

uint32_t crc32(std::string_view bytes) {
  static const Table table = table_of(0xEDB88320);
  return remainder_of(bytes, table);
}

uint32_t crc32c(std::string_view bytes) {
  static const Table table = table_of(0x82F63B78);
  return remainder_of(bytes, table);
}

uint32_t adler32(std::string_view bytes) {
  uint32_t a = 1, b = 0;
  for (size_t i = 0; i < bytes.size();) {
    // So many bytes can be summed before 32 bits are too few.
    for (const size_t end = std::min(bytes.size(), i + 5552); i < end; ++i) {
      a += static_cast<uint8_t>(bytes[i]);
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b << 16 | a;
}

}  // namespace tarsier::zoo
