#pragma once
// The parts of attention: a block of queries × keys, its products, its mask and its dropout.
//
// The scores of a block are stored transposed, one row per key and one lane per query:
//
//   S[j][i] = Σ_d k[j, d] · (scale · q[i, d])
//
// so only the block of queries is ever transposed; k and v are read in place, and softmax runs down
// the lanes without adding across a register. All products use matmul's tiles (tile.h), in strips
// of a few rows. A query sees the keys on a band of diagonals. Strips skip everything outside it,
// so a block on the diagonal of a causal mask costs about half.

#include <cstdint>

#include "../../loops/random.kernel.h"
#include "../../simd/dispatch.h"
#include "../../simd/pack.h"
#include "../../simd/rows.h"
#include "../../simd/scratch.h"
#include "../../simd/simd.h"
#include "../../simd/tile.h"
#include "attention_arguments.h"

namespace tarsier::kernels::TARSIER_ISA {

/// Queries, and keys, of a block: its scores (16 KiB in f32) stay in the L1 cache.
constexpr int64_t kBlock = 64;

template <class T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());

template <class T>
constexpr int64_t round_up(int64_t n) {
  return ceil_div(n, Simd<T>::width) * Simd<T>::width;
}

// ------------------------------------------------------------------------------ segments and ranges

/// Keys, or queries, of a segment: whole blocks. What is shorter is one running sum.
constexpr int64_t kSegment = 16 * kBlock;

inline Scratch& scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

/// Queries, or keys, from … to − 1.
struct Range {
  int64_t from, to;
  bool empty() const { return from >= to; }
};

/// The keys that any of these queries sees.
template <class T>
Range keys_of(const Attention<T>& a, Range queries) {
  return {most(0, least(queries.from + a.band.lower, a.tk)),
          most(0, least(queries.to + a.band.upper, a.tk))};
}
/// The queries that see any of these keys.
template <class T>
Range queries_of(const Attention<T>& a, Range keys) {
  return {most(0, least(keys.from - a.band.upper, a.tq)),
          most(0, least(keys.to - a.band.lower, a.tq))};
}
/// The same and what lies next to it in the blocks of 0 … n − 1.
inline Range whole_blocks(Range range, int64_t n) {
  if (range.empty()) return {0, 0};
  return {range.from / kBlock * kBlock, least(n, ceil_div(range.to, kBlock) * kBlock)};
}

inline Range common(Range a, Range b) { return {most(a.from, b.from), least(a.to, b.to)}; }

// ---------------------------------------------------------------------------------------- products

/// A matrix in memory: element (i, j) at data[i·row + j·col].
template <class T>
struct Matrix {
  T* data;
  int64_t row, col = 1;
};

/// C (rows × cols) = A (rows × depth) · B, or C += …, for rows ≤ kTileRows. The rows of B are
/// readable in whole vectors; C has no more than its `cols` columns.
template <class T>
void strip(int64_t rows, int64_t cols, int64_t depth, Matrix<const T> a, Matrix<const T> b,
           Matrix<T> c, bool accumulate) {
  constexpr int64_t W = Simd<T>::width, step = 2 * W;
  static constexpr T zeros[step] = {};
  for (int64_t col = 0; col < cols; col += step) {
    const int64_t n = least(step, cols - col);
    const Tile<T> tile = kDirectTiles<T>.of[n > W][rows - 1];
    T* const out = c.data + col;
    TileArgs<T> args{.k = depth,
                     .a = a.data,
                     .a_row = a.row,
                     .a_col = a.col,
                     .b = b.data + col,
                     .b_row = b.row,
                     .start = zeros};
    if (n % W == 0) {
      args.c = out;
      args.c_row = c.row;
      if (accumulate) args.start = out, args.start_row = c.row;
      tile(args);
      continue;
    }
    // The last vector would write past the end of C's rows: compute the tile in a buffer.
    alignas(64) T whole[kTileRows * step];
    args.c = whole;
    args.c_row = step;
    tile(args);
    for (int64_t i = 0; i < rows; ++i)
      each<T>(n, [&](int64_t j, int64_t lanes) {
        T* const p = out + i * c.row + j;
        const Simd<T> sum = Simd<T>::load(whole + i * step + j);
        store(p, accumulate ? load(p, lanes) + sum : sum, lanes);
      });
  }
}

/// Calls body(first, rows) for the strips of n rows: equally tall, at most kTileRows.
template <class Body>
TARSIER_INLINE void each_strip(int64_t n, const Body& body) {
  if (n == 0) return;
  const int64_t height = ceil_div(n, ceil_div(n, kTileRows));
  for (int64_t first = 0; first < n; first += height) body(first, least(height, n - first));
}

// ------------------------------------------------------------------------------------------ blocks

/// `rows` queries from query `i`, `keys` keys from key `j`, of one head. Query m and key n, counted
/// from these, see each other where lower <= n − m <= upper.
struct Block {
  int64_t head, i, rows, j, keys;
  int64_t lower, upper;

  /// Query m sees the keys first_key(m) … end_key(m) − 1 of this block.
  int64_t first_key(int64_t m) const { return most(0, least(m + lower, keys)); }
  int64_t end_key(int64_t m) const { return most(0, least(m + upper + 1, keys)); }
  /// Key n is seen by the queries first_query(n) … end_query(n) − 1 of this block.
  int64_t first_query(int64_t n) const { return most(0, least(n - upper, rows)); }
  int64_t end_query(int64_t n) const { return most(0, least(n - lower + 1, rows)); }
};

template <class T>
Block make_block(const Attention<T>& a, int64_t head, int64_t i, int64_t rows, int64_t j,
                 int64_t keys) {
  // In a block |n − m| < kBlock, so larger limits have no effect. Small ones fit into the lanes.
  const auto limited = [](int64_t diagonal) { return most(-kBlock, least(diagonal, kBlock)); };
  return {head, i, rows, j, keys, limited(a.band.lower + i - j), limited(a.band.upper + i - j)};
}

/// The rows of a head from `t` on.
template <class T>
Matrix<T> rows_from(const HeadRows<T>& x, int64_t head, int64_t t) {
  return {x.data + x.offsets[head] + t * x.row, x.row};
}

/// `n` rows of `d` elements as an operand B: in place if d is whole vectors, otherwise copied
/// to `space` with zeros after each row.
template <class T>
Matrix<const T> whole_vectors(Matrix<const T> x, int64_t n, int64_t d, T* space) {
  const int64_t padded = round_up<T>(d);
  if (padded == d) return x;
  for (int64_t i = 0; i < n; ++i)
    each<T>(d, [&](int64_t e, int64_t lanes) {
      load(x.data + i * x.row + e, lanes).store(space + i * padded + e);
    });
  return {space, padded};
}

/// factor · xᵀ for n ≤ kBlock rows of d elements: d rows of kBlock lanes. The lanes from n to the
/// end of their vector are 0, those after that are undefined.
template <class T>
void transpose_rows(Matrix<const T> x, int64_t n, int64_t d, T factor, T* out) {
  constexpr int64_t W = Simd<T>::width;
  for (int64_t i = 0; i < n; i += W)
    pack_lanes(out + i, kBlock, n - i, PackSource<T>{x.data + i * x.row, x.row, 1}, d);
  if (factor != 1)
    for (int64_t e = 0; e < d; ++e)
      for (int64_t i = 0; i < n; i += W) {
        T* const p = out + e * kBlock + i;
        (Simd<T>::load(p) * Simd<T>(factor)).store(p);
      }
}

/// out[j][i] = Σ_d x[j, d]·y_t[d][i] for all keys j and queries i of the block that see each other.
/// Vectors of queries none of which sees a key of a strip are left undefined.
template <class T>
void scores(const Block& block, int64_t d, Matrix<const T> x, const T* y_t, T* out) {
  constexpr int64_t W = Simd<T>::width;
  each_strip(block.keys, [&](int64_t j, int64_t rows) {
    const int64_t i = block.first_query(j) / W * W;
    const int64_t end = round_up<T>(block.end_query(j + rows - 1));
    if (i < end)
      strip<T>(rows, end - i, d, {x.data + j * x.row, x.row}, {y_t + i, kBlock},
               {out + j * kBlock + i, kBlock}, false);
  });
}

/// c[i] = Σ_j w[j][i]·x[j], or += …, over the keys that query i sees.
template <class T>
void gather_keys(const Block& block, int64_t d, const T* w, Matrix<const T> x, Matrix<T> c,
                 bool accumulate) {
  each_strip(block.rows, [&](int64_t i, int64_t rows) {
    const int64_t j = block.first_key(i);
    strip<T>(rows, d, block.end_key(i + rows - 1) - j, {w + j * kBlock + i, 1, kBlock},
             {x.data + j * x.row, x.row}, {c.data + i * c.row, c.row}, accumulate);
  });
}

/// c[j] = Σ_i w[j][i]·x[i], or += …, over the queries that see key j.
template <class T>
void gather_queries(const Block& block, int64_t d, const T* w, Matrix<const T> x, Matrix<T> c,
                    bool accumulate) {
  each_strip(block.keys, [&](int64_t j, int64_t rows) {
    const int64_t i = block.first_query(j);
    strip<T>(rows, d, block.end_query(j + rows - 1) - i, {w + j * kBlock + i, kBlock},
             {x.data + i * x.row, x.row}, {c.data + j * c.row, c.row}, accumulate);
  });
}

/// Memory for values made row by row, one row per query, and then transposed like the scores.
template <class T>
struct RowTile {
  T *rows, *transposed;
};

/// Calls row(i, j, n, out) for every query i of the block, to write the values of the n keys that
/// it sees, from key j on, and transposes everything, with zeros for the other keys.
template <class T, class Row>
void fill_tile(const Block& block, const RowTile<T>& tile, const Row& row) {
  for (int64_t i = 0; i < block.rows; ++i) {
    const int64_t first = block.first_key(i), end = block.end_key(i);
    T* const out = tile.rows + i * kBlock;
    for (int64_t j = 0; j < first; ++j) out[j] = 0;
    row(i, first, end - first, out + first);
    for (int64_t j = end; j < block.keys; ++j) out[j] = 0;
  }
  transpose_rows<T>({tile.rows, kBlock}, block.rows, block.keys, T(1), tile.transposed);
}

/// Calls f(p, q) for all vectors p of x and q of y, two tiles of the block.
template <class T, class F>
TARSIER_INLINE void each_pair(const Block& block, T* x, const T* y, const F& f) {
  for (int64_t j = 0; j < block.keys; ++j)
    for (int64_t i = 0; i < block.rows; i += Simd<T>::width) {
      T* const p = x + j * kBlock + i;
      f(Simd<T>::load(p), Simd<T>::load(y + j * kBlock + i)).store(p);
    }
}

/// What a mask adds to a score: 0 or −∞ for a bool, the number itself otherwise. A bool masks the
/// bits of −∞: from a ?: the compiler would make a jump, and no vectors (six times slower).
template <class T>
TARSIER_INLINE T bias_of(bool keep) {
  using Bits = typename IntOfSize<T>::Type;
  return __builtin_bit_cast(T, (Bits(keep) - 1) & __builtin_bit_cast(Bits, -kInfinity<T>));
}
template <class T>
TARSIER_INLINE T bias_of(T bias) {
  return bias;
}

/// The biases of n keys: elements 0, col, 2·col, … of a row of the mask.
template <class T, class From>
TARSIER_INLINE void write_biases(const From* mask, int64_t col, int64_t n, T* out) {
  if (col == 1)  // by far the most frequent case, which the compiler vectorises
    for (int64_t j = 0; j < n; ++j) out[j] = bias_of<T>(mask[j]);
  else
    for (int64_t j = 0; j < n; ++j) out[j] = bias_of<T>(mask[j * col]);
}

/// Adds the mask to the scores.
template <class T>
void apply_mask(const Attention<T>& a, const Block& block, const RowTile<T>& tile, T* s) {
  if (a.keep == nullptr && a.bias == nullptr) return;
  const int64_t start = a.mask_offsets[block.head] + block.i * a.mask_row + block.j * a.mask_col;
  const auto write_row = [&](int64_t i, int64_t j, int64_t n, T* out) {
    const int64_t at = start + i * a.mask_row + j * a.mask_col;
    if (a.keep != nullptr)
      write_biases(a.keep + at, a.mask_col, n, out);
    else
      write_biases(a.bias + at, a.mask_col, n, out);
  };
  if (a.mask_row == 0) {  // the same for all queries, like a padding mask
    write_row(0, 0, block.keys, tile.rows);
    for (int64_t j = 0; j < block.keys; ++j)
      for (int64_t i = 0; i < block.rows; i += Simd<T>::width) {
        T* const p = s + j * kBlock + i;
        (Simd<T>::load(p) + Simd<T>(tile.rows[j])).store(p);
      }
  } else {
    fill_tile(block, tile, write_row);
    each_pair(block, s, tile.transposed, [](Simd<T> x, Simd<T> y) { return x + y; });
  }
}

/// Writes the dropout factors of the block, 0 or 1 / (1 − p), into tile.transposed.
template <class T>
void dropout_factors(const Attention<T>& a, const Block& block, const RowTile<T>& tile) {
  const float p = static_cast<float>(a.dropout_p);
  const T kept = static_cast<T>(1 / (1 - a.dropout_p));
  T ones[kBlock];
  for (T& one : ones) one = 1;
  const auto drop = kernels_of<kIsa, RandomKernels<T>>().dropout;
  fill_tile(block, tile, [&](int64_t i, int64_t j, int64_t n, T* out) {
    const int64_t first = (block.head * a.tq + block.i + i) * a.tk + block.j + j;
    drop(a.key, static_cast<uint64_t>(first), n, p, kept, ones, out);
  });
}

/// Calls body(j, if_seen) for every key j that one of the queries in the vector at `i` sees, in any
/// order; there if_seen(x, y) gives x to the queries that see j and y to the others. For the keys
/// before and after these it zeroes the part of `outs` that a strip may read: a strip reads as far
/// as its first and its last row need.
template <class T, class Body, int n>
TARSIER_INLINE void each_visible(const Block& block, int64_t i, T* const (&outs)[n],
                                 const Body& body) {
  using Int = typename Simd<T>::Int;
  using Lane = typename Int::Lane;
  const int64_t last = i + Simd<T>::width - 1;
  // Some queries see `some`, all see `all`, which is empty if the band is narrow.
  const int64_t some_from = block.first_key(i), some_to = block.end_key(last);
  const int64_t all_to = block.end_key(i), all_from = least(block.first_key(last), all_to);
  for (int64_t j = all_from; j < all_to; ++j) body(j, [](Simd<T> x, Simd<T>) { return x; });

  typename Int::Vector query;
  for (int l = 0; l < Simd<T>::width; ++l) query[l] = static_cast<Lane>(i + l);
  const Int lower = static_cast<Lane>(block.lower), upper = static_cast<Lane>(block.upper);
  const int64_t edges[2][2] = {{some_from, all_from}, {all_to, some_to}};
  for (const auto& edge : edges)
    for (int64_t j = edge[0]; j < edge[1]; ++j) {
      const Int diagonal = Int(static_cast<Lane>(j)) - Int(query);
      const Int sees = (diagonal >= lower) & (diagonal <= upper);
      body(j, [&](Simd<T> x, Simd<T> otherwise) { return select(sees, x, otherwise); });
    }

  const auto zero = [&](int64_t from, int64_t to) {
    for (int64_t j = from; j < to; ++j)
      for (T* out : outs) Simd<T>(T(0)).store(out + j * kBlock + i);
  };
  zero(most(0, some_from - kTileRows), some_from);
  zero(some_to, least(block.keys, some_to + kTileRows));
}

}  // namespace tarsier::kernels::TARSIER_ISA
