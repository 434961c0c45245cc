// Attention, forward and backward, after FlashAttention (Dao et al. 2022).
//
// Work goes by blocks of kBlock queries × kBlock keys. The scores of a block are kept transposed,
// one row per key and one lane per query:
//
//   S[j][i] = Σ_d k[j, d] · (scale · q[i, d])
//
// so only the block of queries is ever transposed; k and v are read where they lie, and softmax
// runs down the lanes without adding across a register. All products are made of matmul's tiles
// (gemm_tile.h) in strips of a few rows. Under a causal mask each strip leaves out what no query of
// its block may see, so that it costs about half.
#include "autograd/kernels/attention.h"

#include "autograd/kernels/gemm_pack.h"
#include "autograd/kernels/gemm_tile.h"
#include "autograd/kernels/math.h"
#include "autograd/kernels/random.h"
#include "autograd/kernels/scratch.h"
#include "autograd/kernels/simd.h"
#include "autograd/parallel.h"

namespace tarsier::kernels::TARSIER_ISA {

template <class T>
RandomKernels<T> random_kernels();

namespace {

/// Queries, and keys, of a block: its scores (16 KiB in f32) stay in the L1 cache.
constexpr int64_t kBlock = 64;
/// Multiply-adds that are worth waking a thread for.
constexpr int64_t kGrainWork = int64_t(1) << 19;

template <class T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
template <class T>
constexpr int64_t round_up(int64_t n) {
  return ceil_div(n, Simd<T>::width) * Simd<T>::width;
}

thread_local Scratch scratch;

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
    const Tile<T> tile = kTiles<T>.direct[n > W][rows - 1];
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
    // The last vector reaches over the end of C's rows: compute the tile beside it.
    alignas(64) T whole[kTileRows * step];
    args.c = whole;
    args.c_row = step;
    tile(args);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < n; ++j)
        out[i * c.row + j] =
            accumulate ? out[i * c.row + j] + whole[i * step + j] : whole[i * step + j];
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

/// `rows` queries from query `i`, `keys` keys from key `j`, of one head.
struct Block {
  int64_t head, i, rows, j, keys;
  bool causal;

  /// Of the keys of this block, how many query i + n sees at most.
  int64_t visible(int64_t n) const { return causal ? most(0, least(keys, i + n + 1 - j)) : keys; }
  /// The first query of this block, counted from i, that sees key j + n.
  int64_t first_query(int64_t n) const { return causal ? least(rows, most(0, j + n - i)) : 0; }
};

template <class T>
const T* row_of(const HeadRows<const T>& x, int64_t head, int64_t t) {
  return x.data + x.offsets[head] + t * x.row;
}
template <class T>
Matrix<T> rows_from(const HeadRows<T>& x, int64_t head, int64_t t) {
  return {x.data + x.offsets[head] + t * x.row, x.row};
}

/// `n` rows of `d` elements as an operand B: as they are where d is whole vectors, or else copied
/// to `space` with zeros behind each row.
template <class T>
Matrix<const T> whole_vectors(Matrix<const T> x, int64_t n, int64_t d, T* space) {
  const int64_t padded = round_up<T>(d);
  if (padded == d) return x;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t e = 0; e < padded; ++e) space[i * padded + e] = e < d ? x.data[i * x.row + e] : 0;
  return {space, padded};
}

/// factor · (the n ≤ kBlock rows of d elements)ᵀ: d rows of kBlock lanes, those from n to the end
/// of its vector 0, and those behind undefined.
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
/// The strips, and so what is left undefined under a causal mask, are those of each_strip.
template <class T>
void scores(const Block& block, int64_t d, Matrix<const T> x, const T* y_t, T* out) {
  constexpr int64_t W = Simd<T>::width;
  const int64_t lanes = round_up<T>(block.rows);
  each_strip(block.keys, [&](int64_t j, int64_t rows) {
    const int64_t i = block.first_query(j) / W * W;
    if (i < lanes)
      strip<T>(rows, lanes - i, d, {x.data + j * x.row, x.row}, {y_t + i, kBlock},
               {out + j * kBlock + i, kBlock}, false);
  });
}

/// c[i] += Σ_j w[j][i]·x[j] over the keys that query i sees: what a query gathers from the keys.
template <class T>
void gather_keys(const Block& block, int64_t d, const T* w, Matrix<const T> x, Matrix<T> c,
                 bool accumulate) {
  each_strip(block.rows, [&](int64_t i, int64_t rows) {
    strip<T>(rows, d, block.visible(i + rows - 1), {w + i, 1, kBlock}, x,
             {c.data + i * c.row, c.row}, accumulate);
  });
}

/// c[j] += Σ_i w[j][i]·x[i] over the queries that see key j: what a key gathers from the queries.
template <class T>
void gather_queries(const Block& block, int64_t d, const T* w, Matrix<const T> x, Matrix<T> c) {
  each_strip(block.keys, [&](int64_t j, int64_t rows) {
    const int64_t i = block.first_query(j);
    strip<T>(rows, d, block.rows - i, {w + j * kBlock + i, kBlock}, {x.data + i * x.row, x.row},
             {c.data + j * c.row, c.row}, true);
  });
}

/// Memory for what is made row by row, one row per query, and then transposed like the scores.
template <class T>
struct Transposer {
  T *rows, *transposed;
};

/// Calls row(i, n, out) for every query i of the block, to write what belongs to the n keys that it
/// sees, and transposes the whole, with zeros for the other keys.
template <class T, class Row>
void fill_tile(const Block& block, const Transposer<T>& tile, const Row& row) {
  for (int64_t i = 0; i < block.rows; ++i) {
    const int64_t n = block.visible(i);
    row(i, n, tile.rows + i * kBlock);
    for (int64_t j = n; j < block.keys; ++j) tile.rows[i * kBlock + j] = 0;
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

/// Adds the mask to the scores.
template <class T>
void apply_mask(const Attention<T>& a, const Block& block, const Transposer<T>& tile, T* s) {
  if (a.keep == nullptr && a.bias == nullptr) return;
  const int64_t start = a.mask_offsets[block.head] + block.i * a.mask_row + block.j * a.mask_col;
  const auto write_row = [&](int64_t i, int64_t n, T* out) {
    const auto copy = [&](const auto* from, int64_t col) {
      for (int64_t j = 0; j < n; ++j) {
        if constexpr (sizeof(*from) == sizeof(bool))
          out[j] = from[j * col] ? T(0) : -kInfinity<T>;
        else
          out[j] = from[j * col];
      }
    };
    const auto copy_any = [&](const auto* from) {
      a.mask_col == 1 ? copy(from, 1) : copy(from, a.mask_col);
    };
    const int64_t at = start + i * a.mask_row;
    a.keep != nullptr ? copy_any(a.keep + at) : copy_any(a.bias + at);
  };
  if (a.mask_row == 0) {  // the same for all queries, as a mask of padding is
    write_row(0, block.keys, tile.rows);
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

/// What dropout multiplies the weights of the block with, 0 or 1 / (1 − p), into tile.transposed.
template <class T>
void dropout_factors(const Attention<T>& a, const Block& block, const Transposer<T>& tile) {
  const T p = static_cast<T>(a.dropout_p), kept = static_cast<T>(1 / (1 - a.dropout_p));
  T ones[kBlock];
  for (T& one : ones) one = 1;
  const auto drop = random_kernels<T>().dropout;
  fill_tile(block, tile, [&](int64_t i, int64_t n, T* out) {
    const int64_t first = (block.head * a.tq + block.i + i) * a.tk + block.j;
    drop(a.key, static_cast<uint64_t>(first), n, p, kept, ones, out);
  });
}

/// The query that each lane of vector `i` of the block holds, to compare with keys: query − key.
template <class T>
typename Simd<T>::Int query_minus_key(const Block& block, int64_t i) {
  typename Simd<T>::Int::Vector lane;
  for (int l = 0; l < Simd<T>::width; ++l)
    lane[l] = static_cast<typename Simd<T>::Int::Lane>(block.i + i + l - block.j);
  return lane;
}

/// Calls body(j, if_seen) for every key j that one of the queries in vector `i` of the block sees,
/// where if_seen(x, y) gives x to the queries that see j and y to the others. Behind these it
/// zeroes what a strip may read of `outs`.
template <class T, class Body, int n>
TARSIER_INLINE void each_visible(const Block& block, int64_t i, T* const (&outs)[n],
                                 const Body& body) {
  using Int = typename Simd<T>::Int;
  const int64_t width = Simd<T>::width;
  const int64_t all = block.visible(i), some = block.visible(i + width - 1);
  for (int64_t j = 0; j < all; ++j) body(j, [](Simd<T> x, Simd<T>) { return x; });
  const Int position = query_minus_key<T>(block, i);
  for (int64_t j = all; j < some; ++j) {
    const Int sees = position >= Int(static_cast<typename Int::Lane>(j));
    body(j, [&](Simd<T> x, Simd<T> otherwise) { return select(sees, x, otherwise); });
  }
  for (int64_t j = some; j < least(block.keys, some + kTileRows); ++j)
    for (T* out : outs) Simd<T>(T(0)).store(out + j * kBlock + i);
}

/// The pairs of a query and a key that a causal mask, if any, leaves: the measure of work.
template <class T>
int64_t pairs(const Attention<T>& a) {
  return a.causal ? a.tq * least(a.tk, (a.tq + 1) / 2) : a.tq * a.tk;
}
/// The end of the keys that any query before `i` sees.
template <class T>
int64_t key_end(const Attention<T>& a, int64_t i) {
  return a.causal ? least(a.tk, i) : a.tk;
}

// ----------------------------------------------------------------------------------------- forward

/// The state of the softmax of a block of queries while the keys pass by (online softmax, Milakov
/// and Gimelshein 2018): the largest score so far, and Σ exp(score − largest).
template <class T>
struct RunningSoftmax {
  alignas(64) T largest[kBlock];
  alignas(64) T sum[kBlock];
  alignas(64) T correction[kBlock];  // what the new block makes of what was summed before
};

/// Turns the scores of the block into exp(score − largest) and updates the state.
template <class T>
void softmax_block(const Block& block, T* s, RunningSoftmax<T>& state) {
  const Simd<T> lowest = -kInfinity<T>;
  for (int64_t i = 0; i < block.rows; i += Simd<T>::width) {
    const Simd<T> before = Simd<T>::load(state.largest + i);
    Simd<T> largest = before;
    each_visible<T>(block, i, {s}, [&](int64_t j, const auto& if_seen) {
      T* const p = s + j * kBlock + i;
      const Simd<T> score = if_seen(Simd<T>::load(p), lowest);
      score.store(p);
      largest = max(score, largest);
    });
    // Where nothing was visible yet all is −∞, and −∞ − −∞ would be NaN.
    const Simd<T> shift = select(largest == lowest, Simd<T>(T(0)), largest);
    const Simd<T> correction = exp_flush(before - shift);
    Simd<T> sum = Simd<T>::load(state.sum + i) * correction;
    const int64_t some = block.visible(i + Simd<T>::width - 1);
    for (int64_t j = 0; j < some; ++j) {
      T* const p = s + j * kBlock + i;
      const Simd<T> weight = exp_flush(Simd<T>::load(p) - shift);
      weight.store(p);
      sum += weight;
    }
    largest.store(state.largest + i);
    sum.store(state.sum + i);
    correction.store(state.correction + i);
  }
}

/// Attention of queries i … i + rows − 1 of one head.
template <class T>
void attend(const Attention<T>& a, int64_t head, int64_t i, const HeadRows<T>& out, T* lse) {
  constexpr int64_t W = Simd<T>::width;
  const int64_t rows = least(kBlock, a.tq - i), padded = round_up<T>(a.dv);
  T* const q_t = scratch.get<T>(kBlock * (a.d + 3 * kBlock + 2 * padded));
  T* const s = q_t + kBlock * a.d;
  const Transposer<T> tile{s + kBlock * kBlock, s + 2 * kBlock * kBlock};
  T* const y = s + 3 * kBlock * kBlock;
  T* const v_space = y + kBlock * padded;

  RunningSoftmax<T> state;
  for (int64_t r = 0; r < kBlock; ++r) state.largest[r] = -kInfinity<T>, state.sum[r] = 0;
  for (int64_t e = 0; e < rows * padded; ++e) y[e] = 0;
  transpose_rows<T>(rows_from(a.q, head, i), rows, a.d, a.scale, q_t);

  const int64_t end = key_end(a, i + rows);
  for (int64_t j = 0; j < end; j += kBlock) {
    const Block block{head, i, rows, j, least(kBlock, end - j), a.causal};
    scores<T>(block, a.d, rows_from(a.k, head, j), q_t, s);
    apply_mask(a, block, tile, s);
    softmax_block(block, s, state);
    if (a.dropout_p > 0) {
      dropout_factors(a, block, tile);
      each_pair(block, s, tile.transposed, [](Simd<T> x, Simd<T> y) { return x * y; });
    }
    if (j > 0)
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t e = 0; e < padded; e += W) {
          T* const p = y + r * padded + e;
          (Simd<T>::load(p) * Simd<T>(state.correction[r])).store(p);
        }
    const Matrix<const T> v = whole_vectors<T>(rows_from(a.v, head, j), block.keys, a.dv, v_space);
    gather_keys<T>(block, padded, s, v, {y, padded}, j > 0);
  }

  for (int64_t r = 0; r < rows; r += W) {
    const Simd<T> sum = Simd<T>::load(state.sum + r), zero = T(0);
    const auto blind = sum == zero;
    const Simd<T> total =
        select(blind, Simd<T>(kInfinity<T>), Simd<T>::load(state.largest + r) + log(sum));
    total.store(state.largest + r);
    select(blind, zero, Simd<T>(T(1)) / sum).store(state.sum + r);
  }
  const Matrix<T> to = rows_from(out, head, i);
  for (int64_t r = 0; r < rows; ++r) {
    lse[head * a.tq + i + r] = state.largest[r];
    const Simd<T> factor = state.sum[r];
    int64_t e = 0;
    for (; e + W <= a.dv; e += W)
      (Simd<T>::load(y + r * padded + e) * factor).store(to.data + r * to.row + e);
    if (e < a.dv)
      (Simd<T>::load(y + r * padded + e) * factor).store(to.data + r * to.row + e, a.dv - e);
  }
}

template <class T>
void attention(const Attention<T>& a, const HeadRows<T>& y, T* lse) {
  const int64_t blocks = ceil_div(a.tq, kBlock);
  if (a.heads * blocks == 0) return;
  const int64_t work = pairs(a) * (a.d + a.dv + 16) / blocks;
  parallel_for(a.heads * blocks, 1 + kGrainWork / (work + 1), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) attend(a, t / blocks, t % blocks * kBlock, y, lse);
  });
}

// ---------------------------------------------------------------------------------------- backward
// Forward was, with weights P_ij = exp(S_ij − lse_i) and dropout factors M_ij:
//   y_i = Σ_j M_ij P_ij v_j
// so now
//   dv_j = Σ_i M_ij P_ij dy_i          dP_ij = M_ij (dy_i · v_j)
//   dS_ij = P_ij (dP_ij − D_i)         D_i = Σ_j P_ij dP_ij = dy_i · y_i
//   dq_i = scale Σ_j dS_ij k_j         dk_j = scale Σ_i dS_ij q_i

/// What the backward of a block of queries needs of them, whichever keys pass by.
template <class T>
struct Queries {
  T *q_t, *dy_t;                           // transposed; q times scale
  Matrix<const T> q, dy;                   // in whole vectors
  alignas(64) T lse[kBlock], dot[kBlock];  // dot: D
};

template <class T>
T dot(const T* x, const T* y, int64_t n) {
  constexpr int64_t W = Simd<T>::width;
  Simd<T> sum = T(0);
  int64_t e = 0;
  for (; e + W <= n; e += W) sum += Simd<T>::load(x + e) * Simd<T>::load(y + e);
  if (e < n) sum += Simd<T>::load(x + e, n - e) * Simd<T>::load(y + e, n - e);
  return sum_lanes(sum);
}

/// Turns scores s into M·P and dy·v (in ds) into dS·scale.
template <class T>
void softmax_grad_block(const Block& block, const Queries<T>& queries, T scale, const T* factors,
                        T* s, T* ds) {
  const Simd<T> zero = T(0);
  for (int64_t i = 0; i < block.rows; i += Simd<T>::width) {
    const Simd<T> lse = Simd<T>::load(queries.lse + i), dot = Simd<T>::load(queries.dot + i);
    each_visible<T>(block, i, {s, ds}, [&](int64_t j, const auto& if_seen) {
      T* const p = s + j * kBlock + i;
      T* const dp = ds + j * kBlock + i;
      const Simd<T> weight = if_seen(exp_flush(Simd<T>::load(p) - lse), zero);
      const Simd<T> factor = factors ? Simd<T>::load(factors + j * kBlock + i) : Simd<T>(T(1));
      (weight * factor).store(p);
      (weight * (Simd<T>::load(dp) * factor - dot) * Simd<T>(scale)).store(dp);
    });
  }
}

/// Blocks of queries and of keys: from … to, counted in elements.
struct Range {
  int64_t from, to;
};

/// The gradients of one head. For `keys` it owns dk and dv where `own_keys`, and for `queries` dq
/// where `own_queries`: all of what these receive comes from here, in the order of the other's
/// blocks. So all ways to share out the work give the same bits.
template <class T>
void head_grad(const Attention<T>& a, const AttentionGrad<T>& g, int64_t head, Range query_range,
               Range key_range, bool own_queries, bool own_keys) {
  const int64_t d = round_up<T>(a.d), dv = round_up<T>(a.dv);
  const auto zero = [&](const HeadRows<T>& x, Range range, int64_t n) {
    for (int64_t t = range.from; t < range.to; ++t)
      for (int64_t e = 0; e < n; ++e) x.data[x.offsets[head] + t * x.row + e] = 0;
  };
  const bool wants_dq = own_queries && g.dq.data != nullptr;
  const bool wants_dk = own_keys && g.dk.data != nullptr;
  const bool wants_dv = own_keys && g.dv.data != nullptr;
  if (wants_dq) zero(g.dq, query_range, a.d);
  if (wants_dk) zero(g.dk, key_range, a.d);
  if (wants_dv) zero(g.dv, key_range, a.dv);

  Queries<T> queries;
  queries.q_t = scratch.get<T>(kBlock * (3 * d + 2 * dv + 4 * kBlock));
  queries.dy_t = queries.q_t + kBlock * d;
  T* const q_space = queries.dy_t + kBlock * dv;
  T* const dy_space = q_space + kBlock * d;
  T* const k_space = dy_space + kBlock * dv;
  T* const s = k_space + kBlock * d;
  T* const ds = s + kBlock * kBlock;
  const Transposer<T> tile{ds + kBlock * kBlock, ds + 2 * kBlock * kBlock};
  const T* const factors = a.dropout_p > 0 ? tile.transposed : nullptr;

  for (int64_t i = query_range.from; i < query_range.to; i += kBlock) {
    const int64_t rows = least(kBlock, query_range.to - i);
    const int64_t end = least(key_range.to, key_end(a, i + rows));
    if (key_range.from >= end) continue;
    const Matrix<const T> q = rows_from(a.q, head, i), dy = rows_from(g.dy, head, i);
    transpose_rows<T>(q, rows, a.d, a.scale, queries.q_t);
    transpose_rows<T>(dy, rows, a.dv, T(1), queries.dy_t);
    queries.q = whole_vectors<T>(q, rows, a.d, q_space);
    queries.dy = whole_vectors<T>(dy, rows, a.dv, dy_space);
    for (int64_t r = 0; r < kBlock; ++r) {
      queries.lse[r] = r < rows ? g.lse[head * a.tq + i + r] : kInfinity<T>;
      queries.dot[r] =
          r < rows ? dot(row_of(g.y, head, i + r), row_of(g.dy, head, i + r), a.dv) : T(0);
    }
    for (int64_t j = key_range.from; j < end; j += kBlock) {
      const Block block{head, i, rows, j, least(kBlock, end - j), a.causal};
      const Matrix<const T> k = rows_from(a.k, head, j);
      scores<T>(block, a.d, k, queries.q_t, s);
      apply_mask(a, block, tile, s);
      scores<T>(block, a.dv, rows_from(a.v, head, j), queries.dy_t, ds);
      if (factors != nullptr) dropout_factors(a, block, tile);
      softmax_grad_block(block, queries, a.scale, factors, s, ds);
      if (wants_dv) gather_queries<T>(block, a.dv, s, queries.dy, rows_from(g.dv, head, j));
      if (wants_dk) gather_queries<T>(block, a.d, ds, queries.q, rows_from(g.dk, head, j));
      if (wants_dq)
        gather_keys<T>(block, a.d, ds, whole_vectors<T>(k, block.keys, a.d, k_space),
                       rows_from(g.dq, head, i), true);
    }
  }
}

template <class T>
void attention_grad(const Attention<T>& a, const AttentionGrad<T>& g) {
  const int64_t q_blocks = ceil_div(a.tq, kBlock), k_blocks = ceil_div(a.tk, kBlock);
  const int64_t work = pairs(a) * (3 * a.d + 2 * a.dv + 16);
  if (a.heads >= 2 * num_threads() || q_blocks + k_blocks <= 2) {
    parallel_for(a.heads, 1 + kGrainWork / (work + 1), [&](int64_t begin, int64_t end) {
      for (int64_t head = begin; head < end; ++head)
        head_grad(a, g, head, {0, a.tq}, {0, a.tk}, true, true);
    });
    return;
  }
  // Too few heads for the threads: share out blocks of queries, then blocks of keys. The scores are
  // computed twice then, for no two threads may add to the same gradient.
  parallel_for(a.heads * q_blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t i = t % q_blocks * kBlock;
      head_grad(a, g, t / q_blocks, {i, least(i + kBlock, a.tq)}, {0, a.tk}, true, false);
    }
  });
  parallel_for(a.heads * k_blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % k_blocks * kBlock;
      head_grad(a, g, t / k_blocks, {0, a.tq}, {j, least(j + kBlock, a.tk)}, false, true);
    }
  });
}

}  // namespace

template <class T>
AttentionKernels<T> attention_kernels() {
  return {.attention = attention<T>, .attention_grad = attention_grad<T>};
}
template AttentionKernels<float> attention_kernels<float>();
template AttentionKernels<double> attention_kernels<double>();

}  // namespace tarsier::kernels::TARSIER_ISA
