#pragma once
// The tiles of AMX: eight registers of 16 rows of 64 bytes, and the product of two of them.
//
// A tile of sums holds 16 × 16 f32. One of A holds 16 rows of 16 pairs of bf16 (bf16.h), which are
// neighbours along k; one of B holds 16 such pairs of k for 16 columns. Each operation is given as
// the processor's instruction, and as loops that follow its rules, for the tests and for reading.

#include <cstdint>

#include "bf16.h"

namespace tarsier::kernels::TARSIER_ISA {

constexpr int64_t kTileSide = 16;
/// Pairs in a tile.
constexpr int64_t kTilePairs = kTileSide * kTileSide;

#if TARSIER_VECTOR_BYTES == 64
/// The processor's tiles. Written as assembly, because its intrinsics exist only where all code is
/// compiled for AMX. Only code between begin() and end() may use them.
struct AmxTiles {
  /// What LDTILECFG reads: the shape of each tile.
  struct alignas(64) Shapes {
    uint8_t palette = 1, first_row = 0, zeros[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };

  // The shapes are an operand, so the compiler knows that all their bytes are read.
  void begin() {
    const Shapes shapes;
    asm volatile("ldtilecfg %0" : : "m"(shapes));
  }
  void end() { asm volatile("tilerelease"); }
  template <int tile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  template <int tile>
  void load(const Pair* from) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0"
                 :
                 : "i"(tile), "r"(from), "r"(int64_t(64))
                 : "memory");
  }
  /// To rows of `row` f32.
  template <int tile>
  void store(float* to, int64_t row) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(tile), "r"(to), "r"(4 * row) : "memory");
  }
  /// sums += a · b.
  template <int sums, int a, int b>
  void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(a), "i"(b));
  }
};
#else
struct AmxTiles;  // no build without the instructions uses it
#endif

/// The same by its definition. The products of the first halves of the pairs and those of the second
/// are added up apart, from 0; both sums together are added to what the tile holds. Denormal numbers
/// are 0, in the operands and after every addition.
struct LoopTiles {
  Pair pairs[8][kTilePairs];
  float sums[8][kTilePairs];

  static float without_denormal(float x) {
    return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0, x) : x;
  }
  static float half(Pair x, bool second) {
    return without_denormal(__builtin_bit_cast(float, second ? x & 0xFFFF0000u : x << 16));
  }

  void begin() {}
  void end() {}
  template <int tile>
  void zero() {
    for (float& x : sums[tile]) x = 0;
  }
  template <int tile>
  void load(const Pair* from) {
    for (int64_t i = 0; i < kTilePairs; ++i) pairs[tile][i] = from[i];
  }
  template <int tile>
  void store(float* to, int64_t row) const {
    for (int64_t i = 0; i < kTileSide; ++i)
      for (int64_t j = 0; j < kTileSide; ++j) to[i * row + j] = sums[tile][i * kTileSide + j];
  }
  template <int to, int a, int b>
  void multiply() {
    for (int64_t i = 0; i < kTileSide; ++i)
      for (int64_t j = 0; j < kTileSide; ++j) {
        float part[2] = {0, 0};
        for (int64_t p = 0; p < kTileSide; ++p)
          for (bool second : {false, true})
            part[second] = without_denormal(
                __builtin_fmaf(half(pairs[a][i * kTileSide + p], second),
                               half(pairs[b][p * kTileSide + j], second), part[second]));
        float& sum = sums[to][i * kTileSide + j];
        sum = without_denormal(sum + without_denormal(part[0] + part[1]));
      }
  }
};

}  // namespace tarsier::kernels::TARSIER_ISA
