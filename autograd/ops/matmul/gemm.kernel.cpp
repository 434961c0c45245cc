// Matmul: the loops around the tile (tile.h), after Goto and BLIS.
//
//   for blocks of columns of C, for blocks of k, for blocks of rows of C:
//     pack the block of A and the block of B into panels           (pack.h)
//     for each strip of the block, kStripTiles tiles high and one wide:
//       for each tile of the strip: C's tile += A's panel · B's panel
//
// A panel of B is used by all tiles of its strip in turn, while the panels of A come from the L2
// cache. Small operands are not packed but read in place. Threads divide strips, never k: each
// element of C is summed in the order of sum.h, which depends only on k. So its bits do not depend
// on the threads, the neighbours, or the batch. Only a product that is a single number is summed in
// another order, by gemm_dot.h.
#include "autograd/ops/matmul/gemm.kernel.h"

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/gemm_dot.h"
#include "autograd/ops/matmul/gemm_ladder.h"
#include "autograd/ops/matmul/gemm_row.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/pack.h"
#include "autograd/simd/scratch.h"
#include "autograd/simd/simd.h"
#include "autograd/simd/tile.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

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

/// The packing memory of a thread.
Scratch& scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

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
  bool packs_a;
  int64_t direct_tiles;  // columns of tiles, from the left, that read B in place
  T* packed_a;
  T* packed_b;

  int64_t row_tiles() const { return ceil_div(rows, kTileRows); }
  int64_t col_tiles() const { return ceil_div(cols, kTileCols<T>); }
};

/// Packs the operands that need it, on the threads of the pool, a few panels at a time.
template <class T>
void pack(const Gemm<T>& g, const Block<T>& block, bool with_b) {
  const auto pack_a = [&](int64_t first, int64_t count) {
    const int64_t row = first * kTileRows;
    pack_panels(block.packed_a + first * kPanelRows<T> * block.k, count, kTileRows, kPanelRows<T>,
                block.rows - row, {block.a + row * g.a_row, g.a_row, g.a_col}, block.k);
  };
  const auto pack_b = [&](int64_t first, int64_t count) {
    const int64_t col = first * kTileCols<T>;
    pack_panels(block.packed_b + first * kTileCols<T> * block.k, count, kTileCols<T>, kTileCols<T>,
                block.cols - col, {block.b + col * g.b_col, g.b_col, g.b_row}, block.k);
  };
  const int64_t first_b = block.direct_tiles;
  const int64_t a_panels = block.packs_a ? block.row_tiles() : 0;
  const int64_t b_panels = with_b ? block.col_tiles() - first_b : 0;
  const int64_t a_groups = ceil_div(a_panels, kPackGroup),
                b_groups = ceil_div(b_panels, kPackGroup);
  const int64_t grain = 1 + kGrainPack / (kPackGroup * kTileCols<T> * (block.k + 1));
  parallel_for(a_groups + b_groups, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t a_first = i * kPackGroup, b_first = (i - a_groups) * kPackGroup;
      if (i < a_groups)
        pack_a(a_first, least(kPackGroup, a_panels - a_first));
      else
        pack_b(first_b + b_first, least(kPackGroup, b_panels - b_first));
    }
  });
}

/// One tile of C: `rows` ≤ kTileRows by `cols` ≤ kTileCols.
template <class T>
void compute_tile(const Gemm<T>& g, const Block<T>& block, int64_t row_tile, int64_t col_tile) {
  constexpr int W = Simd<T>::width;
  const int64_t row = row_tile * kTileRows, col = col_tile * kTileCols<T>;
  const int64_t rows = least(kTileRows, block.rows - row);
  const int64_t cols = least(kTileCols<T>, block.cols - col);
  const int vectors = cols > W ? 2 : 1;
  T* const c = block.c + row * g.c_row + col;
  TileArgs<T> args{.k = block.k, .chain = chain_length(g.k), .c = c, .c_row = g.c_row};
  if (block.packs_a) {
    args.a = block.packed_a + row_tile * kPanelRows<T> * block.k;
  } else {
    args.a = block.a + row * g.a_row;
    args.a_row = g.a_row;
    args.a_col = g.a_col;
  }
  const bool direct_b = col_tile < block.direct_tiles;
  args.b = direct_b ? block.b + col : block.packed_b + col_tile * kTileCols<T> * block.k;
  args.b_row = direct_b ? g.b_row : kTileCols<T>;
  args.start = kZeros<T>;
  if (block.starts_from_c) {
    args.start = c;
    args.start_row = g.c_row;
  } else if (block.bias != nullptr) {
    args.start = block.bias + col;
  }
  const Tile<T> run = (block.packs_a ? kTiles<T>.packed : kTiles<T>.direct)[vectors - 1][rows - 1];

  // Prefetch the tile below: large matrices C are in slow memory.
  for (int64_t i = kTileRows; i < least(2 * kTileRows, block.rows - row); ++i) {
    __builtin_prefetch(c + i * g.c_row, 1);
    __builtin_prefetch(c + i * g.c_row + W, 1);
  }
  if (cols % W == 0) {
    run(args);
  } else {
    // A tile that is not whole vectors wide is computed in a buffer, and its last vector truncated.
    alignas(64) T whole[kTileRows * kTileCols<T>];
    const int64_t last = cols / W * W;
    for (int64_t i = 0; i < rows; ++i) {
      const T* const from = args.start + i * args.start_row;
      T* const to = whole + i * kTileCols<T>;
      if (last > 0) Simd<T>::load(from).store(to);
      Simd<T>::load(from + last, cols - last).store(to + last);
    }
    args.start = args.c = whole;
    args.start_row = args.c_row = kTileCols<T>;
    run(args);
    for (int64_t i = 0; i < rows; ++i) {
      const T* const from = whole + i * kTileCols<T>;
      T* const to = c + i * g.c_row;
      if (last > 0) Simd<T>::load(from).store(to);
      Simd<T>::load(from + last).store(to + last, cols - last);
    }
  }
}

template <class T>
void compute(const Gemm<T>& g, const Block<T>& block) {
  const int64_t row_tiles = block.row_tiles(), col_tiles = block.col_tiles();
  const int64_t strips = ceil_div(row_tiles, kStripTiles);
  const int64_t height = ceil_div(row_tiles, strips);
  const int64_t work = height * kTileRows * kTileCols<T> * (block.k + 1);
  parallel_for(strips * col_tiles, 1 + kGrainWork / work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / col_tiles * height, col_tile = i % col_tiles;
      for (int64_t tile = first; tile < least(first + height, row_tiles); ++tile)
        compute_tile(g, block, tile, col_tile);
    }
  });
}

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

/// One row of C, if the columns of B are contiguous. Two vectors of columns go together, so that
/// one multiplies while the other is being transposed.
template <class T>
void row_product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  constexpr int64_t W = Simd<T>::width, kCols = kTileCols<T>;
  parallel_for(
      ceil_div(g.n, kCols), 1 + kGrainWork / (kCols * (g.k + 1)), [&](int64_t begin, int64_t end) {
        const auto args = [&](int64_t j) {
          const T* const start = g.accumulate ? c + j : g.bias != nullptr ? g.bias + j : kZeros<T>;
          return RowArgs<T>{g.k, a, g.a_col, b + j * g.b_col, g.b_col, start, c + j};
        };
        const int64_t first = begin * kCols, last = least(end * kCols, g.n);
        int64_t j = first;
        for (; j + kCols <= last; j += kCols) row_tile<T, 2>(args(j), W);
        for (; j < last; j += W) row_tile<T, 1>(args(j), least(W, last - j));
      });
}

/// One row times one column.
template <class T>
void dot_product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  const T start = g.accumulate ? *c : g.bias != nullptr ? *g.bias : T(0);
  *c = start + dot(g.k, a, g.a_col, b, g.b_row);
}

/// The product of one matrix A by one matrix B.
template <class T>
void product(const Gemm<T>& g, const T* a, const T* b, T* c) {
  if (g.m == 1 && g.n == 1) return dot_product(g, a, b, c);
  if (g.m == 1 && g.b_row == 1 && g.b_col != 1) return row_product(g, a, b, c);
  const int64_t block_k = block_length(g.k), k_blocks = most(1, ceil_div(g.k, kBlockK));
  const int64_t block_rows = least(g.m, kBlockRows), block_cols = least(g.n, kBlockCols);
  Block<T> block;
  block.packs_a = packs_a(g);
  const bool direct_b = reads_b_directly(g);
  const int64_t a_size =
      block.packs_a ? ceil_div(block_rows, kTileRows) * kPanelRows<T> * block_k : 0;
  const int64_t b_size = ceil_div(block_cols, kTileCols<T>) * kTileCols<T> * block_k;
  block.packed_a = scratch().get<T>(a_size + b_size);
  block.packed_b = block.packed_a + a_size;

  for (int64_t col = 0; col < g.n; col += block_cols) {
    block.cols = least(block_cols, g.n - col);
    block.direct_tiles = direct_b ? block.cols / kTileCols<T> : 0;
    block.bias = g.bias == nullptr ? nullptr : g.bias + col;
    for (int64_t i = 0; i < k_blocks; ++i) {
      const int64_t p = i * block_k;
      block.k = least(block_k, g.k - p);
      block.b = b + p * g.b_row + col * g.b_col;
      block.starts_from_c = g.accumulate || i > 0;
      for (int64_t row = 0; row < g.m; row += block_rows) {
        block.rows = least(block_rows, g.m - row);
        block.a = a + row * g.a_row + p * g.a_col;
        block.c = c + row * g.c_row + col;
        pack(g, block, row == 0);  // B once for all blocks of rows
        compute(g, block);
      }
    }
  }
}

/// One column of C, written as the row Cᵀ = Bᵀ·Aᵀ: a row fills whole vectors, a column one lane.
/// The sums are the same, in the same order.
template <class T>
Gemm<T> as_row(const Gemm<T>& g) {
  Gemm<T> row = g;
  row.m = 1;
  row.n = g.m;
  row.a = g.b;
  row.a_row = 1;
  row.a_col = g.b_row;
  row.a_offsets = g.b_offsets;
  row.b = g.a;
  row.b_row = g.a_col;
  row.b_col = g.a_row;
  row.b_offsets = g.a_offsets;
  if (g.bias == nullptr) return row;
  // The bias of the column is one number: the sums start from it as they would from C.
  for (int64_t batch = 0; batch < g.batch; ++batch)
    for (int64_t i = 0; i < g.m; ++i)
      g.c[(g.c_offsets == nullptr ? 0 : g.c_offsets[batch]) + i] = *g.bias;
  row.bias = nullptr;
  row.accumulate = true;
  return row;
}

/// The products if k = 0: sums of nothing. a and b may be null.
template <class T>
void sums_of_nothing(const Gemm<T>& g) {
  if (g.accumulate) return;
  for (int64_t i = 0; i < g.batch; ++i) {
    T* c = g.c + (g.c_offsets == nullptr ? 0 : g.c_offsets[i]);
    for (int64_t row = 0; row < g.m; ++row)
      for (int64_t j = 0; j < g.n; ++j) c[row * g.c_row + j] = g.bias != nullptr ? g.bias[j] : T(0);
  }
}

template <class T>
void gemm(const Gemm<T>& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (g.k <= 0) return sums_of_nothing(g);
  if (g.n == 1 && g.m > 1 && g.c_row == 1) return gemm(as_row(g));
  const int64_t work = g.m * g.n * (g.k + 1);
  const auto one = [&](int64_t i) {
    product(g, g.a + (g.a_offsets == nullptr ? 0 : g.a_offsets[i]),
            g.b + (g.b_offsets == nullptr ? 0 : g.b_offsets[i]),
            g.c + (g.c_offsets == nullptr ? 0 : g.c_offsets[i]));
  };
  // A few large products are divided one by one; many small ones are distributed whole.
  if (g.batch == 1 || (g.batch < 16 && work > 4 * kGrainWork)) {
    for (int64_t i = 0; i < g.batch; ++i) one(i);
  } else {
    parallel_for(g.batch, 1 + kGrainWork / work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) one(i);
    });
  }
}

}  // namespace

template <class T>
GemmKernels<T> gemm_kernels() {
  return {.gemm = gemm<T>,
          .gemm_ladder = {{"naive", ladder::naive<T>, ladder::packed_size<T>},
                          {"blocked", ladder::blocked<T>, ladder::packed_size<T>},
                          {"packed", ladder::packed<T>, ladder::packed_size<T>},
                          {"simd", ladder::simd<T>, ladder::packed_size<T>}}};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
GemmKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::gemm_kernels<float>();
}
template <>
GemmKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::gemm_kernels<double>();
}

}  // namespace tarsier::kernels
