#pragma once
// The loops around the tiles of a product, after Goto and BLIS, for every way of multiplying.
//
//   for blocks of columns of C, for blocks of k, for blocks of rows of C:
//     pack the block of A and the block of B into panels
//     for each strip of the block, kStripTiles tiles high and one wide:
//       for each tile of the strip: C's tile += A's panel · B's panel
//
// A panel of B is used by all tiles of its strip in turn, while the panels of A come from the L2
// cache. Threads divide strips, never k.
//
// A way of multiplying is a class with
//   kRows                                the rows of its tiles, which are kTileCols wide
//   pack(block, with_b)                  packs the block of A, and that of B if it is a new one
//   compute_tile(block, row, column)     one tile of C: start + A's panel · B's panel

#include <cstdint>

#include "../../base/parallel.h"
#include "../../simd/simd.h"
#include "../../simd/sum.h"
#include "../../simd/tile.h"
#include "gemm_arguments.h"

namespace tarsier::kernels::TARSIER_ISA {

/// With the blocks of k (sum.h) this gives the blocks of A and B that stay in the caches.
constexpr int64_t kBlockRows = 96 * kTileRows;
constexpr int64_t kBlockCols = 1024;
/// Tiles that use a panel of B before the next panel.
constexpr int64_t kStripTiles = 8;

/// Panels that are packed together.
constexpr int64_t kPackGroup = 4;

/// Multiply-adds that are worth waking a thread for: a few microseconds.
constexpr int64_t kGrainWork = int64_t(1) << 19;
/// The same for elements to pack.
constexpr int64_t kGrainPack = int64_t(1) << 15;

template <class T>
constexpr T kZeros[kTileCols<T>] = {};

/// One block of the product: `rows` × `cols` of C, `k` steps of the sum.
template <class T>
struct Block {
  int64_t rows, cols, k;
  const T* a;  // the block of A, in place
  const T* b;
  T* c;
  const T* bias;       // null, or the columns of this block
  bool starts_from_c;  // accumulate, or not the first block of k
};

/// Calls pack_a(first, count) and pack_b(first, count) for all panels, a few at a time, on the
/// threads of the pool. `panel` is the number of elements of one.
template <class PackA, class PackB>
void pack_panels_in_groups(int64_t a_panels, int64_t b_panels, int64_t panel, const PackA& pack_a,
                           const PackB& pack_b) {
  const int64_t a_groups = ceil_div(a_panels, kPackGroup),
                b_groups = ceil_div(b_panels, kPackGroup);
  const int64_t grain = 1 + kGrainPack / (kPackGroup * panel);
  parallel_for(a_groups + b_groups, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t a_first = i * kPackGroup, b_first = (i - a_groups) * kPackGroup;
      if (i < a_groups)
        pack_a(a_first, least(kPackGroup, a_panels - a_first));
      else
        pack_b(b_first, least(kPackGroup, b_panels - b_first));
    }
  });
}

/// The arguments of a tile that are not operands: what its sums start from, and where they go.
template <class In, class T>
TileArgs<T, In> tile_args(const Gemm<T>& g, const Block<T>& block, int64_t row, int64_t col) {
  TileArgs<T, In> args{.k = block.k, .chain = chain_length(g.k)};
  args.c = block.c + row * g.c_row + col;
  args.c_row = g.c_row;
  args.start = kZeros<T>;
  if (block.starts_from_c) {
    args.start = args.c;
    args.start_row = g.c_row;
  } else if (block.bias != nullptr) {
    args.start = block.bias + col;
  }
  return args;
}

/// Computes a tile of `rows` × `cols` with the function for whole vectors. Of start and c it touches
/// `cols` columns only: if they are not whole vectors, the tile is computed in a buffer, and its
/// last vector truncated.
template <class In, class T>
void run_tile(Tile<T, In> run, TileArgs<T, In> args, int64_t rows, int64_t cols) {
  constexpr int W = Simd<T>::width;
  if (cols % W == 0) return run(args);
  alignas(64) T whole[kTileRows * kTileCols<T>];
  const int64_t last = cols / W * W;
  for (int64_t i = 0; i < rows; ++i) {
    const T* const from = args.start + i * args.start_row;
    T* const to = whole + i * kTileCols<T>;
    if (last > 0) Simd<T>::load(from).store(to);
    Simd<T>::load(from + last, cols - last).store(to + last);
  }
  T* const c = args.c;
  const int64_t c_row = args.c_row;
  args.start = args.c = whole;
  args.start_row = args.c_row = kTileCols<T>;
  run(args);
  for (int64_t i = 0; i < rows; ++i) {
    const T* const from = whole + i * kTileCols<T>;
    T* const to = c + i * c_row;
    if (last > 0) Simd<T>::load(from).store(to);
    Simd<T>::load(from + last).store(to + last, cols - last);
  }
}

/// Computes the tiles of a block, strip by strip, on the threads of the pool.
template <class T, class Way>
void compute_tiles(const Gemm<T>& g, const Block<T>& block, Way& way) {
  constexpr int64_t kRows = Way::kRows;
  const int64_t row_tiles = ceil_div(block.rows, kRows);
  const int64_t col_tiles = ceil_div(block.cols, kTileCols<T>);
  const int64_t strips = ceil_div(row_tiles, kStripTiles);
  const int64_t height = ceil_div(row_tiles, strips);
  const int64_t work = height * kRows * kTileCols<T> * (block.k + 1);
  parallel_for(strips * col_tiles, 1 + kGrainWork / work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / col_tiles * height, col_tile = i % col_tiles;
      for (int64_t tile = first; tile < least(first + height, row_tiles); ++tile) {
        // Prefetch the tile below: large matrices C are in slow memory.
        const int64_t row = tile * kRows;
        T* const c = block.c + row * g.c_row + col_tile * kTileCols<T>;
        for (int64_t j = kRows; j < least(2 * kRows, block.rows - row); ++j) {
          __builtin_prefetch(c + j * g.c_row, 1);
          __builtin_prefetch(c + j * g.c_row + Simd<T>::width, 1);
        }
        way.compute_tile(block, tile, col_tile);
      }
    }
  });
}

/// The blocks of a product: their sizes do not depend on its neighbours, nor on the threads.
struct BlockSizes {
  int64_t rows, cols, k;
};
template <class T>
BlockSizes block_sizes(const Gemm<T>& g) {
  return {least(g.m, kBlockRows), least(g.n, kBlockCols), block_length(g.k)};
}

/// The product of one matrix A by one matrix B, block by block.
template <class T, class Way>
void multiply_blocks(const Gemm<T>& g, const T* a, const T* b, T* c, Way& way) {
  const BlockSizes size = block_sizes(g);
  const int64_t k_blocks = most(1, ceil_div(g.k, size.k));
  Block<T> block;
  for (int64_t col = 0; col < g.n; col += size.cols) {
    block.cols = least(size.cols, g.n - col);
    block.bias = g.bias == nullptr ? nullptr : g.bias + col;
    for (int64_t i = 0; i < k_blocks; ++i) {
      const int64_t p = i * size.k;
      block.k = least(size.k, g.k - p);
      block.b = b + p * g.b_row + col * g.b_col;
      block.starts_from_c = g.accumulate || i > 0;
      for (int64_t row = 0; row < g.m; row += size.rows) {
        block.rows = least(size.rows, g.m - row);
        block.a = a + row * g.a_row + p * g.a_col;
        block.c = c + row * g.c_row + col;
        way.pack(block, row == 0);  // B once for all blocks of rows
        compute_tiles(g, block, way);
      }
    }
  }
}

}  // namespace tarsier::kernels::TARSIER_ISA
