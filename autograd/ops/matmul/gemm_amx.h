#pragma once
// Multiplying f32 matrices by the tiles of AMX, as bf16 of one or two parts.
//
// With two parts every number is x = x₀ + x₁ + (at most 2⁻¹⁶ |x|), and the product of two is
// x₀y₀ + x₀y₁ + x₁y₀: three products of tiles. What bf16 cannot stand for is computed in f32, as in
// gemm_bf16.h.
//
// A block of 32 × 32 sums is four tiles; a step of 32 along k loads two tiles of A and two of B. A
// packed panel holds 16 rows of A, or columns of B: tiles of all steps of part 0, then those of the
// next part.

#include <cstdint>

#include "../../simd/amx.h"
#include "../../simd/pack_bf16.h"
#include "../../simd/rows.h"
#include "../../simd/scratch.h"
#include "gemm_blocks.h"
#include "gemm_odd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// T is float, Tiles is AmxTiles or LoopTiles, Parts is 1 or 2.
template <class T, class Tiles, int Parts>
class AmxWay {
 public:
  static constexpr int64_t kRows = 2 * kTileSide;

  AmxWay(const Gemm<T>& g, Scratch& scratch) : g_(g) {
    const BlockSizes size = block_sizes(g);
    const int64_t a_panels = panels(size.rows), b_panels = panels(size.cols);
    const int64_t panel = panel_size(size.k);
    packed_a_ = scratch.get<Pair>((a_panels + b_panels) * (panel + 1));
    packed_b_ = packed_a_ + a_panels * panel;
    odd_rows_ = packed_b_ + b_panels * panel;
    odd_cols_ = odd_rows_ + a_panels;
  }

  void pack(const Block<T>& block, bool with_b) {
    pack_panels_in_groups(
        panels(block.rows), with_b ? panels(block.cols) : 0, kTileSide * (block.k + 1),
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i) {
            Pair* const panel = packed_a_ + i * panel_size(block.k);
            odd_rows_[i] = pack_panel(panel, i, block.rows, {block.a, g_.a_row, g_.a_col}, block.k);
            // A tile of A has its steps of k along a row.
            for (int64_t t = 0; t < Parts * steps(block.k); ++t)
              transpose_tile(panel + t * kTilePairs);
          }
        },
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i)
            odd_cols_[i] = pack_panel(packed_b_ + i * panel_size(block.k), i, block.cols,
                                      {block.b, g_.b_col, g_.b_row}, block.k);
        });
  }

  void compute_tile(const Block<T>& block, int64_t row_tile, int64_t col_tile) const {
    const int64_t row = row_tile * kRows, col = col_tile * kTileCols<T>;
    const Area area{row, col, least(kRows, block.rows - row),
                    least(kTileCols<T>, block.cols - col)};
    const uint32_t odd_rows = both_panels(odd_rows_ + 2 * row_tile),
                   odd_cols = both_panels(odd_cols_ + 2 * col_tile);
    const bool odd = (odd_rows | odd_cols) != 0;
    alignas(64) T plain[kRows * kTileCols<T>], sums[kRows * kTileCols<T>];
    if (odd) compute_plain(g_, block, area, plain);  // before C changes: sums may start from it

    multiply(block.k, row_tile, col_tile, sums);
    const TileArgs<T> out = tile_args<T>(g_, block, row, col);
    for (int64_t i = 0; i < area.rows; ++i)
      for (int64_t j = 0; j < area.cols; j += Simd<T>::width) {
        const int64_t lanes = least(Simd<T>::width, area.cols - j);
        store(out.c + i * out.c_row + j,
              load(out.start + i * out.start_row + j, lanes) +
                  Simd<T>::load(sums + i * kTileCols<T> + j),
              lanes);
      }
    if (odd) write_odd(area, odd_rows, odd_cols, plain, out.c, out.c_row);
  }

 private:
  /// An even number, so that every block of C has two of A and two of B.
  static int64_t panels(int64_t lanes) { return 2 * ceil_div(lanes, 2 * kTileSide); }
  /// Tiles of a panel along k.
  static int64_t steps(int64_t k) { return ceil_div(k, 2 * kTileSide); }
  static int64_t panel_size(int64_t k) { return Parts * steps(k) * kTilePairs; }
  static uint32_t both_panels(const uint32_t* odd) { return odd[0] | odd[1] << kTileSide; }

  /// Packs panel `i` of `lanes` rows of A, or columns of B. Returns its odd lanes.
  static uint32_t pack_panel(Pair* to, int64_t i, int64_t lanes, const PackSource<T>& all,
                             int64_t k) {
    const int64_t lane = i * kTileSide, part = steps(k) * kTilePairs;
    const PackSource<T> source{all.from + lane * all.lane, all.lane, all.col};
    const auto zero_rest = [&](Pair* panel) {
      for (int64_t p = pair_steps(k); p < steps(k) * kTileSide; ++p)
        Simd<Pair>(0u).store(panel + p * kTileSide);
    };
    const uint32_t smallest = Parts == 1 ? kSmallestBits : kSmallestBitsInParts;
    const uint32_t odd = pack_pair_panel<0>(to, kTileSide, lanes - lane, source, k, smallest);
    zero_rest(to);
    if constexpr (Parts == 2) {
      pack_pair_panel<1>(to + part, kTileSide, lanes - lane, source, k, smallest);
      zero_rest(to + part);
    }
    return odd;
  }

  static void transpose_tile(Pair* tile) {
    static_assert(Simd<T>::width == kTileSide);
    Simd<Pair> x[Simd<T>::width];
    for (int64_t i = 0; i < kTileSide; ++i) x[i] = Simd<Pair>::load(tile + i * kTileSide);
    transpose(x);
    for (int64_t i = 0; i < kTileSide; ++i) x[i].store(tile + i * kTileSide);
  }

  /// sums = Σ of the products of the parts: 32 rows of 32.
  void multiply(int64_t k, int64_t row_tile, int64_t col_tile, T* sums) const {
    const int64_t panel = panel_size(k), part = steps(k) * kTilePairs;
    const Pair* const a = packed_a_ + 2 * row_tile * panel;
    const Pair* const b = packed_b_ + 2 * col_tile * panel;
    Tiles tiles;
    tiles.begin();
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
    const auto add = [&](const Pair* from_a, const Pair* from_b) {
      tiles.template load<4>(from_a);
      tiles.template load<5>(from_a + panel);
      tiles.template load<6>(from_b);
      tiles.template load<7>(from_b + panel);
      tiles.template multiply<0, 4, 6>();
      tiles.template multiply<1, 4, 7>();
      tiles.template multiply<2, 5, 6>();
      tiles.template multiply<3, 5, 7>();
    };
    for (int64_t at = 0; at < part; at += kTilePairs) {
      if (Parts == 2) {  // the small products first
        add(a + at, b + part + at);
        add(a + part + at, b + at);
      }
      add(a + at, b + at);
    }
    constexpr int64_t kSumsRow = kTileCols<T>;
    tiles.template store<0>(sums, kSumsRow);
    tiles.template store<1>(sums + kTileSide, kSumsRow);
    tiles.template store<2>(sums + kTileSide * kSumsRow, kSumsRow);
    tiles.template store<3>(sums + kTileSide * kSumsRow + kTileSide, kSumsRow);
    tiles.end();
  }

  const Gemm<T>& g_;
  Pair* packed_a_;
  Pair* packed_b_;
  uint32_t* odd_rows_;  // of every panel: its lanes that are computed in f32
  uint32_t* odd_cols_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
