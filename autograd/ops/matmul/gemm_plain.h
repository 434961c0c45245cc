#pragma once
// Multiplying in the arithmetic of T. Small operands are not packed but read in place.

#include <cstdint>

#include "../../simd/pack.h"
#include "gemm_blocks.h"

namespace tarsier::kernels::TARSIER_ISA {

/// Whether A is packed. A tile reads A slowly, one element per two vectors of sums, and can read it
/// in place as long as one of its strides is 1. So packing pays only if the panels are read many
/// times: n / kTileCols times.
template <class T>
bool packs_a(const Gemm<T>& g) {
  if (g.a_row != 1 && g.a_col != 1) return true;
  return g.n > (g.a_col == 1 ? 512 : 256);
}

/// Whether tiles read B in place. They read it fast, two vectors at every step; but if few rows of
/// tiles do so, a copy costs more than it saves.
template <class T>
bool reads_b_directly(const Gemm<T>& g) {
  return g.b_col == 1 && g.m <= 256;
}

/// Packs `count` panels of the block's rows of A, from `row`.
template <class T>
void pack_a_panels(const Gemm<T>& g, const Block<T>& block, int64_t row, int64_t count, T* to) {
  pack_panels(to, count, kTileRows, kPanelRows<T>, block.rows - row,
              {block.a + row * g.a_row, g.a_row, g.a_col}, block.k);
}
/// The same of its columns of B.
template <class T>
void pack_b_panels(const Gemm<T>& g, const Block<T>& block, int64_t col, int64_t count, T* to) {
  pack_panels(to, count, kTileCols<T>, kTileCols<T>, block.cols - col,
              {block.b + col * g.b_col, g.b_col, g.b_row}, block.k);
}

template <class T>
class PlainWay {
 public:
  static constexpr int64_t kRows = kTileRows;

  PlainWay(const Gemm<T>& g, Scratch& scratch)
      : g_(g), packs_a_(packs_a(g)), direct_b_(reads_b_directly(g)) {
    const BlockSizes size = block_sizes(g);
    const int64_t a_size = packs_a_ ? ceil_div(size.rows, kTileRows) * kPanelRows<T> * size.k : 0;
    const int64_t b_size = ceil_div(size.cols, kTileCols<T>) * kTileCols<T> * size.k;
    packed_a_ = scratch.get<T>(a_size + b_size);
    packed_b_ = packed_a_ + a_size;
  }

  void pack(const Block<T>& block, bool with_b) {
    const int64_t first_b = direct_tiles(block);
    pack_panels_in_groups(
        packs_a_ ? ceil_div(block.rows, kRows) : 0,
        with_b ? ceil_div(block.cols, kTileCols<T>) - first_b : 0, kTileCols<T> * (block.k + 1),
        [&](int64_t first, int64_t count) {
          pack_a_panels(g_, block, first * kRows, count,
                        packed_a_ + first * kPanelRows<T> * block.k);
        },
        [&](int64_t first, int64_t count) {
          pack_b_panels(g_, block, (first_b + first) * kTileCols<T>, count,
                        packed_b_ + (first_b + first) * kTileCols<T> * block.k);
        });
  }

  void compute_tile(const Block<T>& block, int64_t row_tile, int64_t col_tile) const {
    const int64_t row = row_tile * kTileRows, col = col_tile * kTileCols<T>;
    const int64_t rows = least(kTileRows, block.rows - row);
    const int64_t cols = least(kTileCols<T>, block.cols - col);
    TileArgs<T> args = tile_args<T>(g_, block, row, col);
    if (packs_a_) {
      args.a = packed_a_ + row_tile * kPanelRows<T> * block.k;
    } else {
      args.a = block.a + row * g_.a_row;
      args.a_row = g_.a_row;
      args.a_col = g_.a_col;
    }
    const bool direct_b = col_tile < direct_tiles(block);
    args.b = direct_b ? block.b + col : packed_b_ + col_tile * kTileCols<T> * block.k;
    args.b_row = direct_b ? g_.b_row : kTileCols<T>;
    const auto& tiles = packs_a_ ? kPackedTiles<T>.of : kDirectTiles<T>.of;
    run_tile(tiles[cols > Simd<T>::width][rows - 1], args, rows, cols);
  }

 private:
  /// Columns of tiles, from the left, that read B in place.
  int64_t direct_tiles(const Block<T>& block) const {
    return direct_b_ ? block.cols / kTileCols<T> : 0;
  }

  const Gemm<T>& g_;
  bool packs_a_, direct_b_;
  T* packed_a_;
  T* packed_b_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
