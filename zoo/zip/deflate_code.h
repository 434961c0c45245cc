#pragma once
// The numbers of deflate (RFC 1951), for inflate.cpp and deflate.cpp.
//
// A block is a sequence of symbols: up to 255 a byte, 256 the end, above it the length of a repeat,
// followed by the symbol of its distance. A symbol stands for a range; bits after it say where.

#include <cstddef>
#include <cstdint>

namespace tarsier::zoo::deflate_code {

inline constexpr uint16_t kEndOfBlock = 256;

/// The shortest repeat of symbol 257 + row, and the nearest of each symbol of a distance.
inline constexpr uint16_t kLength[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                         15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                         67, 83, 99, 115, 131, 163, 195, 227, 258};
inline constexpr uint16_t kDistance[30] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

/// How many bits follow. The tables step by powers of two.
constexpr int length_bits(size_t row) {
  return row < 8 || row == 28 ? 0 : static_cast<int>(row / 4) - 1;
}
constexpr int distance_bits(size_t symbol) {
  return symbol < 4 ? 0 : static_cast<int>(symbol / 2) - 1;
}

/// The lengths of a block's codes are themselves coded: up to 15 a length, 16 repeats the last one,
/// 17 and 18 are zeros. The lengths of that code come in this order.
inline constexpr uint8_t kOrder[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                       11, 4,  12, 3, 13, 2, 14, 1, 15};

}  // namespace tarsier::zoo::deflate_code
