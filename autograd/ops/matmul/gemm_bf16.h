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
#include "gemm_plain.h"

namespace tarsier::kernels::TARSIER_ISA {

/// The memory of a thread for the panels of a tile in f32.
inline Scratch& plain_scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

/// T is float: a parameter, so that only builds with the instruction compile the tiles.
template <class T>
class Bf16Way {
 public:
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
        block.row_tiles(), with_b ? block.col_tiles() : 0, kTileCols<T> * (block.k + 1),
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i) {
            const int64_t row = i * kTileRows;
            odd_rows_[i] = pack_pair_panel(packed_a_ + i * kPanelRows<T> * steps, kPanelRows<T>,
                                           least(kTileRows, block.rows - row),
                                           {block.a + row * g_.a_row, g_.a_row, g_.a_col}, block.k);
          }
        },
        [&](int64_t first, int64_t count) {
          for (int64_t i = first; i < first + count; ++i) {
            const int64_t col = i * kTileCols<T>;
            odd_cols_[i] = pack_pair_panel(packed_b_ + i * kTileCols<T> * steps, kTileCols<T>,
                                           block.cols - col,
                                           {block.b + col * g_.b_col, g_.b_col, g_.b_row}, block.k);
          }
        });
  }

  void compute_tile(const Block<T>& block, int64_t row_tile, int64_t col_tile) const {
    const int64_t row = row_tile * kTileRows, col = col_tile * kTileCols<T>;
    const int64_t rows = least(kTileRows, block.rows - row);
    const int64_t cols = least(kTileCols<T>, block.cols - col);
    const uint32_t odd_rows = odd_rows_[row_tile], odd_cols = odd_cols_[col_tile];
    alignas(64) T plain[kTileRows * kTileCols<T>];
    // Before C is changed, because the sums may start from it.
    if ((odd_rows | odd_cols) != 0) compute_plain(block, row_tile, col_tile, rows, cols, plain);

    auto args = tile_args<Pair>(g_, block, row, col);
    args.k = pair_steps(block.k);
    args.chain = kChain;
    args.a = packed_a_ + row_tile * kPanelRows<T> * args.k;
    args.b = packed_b_ + col_tile * kTileCols<T> * args.k;
    args.b_row = kTileCols<T>;
    const bool two = cols > Simd<T>::width;
    run_tile(kPackedTiles<T, Pair>.of[two][rows - 1], args, rows, cols);

    if ((odd_rows | odd_cols) == 0) return;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < cols; ++j)
        if ((odd_rows >> i & 1) != 0 || (odd_cols >> j & 1) != 0)
          args.c[i * args.c_row + j] = plain[i * kTileCols<T> + j];
  }

 private:
  /// The tile in f32, to rows of kTileCols elements.
  void compute_plain(const Block<T>& block, int64_t row_tile, int64_t col_tile, int64_t rows,
                     int64_t cols, T* to) const {
    auto args = tile_args<T>(g_, block, row_tile * kTileRows, col_tile * kTileCols<T>);
    T* const a = plain_scratch().get<T>((kPanelRows<T> + kTileCols<T>)*block.k);
    T* const b = a + kPanelRows<T> * block.k;
    pack_a_panels(g_, block, row_tile, 1, a);
    pack_b_panels(g_, block, col_tile, 1, b);
    args.a = a;
    args.b = b;
    args.b_row = kTileCols<T>;
    args.c = to;
    args.c_row = kTileCols<T>;
    run_tile(kPackedTiles<T>.of[cols > Simd<T>::width][rows - 1], args, rows, cols);
  }

  const Gemm<T>& g_;
  Pair* packed_b_;
  Pair* packed_a_;
  uint32_t* odd_rows_;  // of every panel of A in the block: its rows that are computed in f32
  uint32_t* odd_cols_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
