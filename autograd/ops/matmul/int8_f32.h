#pragma once
// Int8 weights multiplied in f32: a tile of Y in registers, as in simd/tile.h, whose weights are
// widened on their way from words of four.

#include <cstdint>

#include "../../simd/simd.h"
#include "../../simd/sum.h"
#include "int8_arguments.h"

namespace tarsier::kernels::TARSIER_ISA {

/// The sums of a tile: rows of kInt8Panel.
struct Int8Tile {
  int64_t k;
  const float* x;  // the first row of the tile
  int64_t x_row;
  const int32_t* words;  // the word of its first column at p = 0
  float* sums;
};

/// Sums of Rows × Vectors·width of Y, in chains (sum.h) along k, which are added in their order.
template <int Rows, int Vectors>
void int8_tile(const Int8Tile& t) {
  constexpr int W = Simd<float>::width;
  Simd<float> sum[Rows][Vectors];
  const auto each_sum = [](const auto& body) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) body(i, j);
  };
  const float* const x = t.x;
  float* const sums = t.sums;
  const int64_t x_row = t.x_row, k = t.k, chain = chain_length(k);
  const int32_t* words = t.words;
  Simd<int32_t> four[Vectors];
  // Weight `s` of every word: the shifts leave its eight bits, with their sign.
  const auto add = [&](int64_t p, int s) {
    Simd<float> weight[Vectors];
#pragma GCC unroll 16
    for (int j = 0; j < Vectors; ++j) weight[j] = convert<float>((four[j] << (24 - 8 * s)) >> 24);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Simd<float> element(x[i * x_row + p + s]);
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fma(element, weight[j], sum[i][j]);
    }
  };
  for (int64_t begin = 0; begin < k; begin += chain) {
    each_sum([&](int i, int j) { sum[i][j] = Simd<float>(0.0f); });
    const int64_t end = least(begin + chain, k);
    for (int64_t p = begin; p < end; p += kInt8Group, words += kInt8Panel) {
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) four[j] = Simd<int32_t>::load(words + j * W);
      if (p + kInt8Group <= end) {
#pragma GCC unroll 4
        for (int s = 0; s < kInt8Group; ++s) add(p, s);
      } else {
        for (int s = 0; p + s < end; ++s) add(p, s);
      }
    }
    if (begin > 0)
      each_sum([&](int i, int j) {
        sum[i][j] = Simd<float>::load(sums + i * kInt8Panel + j * W) + sum[i][j];
      });
    each_sum([&](int i, int j) { sum[i][j].store(sums + i * kInt8Panel + j * W); });
  }
}

/// The tile functions of 1 … Most rows and two vectors.
template <int Most>
struct Int8Tiles {
  void (*of[Most])(const Int8Tile&);
  constexpr Int8Tiles() { fill<1>(); }

 private:
  template <int Rows>
  constexpr void fill() {
    of[Rows - 1] = int8_tile<Rows, 2>;
    if constexpr (Rows < Most) fill<Rows + 1>();
  }
};
template <int Most>
inline constexpr Int8Tiles<Most> kInt8Tiles;

/// A way of computing sums (int8.kernel.cpp).
class Int8InF32 {
 public:
  /// Rows of a tile: with two vectors of sums each, as many as leave registers for the weights.
  static constexpr int kRows = TARSIER_VECTOR_BYTES == 64 ? 12 : 4;
  /// Vectors of a tile of one row: enough sums to hide that each waits for the one before.
  static constexpr int kLongVectors = static_cast<int>(least(8, kInt8Panel / Simd<float>::width));

  explicit Int8InF32(const Int8Linear& g) : g_(g) {}

  /// The sums Σ_p X[row + i, p]·W[…, p] of `rows` rows and the columns of one tile: kLongVectors
  /// vectors for one row, otherwise two.
  void sums(int64_t row, int64_t rows, const int32_t* words, float* to) const {
    const Int8Tile tile{g_.k, g_.x + row * g_.x_row, g_.x_row, words, to};
    if (rows == 1)
      int8_tile<1, kLongVectors>(tile);
    else
      kInt8Tiles<kRows>.of[rows - 1](tile);
  }

 private:
  const Int8Linear& g_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
