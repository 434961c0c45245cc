#pragma once
// Multiplying f32 matrices as bf16: operands are rounded while they are packed, as pairs of
// neighbours along k (bf16.h), and their products summed in f32.
//
// bf16 has the range of f32, but the instruction drops denormal numbers, and rounding may make a
// large number infinite. A row of A, or a column of B, that holds such a number within a block of k
// is multiplied in f32 there: the elements of C that it reaches are the same that PlainWay computes.
// So an element depends only on its own row and column.

#include <cstdint>

#include "../../simd/pack_bf16.h"
#include "../../simd/scratch.h"
#include "gemm_blocks.h"
#include "gemm_odd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// T is float: a parameter, so that only builds with the instruction compile the tiles.
template <class T>
class Bf16Way {
 public:
  static constexpr int64_t kRows = kTileRows;

  Bf16Way(const Gemm<T>& g, Scratch& scratch) : g_(g) {
    const BlockSizes size = block_sizes(g);
    const int64_t row_tiles = ceil_div(size.rows, kTileRows);
    const int64_t col_tiles = ceil_div(size.cols, kTileCols<T>);
    const int64_t steps = pair_steps(size.k);
    packed_b_ = scratch.get<Pair>((row_tiles * kPanelRows<T> + col_tiles * kTileCols<T>)*steps +
                                  row_tiles + col_tiles);
    packed_a_ = packed_b_ + col_tiles * kTileCols<T> * steps;
    odd_rows_ = packed_a_ + row_tiles * kPanelRows<T> * steps;
    odd_cols_ = odd_rows_ + row_tiles;
  }

  void pack(const Block<T>& block, bool with_b) {
    const int64_t steps = pair_steps(block.k);
    pack_panels_in_groups(
        ceil_div(block.rows, kRows), with_b ? ceil_div(block.cols, kTileCols<T>) : 0,
        kTileCols<T> * (block.k + 1),
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i) {
            const int64_t row = i * kTileRows;
            odd_rows_[i] = pack_pair_panel<0>(packed_a_ + i * kPanelRows<T> * steps, kPanelRows<T>,
                                              least(kTileRows, block.rows - row),
                                              {block.a + row * g_.a_row, g_.a_row, g_.a_col},
                                              block.k, kSmallestBits);
          }
        },
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i) {
            const int64_t col = i * kTileCols<T>;
            odd_cols_[i] = pack_pair_panel<0>(
                packed_b_ + i * kTileCols<T> * steps, kTileCols<T>, block.cols - col,
                {block.b + col * g_.b_col, g_.b_col, g_.b_row}, block.k, kSmallestBits);
          }
        });
  }

  void compute_tile(const Block<T>& block, int64_t row_tile, int64_t col_tile) const {
    const int64_t row = row_tile * kRows, col = col_tile * kTileCols<T>;
    const Area area{row, col, least(kRows, block.rows - row),
                    least(kTileCols<T>, block.cols - col)};
    const uint32_t odd_rows = odd_rows_[row_tile], odd_cols = odd_cols_[col_tile];
    const bool odd = (odd_rows | odd_cols) != 0;
    alignas(64) T plain[kRows * kTileCols<T>];
    if (odd) compute_plain(g_, block, area, plain);  // before C changes: sums may start from it

    auto args = tile_args<Pair>(g_, block, row, col);
    args.k = pair_steps(block.k);
    args.chain = kChain;
    args.a = packed_a_ + row_tile * kPanelRows<T> * args.k;
    args.b = packed_b_ + col_tile * kTileCols<T> * args.k;
    args.b_row = kTileCols<T>;
    const bool two = area.cols > Simd<T>::width;
    run_tile(kPackedTiles<T, Pair>.of[two][area.rows - 1], args, area.rows, area.cols);
    if (odd) write_odd(area, odd_rows, odd_cols, plain, args.c, args.c_row);
  }

 private:
  const Gemm<T>& g_;
  Pair* packed_b_;
  Pair* packed_a_;
  uint32_t* odd_rows_;  // of every panel of A in the block: its rows that are computed in f32
  uint32_t* odd_cols_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
