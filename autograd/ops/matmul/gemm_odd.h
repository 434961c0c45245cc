#pragma once
// Elements of C that are computed in f32 while those around them are computed in bf16, because their
// row of A or column of B holds a number that bf16 cannot stand for (OddNumbers in bf16.h).

#include <cstdint>

#include "../../simd/scratch.h"
#include "gemm_blocks.h"
#include "gemm_plain.h"

namespace tarsier::kernels::TARSIER_ISA {

/// A part of a block of C.
struct Area {
  int64_t row, col, rows, cols;
};

/// The memory of a thread for the panels of a tile in f32.
inline Scratch& plain_scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

/// Computes the area in f32, to rows of kTileCols elements. It has at most that many columns.
template <class T>
void compute_plain(const Gemm<T>& g, const Block<T>& block, const Area& area, T* to) {
  T* const a = plain_scratch().get<T>((kPanelRows<T> + kTileCols<T>)*block.k);
  T* const b = a + kPanelRows<T> * block.k;
  pack_b_panels(g, block, area.col, 1, b);
  for (int64_t first = 0; first < area.rows; first += kTileRows) {
    const int64_t row = area.row + first, rows = least(kTileRows, area.rows - first);
    pack_a_panels(g, block, row, 1, a);
    TileArgs<T> args = tile_args<T>(g, block, row, area.col);
    args.a = a;
    args.b = b;
    args.b_row = kTileCols<T>;
    args.c = to + first * kTileCols<T>;
    args.c_row = kTileCols<T>;
    run_tile(kPackedTiles<T>.of[area.cols > Simd<T>::width][rows - 1], args, rows, area.cols);
  }
}

/// Writes the elements of the odd rows and columns, given as bits, from rows of kTileCols elements.
template <class T>
void write_odd(const Area& area, uint32_t odd_rows, uint32_t odd_cols, const T* from, T* c,
               int64_t c_row) {
  for (int64_t i = 0; i < area.rows; ++i)
    for (int64_t j = 0; j < area.cols; ++j)
      if ((odd_rows >> i & 1) != 0 || (odd_cols >> j & 1) != 0)
        c[i * c_row + j] = from[i * kTileCols<T> + j];
}

}  // namespace tarsier::kernels::TARSIER_ISA
