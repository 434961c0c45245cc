// Attention, forward and backward, after FlashAttention (Dao et al. 2022): the loops go over blocks
// of kBlock queries × kBlock keys (attention_block.h), and the weights of a block are discarded
// before the next one. Forward stores one number per query, lse, from which backward recomputes
// them.
//
// Sums are split into segments of kSegment keys, or queries: the blocks of a segment are summed
// from 0, and the segments are then added in order. The error of one running sum over all blocks
// would grow with √blocks; this one grows with √(16 + blocks / 16).
#include "autograd/ops/attention/attention.kernel.h"

#include "autograd/base/parallel.h"
#include "autograd/ops/attention/attention_block.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/rows.h"
#include "autograd/simd/scratch.h"
#include "autograd/simd/simd.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// Multiply-adds that are worth waking a thread for.
constexpr int64_t kGrainWork = int64_t(1) << 19;

/// Keys, or queries, of a segment: whole blocks. Shorter sums are one running sum.
constexpr int64_t kSegment = 16 * kBlock;

Scratch& scratch() {
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
/// The range extended to whole blocks of 0 … n − 1.
Range whole_blocks(Range range, int64_t n) {
  if (range.empty()) return {0, 0};
  return {range.from / kBlock * kBlock, least(n, ceil_div(range.to, kBlock) * kBlock)};
}

Range common(Range a, Range b) { return {most(a.from, b.from), least(a.to, b.to)}; }

/// The approximate number of pairs of a query and a key that see each other: the measure of work.
/// Counts a block as if all its queries saw as many keys as the middle one.
template <class T>
int64_t pairs(const Attention<T>& a) {
  int64_t sum = 0;
  for (int64_t i = 0; i < a.tq; i += kBlock) {
    const int64_t rows = least(kBlock, a.tq - i), middle = i + rows / 2;
    const Range keys = keys_of(a, {middle, middle + 1});
    sum += rows * (keys.to - keys.from);
  }
  return sum;
}

// ----------------------------------------------------------------------------------------- forward

/// The state of the softmax of a block of queries in the loop over the keys (online softmax,
/// Milakov and Gimelshein 2018): the largest score so far, and Σ exp(score − largest).
template <class T>
struct RunningSoftmax {
  alignas(64) T largest[kBlock];
  alignas(64) T sum[kBlock];
  alignas(64) T correction[kBlock];  // the factor of the previous sums
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
    // If nothing was visible yet, all is −∞, and −∞ − −∞ would be NaN.
    const Simd<T> shift = select(largest == lowest, Simd<T>(T(0)), largest);
    const Simd<T> correction = exp_flush(before - shift);
    Simd<T> sum = T(0);  // only of this block: a running sum over all keys would be less accurate
    const int64_t end = block.end_key(i + Simd<T>::width - 1);
    for (int64_t j = block.first_key(i); j < end; ++j) {
      T* const p = s + j * kBlock + i;
      const Simd<T> weight = exp_flush(Simd<T>::load(p) - shift);
      weight.store(p);
      sum += weight;
    }
    largest.store(state.largest + i);
    (Simd<T>::load(state.sum + i) * correction + sum).store(state.sum + i);
    correction.store(state.correction + i);
  }
}

/// Adds the sums of a segment, Σ exp in `state` and y, to those of the earlier segments. `state`
/// knows the largest score of all of them.
template <class T>
void add_segment(int64_t rows, int64_t padded, const RunningSoftmax<T>& state, const T* y,
                 RunningSoftmax<T>& total, T* total_y) {
  constexpr int64_t W = Simd<T>::width;
  for (int64_t r = 0; r < rows; r += W) {
    const Simd<T> largest = Simd<T>::load(state.largest + r);
    const Simd<T> shift = select(largest == Simd<T>(-kInfinity<T>), Simd<T>(T(0)), largest);
    const Simd<T> correction = exp_flush(Simd<T>::load(total.largest + r) - shift);
    (Simd<T>::load(total.sum + r) * correction + Simd<T>::load(state.sum + r)).store(total.sum + r);
    correction.store(total.correction + r);
    largest.store(total.largest + r);
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t e = r * padded; e < (r + 1) * padded; e += W)
      (Simd<T>::load(total_y + e) * Simd<T>(total.correction[r]) + Simd<T>::load(y + e))
          .store(total_y + e);
}

/// Attention of queries i … i + rows − 1 of one head.
template <class T>
void attend(const Attention<T>& a, int64_t head, int64_t i, const HeadRows<T>& out, T* lse) {
  constexpr int64_t W = Simd<T>::width;
  const int64_t rows = least(kBlock, a.tq - i), padded = round_up<T>(a.dv);
  T* const q_t = scratch().get<T>(kBlock * (a.d + 3 * kBlock + 3 * padded));
  T* const s = q_t + kBlock * a.d;
  const RowTile<T> tile{s + kBlock * kBlock, s + 2 * kBlock * kBlock};
  T* const v_space = s + 3 * kBlock * kBlock;
  T* const total_y = v_space + kBlock * padded;
  T* const segment_y = total_y + kBlock * padded;

  RunningSoftmax<T> state, total;
  for (int64_t r = 0; r < kBlock; ++r) state.largest[r] = -kInfinity<T>, state.sum[r] = 0;
  const Range seen = keys_of(a, {i, i + rows});
  if (seen.empty()) {
    total = state;
    for (int64_t e = 0; e < rows * padded; ++e) total_y[e] = 0;
  }
  transpose_rows<T>(rows_from(a.q, head, i), rows, a.d, a.scale, q_t);

  for (int64_t from = seen.from; from < seen.to; from += kSegment) {
    const int64_t to = least(from + kSegment, seen.to);
    T* const y = from == seen.from ? total_y : segment_y;
    for (T& sum : state.sum) sum = 0;
    for (int64_t j = from; j < to; j += kBlock) {
      const Block block = make_block(a, head, i, rows, j, least(kBlock, to - j));
      scores<T>(block, a.d, rows_from(a.k, head, j), q_t, s);
      apply_mask(a, block, tile, s);
      softmax_block(block, s, state);
      if (a.dropout_p > 0) {
        dropout_factors(a, block, tile);
        each_pair(block, s, tile.transposed, [](Simd<T> x, Simd<T> y) { return x * y; });
      }
      if (j > from)
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t e = 0; e < padded; e += W) {
            T* const p = y + r * padded + e;
            (Simd<T>::load(p) * Simd<T>(state.correction[r])).store(p);
          }
      const Matrix<const T> v =
          whole_vectors<T>(rows_from(a.v, head, j), block.keys, a.dv, v_space);
      gather_keys<T>(block, padded, s, v, {y, padded}, j > from);
    }
    if (from == seen.from)
      total = state;
    else
      add_segment(rows, padded, state, y, total, total_y);
  }

  for (int64_t r = 0; r < rows; r += W) {
    const Simd<T> sum = Simd<T>::load(total.sum + r), zero = T(0);
    const auto blind = sum == zero;
    const Simd<T> log_sum =
        select(blind, Simd<T>(kInfinity<T>), Simd<T>::load(total.largest + r) + log(sum));
    log_sum.store(total.largest + r);
    select(blind, zero, Simd<T>(T(1)) / sum).store(total.sum + r);
  }
  const Matrix<T> to = rows_from(out, head, i);
  for (int64_t r = 0; r < rows; ++r) {
    lse[head * a.tq + i + r] = total.largest[r];
    const Simd<T> factor = total.sum[r];
    int64_t e = 0;
    for (; e + W <= a.dv; e += W)
      (Simd<T>::load(total_y + r * padded + e) * factor).store(to.data + r * to.row + e);
    if (e < a.dv)
      (Simd<T>::load(total_y + r * padded + e) * factor).store(to.data + r * to.row + e, a.dv - e);
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
// Forward, with weights P_ij = exp(S_ij − lse_i) and dropout factors M_ij:
//   y_i = Σ_j M_ij P_ij v_j
// so
//   dv_j = Σ_i M_ij P_ij dy_i          dP_ij = M_ij (dy_i · v_j)
//   dS_ij = P_ij (dP_ij − D_i)         D_i = Σ_j P_ij dP_ij = dy_i · y_i
//   dq_i = scale Σ_j dS_ij k_j         dk_j = scale Σ_i dS_ij q_i

/// What the backward of a block of queries needs of them, for any keys.
template <class T>
struct Queries {
  T *q_t, *dy_t;                           // transposed; q times scale
  Matrix<const T> q, dy;                   // in whole vectors
  alignas(64) T lse[kBlock], dot[kBlock];  // dot: D
};

/// out[i] = Σ_e x[i, e]·y[i, e] for n ≤ kBlock rows. Each row is summed into one register; these
/// are transposed, and then summed down the lanes. `space` holds 2·kBlock·width elements.
template <class T>
void row_dots(Matrix<const T> x, Matrix<const T> y, int64_t n, int64_t d, T* space, T* out) {
  constexpr int64_t W = Simd<T>::width;
  T* const transposed = space + kBlock * W;
  for (int64_t i = 0; i < n; ++i) {
    const T *px = x.data + i * x.row, *py = y.data + i * y.row;
    Simd<T> sum = T(0);
    int64_t e = 0;
    for (; e + W <= d; e += W) sum += Simd<T>::load(px + e) * Simd<T>::load(py + e);
    if (e < d) sum += Simd<T>::load(px + e, d - e) * Simd<T>::load(py + e, d - e);
    sum.store(space + i * W);
  }
  transpose_rows<T>({space, W}, n, W, T(1), transposed);
  for (int64_t i = 0; i < n; i += W) {
    Simd<T> sum = T(0);
    for (int64_t e = 0; e < W; ++e) sum += Simd<T>::load(transposed + e * kBlock + i);
    sum.store(out + i);
  }
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

/// The segment of 0 … n − 1 that begins with `from`, cut off at `to`. The segments of the backward
/// pass begin at multiples of kSegment.
Range segment_at(int64_t from, int64_t to) {
  return {from, least((from / kSegment + 1) * kSegment, to)};
}

/// to (n × d) += x.
template <class T>
void add_rows(Matrix<const T> x, int64_t n, int64_t d, Matrix<T> to) {
  for (int64_t i = 0; i < n; ++i)
    each<T>(d, [&](int64_t e, int64_t lanes) {
      T* const p = to.data + i * to.row + e;
      store(p, load(p, lanes) + load(x.data + i * x.row + e, lanes), lanes);
    });
}

/// Gradients of one head: dq of `query_range` if own_queries, from all keys of `key_range`; dk and
/// dv of `key_range` if own_keys, from all queries of `query_range`. They are summed in the order
/// of blocks and segments, whatever ranges a caller works on, so that all ways to divide the work
/// give the same bits.
template <class T>
void head_grad(const Attention<T>& a, const AttentionGrad<T>& g, int64_t head, Range query_range,
               Range key_range, bool own_queries, bool own_keys) {
  const int64_t d = round_up<T>(a.d), dv = round_up<T>(a.dv);
  const bool wants_dq = own_queries && g.dq.data != nullptr;
  const bool wants_dk = own_keys && g.dk.data != nullptr;
  const bool wants_dv = own_keys && g.dv.data != nullptr;
  // Rows that no block writes to.
  const auto zero = [&](const HeadRows<T>& x, Range range, int64_t n) {
    for (int64_t t = range.from; t < range.to; ++t)
      for (int64_t e = 0; e < n; ++e) x.data[x.offsets[head] + t * x.row + e] = 0;
  };
  const Range visited =
      query_range.empty() ? Range{0, 0} : whole_blocks(keys_of(a, query_range), a.tk);
  for (const Range unseen : {Range{key_range.from, least(visited.from, key_range.to)},
                             Range{most(visited.to, key_range.from), key_range.to}}) {
    if (wants_dk) zero(g.dk, unseen, a.d);
    if (wants_dv) zero(g.dv, unseen, a.dv);
  }
  for (int64_t i = query_range.from; wants_dq && i < query_range.to; i += kBlock) {
    const Range queries{i, least(i + kBlock, query_range.to)};
    if (keys_of(a, queries).empty()) zero(g.dq, queries, a.d);
  }

  // The first segment that reaches a row of a gradient is summed in place, the others here.
  const int64_t kept = own_keys && a.tq > kSegment ? least(kSegment, a.tk) : 0;
  Queries<T> queries;
  queries.q_t = scratch().get<T>(kBlock * (4 * d + 2 * dv + 4 * kBlock) + kept * (d + dv));
  queries.dy_t = queries.q_t + kBlock * d;
  T* const q_space = queries.dy_t + kBlock * dv;
  T* const dy_space = q_space + kBlock * d;
  T* const k_space = dy_space + kBlock * dv;
  T* const s = k_space + kBlock * d;
  T* const ds = s + kBlock * kBlock;
  const RowTile<T> tile{ds + kBlock * kBlock, ds + 2 * kBlock * kBlock};
  const T* const factors = a.dropout_p > 0 ? tile.transposed : nullptr;
  T* const segment_dq = ds + 3 * kBlock * kBlock;
  T* const segment_dk = segment_dq + kBlock * d;
  T* const segment_dv = segment_dk + kept * d;

  /// One segment of queries with one of keys.
  const auto segment_grad = [&](Range query_segment, Range key_segment) {
    // The end of the keys that queries from … to − 1 see.
    const auto seen_by = [&](int64_t from, int64_t to) {
      return from < to ? keys_of(a, {from, to}).to : 0;
    };
    const int64_t seen_earlier = seen_by(query_range.from, query_segment.from);
    const auto rows_of = [&](const HeadRows<T>& x, T* segment_x, int64_t width, int64_t j) {
      return j < seen_earlier ? Matrix<T>{segment_x + (j - key_segment.from) * width, width}
                              : rows_from(x, head, j);
    };
    for (int64_t i = query_segment.from; i < query_segment.to; i += kBlock) {
      const int64_t rows = least(kBlock, query_segment.to - i);
      const Range seen = whole_blocks(keys_of(a, {i, i + rows}), a.tk);
      const Range keys = common(key_segment, seen);
      if (keys.empty()) continue;
      const Matrix<const T> q = rows_from(a.q, head, i), dy = rows_from(g.dy, head, i);
      transpose_rows<T>(q, rows, a.d, a.scale, queries.q_t);
      transpose_rows<T>(dy, rows, a.dv, T(1), queries.dy_t);
      queries.q = whole_vectors<T>(q, rows, a.d, q_space);
      queries.dy = whole_vectors<T>(dy, rows, a.dv, dy_space);
      for (int64_t r = 0; r < kBlock; ++r)
        queries.lse[r] = r < rows ? g.lse[head * a.tq + i + r] : kInfinity<T>;
      row_dots<T>(rows_from(g.y, head, i), dy, rows, a.dv, s, queries.dot);
      const bool adds_dq = keys.from > seen.from;
      Matrix<T> dq{segment_dq, d};
      if (wants_dq && !adds_dq) dq = rows_from(g.dq, head, i);
      // The first queries that see any of a block of keys write its gradients, the next ones add.
      const int64_t seen_before = seen_by(query_segment.from, i);
      for (int64_t j = keys.from; j < keys.to; j += kBlock) {
        const Block block = make_block(a, head, i, rows, j, least(kBlock, keys.to - j));
        const Matrix<const T> k = rows_from(a.k, head, j);
        scores<T>(block, a.d, k, queries.q_t, s);
        apply_mask(a, block, tile, s);
        scores<T>(block, a.dv, rows_from(a.v, head, j), queries.dy_t, ds);
        if (factors != nullptr) dropout_factors(a, block, tile);
        softmax_grad_block(block, queries, a.scale, factors, s, ds);
        const bool adds = j < seen_before;
        if (wants_dv)
          gather_queries<T>(block, a.dv, s, queries.dy, rows_of(g.dv, segment_dv, dv, j), adds);
        if (wants_dk)
          gather_queries<T>(block, a.d, ds, queries.q, rows_of(g.dk, segment_dk, d, j), adds);
        if (wants_dq)
          gather_keys<T>(block, a.d, ds, whole_vectors<T>(k, block.keys, a.d, k_space), dq,
                         j > keys.from);
      }
      if (wants_dq && adds_dq) add_rows<T>({dq.data, dq.row}, rows, a.d, rows_from(g.dq, head, i));
    }
    const Range seen = whole_blocks(keys_of(a, query_segment), a.tk);
    const Range again = common(common(key_segment, seen), whole_blocks({0, seen_earlier}, a.tk));
    if (again.empty()) return;
    const int64_t n = again.to - again.from, skipped = again.from - key_segment.from;
    if (wants_dk)
      add_rows<T>({segment_dk + skipped * d, d}, n, a.d, rows_from(g.dk, head, again.from));
    if (wants_dv)
      add_rows<T>({segment_dv + skipped * dv, dv}, n, a.dv, rows_from(g.dv, head, again.from));
  };
  // All queries process a segment of keys, which stays in the cache, before the next one.
  for (int64_t j = key_range.from; j < key_range.to; j = segment_at(j, key_range.to).to)
    for (int64_t i = query_range.from; i < query_range.to; i = segment_at(i, query_range.to).to)
      segment_grad(segment_at(i, query_range.to), segment_at(j, key_range.to));
}

template <class T>
void attention_grad(const Attention<T>& a, const AttentionGrad<T>& g) {
  const int64_t q_blocks = ceil_div(a.tq, kBlock), k_blocks = ceil_div(a.tk, kBlock);
  const int64_t work = pairs(a) * (3 * a.d + 2 * a.dv + 16);
  const int64_t rounds = ceil_div(a.heads, num_threads());
  if (rounds * num_threads() * 5 <= a.heads * 7 || q_blocks + k_blocks <= 2) {
    parallel_for(a.heads, 1 + kGrainWork / (work + 1), [&](int64_t begin, int64_t end) {
      for (int64_t head = begin; head < end; ++head)
        head_grad(a, g, head, {0, a.tq}, {0, a.tk}, true, true);
    });
    return;
  }
  // With one head per thread some threads would wait for long. So divide blocks of queries, then
  // blocks of keys. No two threads may add to the same gradient, so scores and dP are computed
  // twice: seven products instead of five.
  const bool wants_keys = g.dk.data != nullptr || g.dv.data != nullptr;
  parallel_for(g.dq.data != nullptr ? a.heads * q_blocks : 0, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t i = t % q_blocks * kBlock;
      head_grad(a, g, t / q_blocks, {i, least(i + kBlock, a.tq)}, {0, a.tk}, true, false);
    }
  });
  parallel_for(wants_keys ? a.heads * k_blocks : 0, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % k_blocks * kBlock;
      const Range keys{j, least(j + kBlock, a.tk)};
      head_grad(a, g, t / k_blocks, whole_blocks(queries_of(a, keys), a.tq), keys, false, true);
    }
  });
}

}  // namespace

template <class T>
AttentionKernels<T> attention_kernels() {
  return {.attention = attention<T>, .attention_grad = attention_grad<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
AttentionKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::attention_kernels<float>();
}
template <>
AttentionKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::attention_kernels<double>();
}

}  // namespace tarsier::kernels
