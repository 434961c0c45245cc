#pragma once
// The backward of attention, for one head.
//
// Forward was, with weights P_ij = exp(S_ij − lse_i) and dropout factors M_ij:
//   y_i = Σ_j M_ij P_ij v_j
// so now
//   dv_j = Σ_i M_ij P_ij dy_i          dP_ij = M_ij (dy_i · v_j)
//   dS_ij = P_ij (dP_ij − D_i)         D_i = Σ_j P_ij dP_ij = dy_i · y_i
//   dq_i = scale Σ_j dS_ij k_j         dk_j = scale Σ_i dS_ij q_i

#include <cstdint>

#include "../../simd/math.h"
#include "../../simd/rows.h"
#include "../../simd/simd.h"
#include "attention_arguments.h"
#include "attention_block.h"

namespace tarsier::kernels::TARSIER_ISA {

/// What the backward of a block of queries needs of them, whichever keys pass by.
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

/// The segment of 0 … n − 1 that begins with `from`, or what of it lies in front of `to`. Those of
/// the backward pass begin at multiples of kSegment.
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

/// Gradients of one head: dq of `query_range` where own_queries, from all keys of `key_range`; dk
/// and dv of `key_range` where own_keys, from all queries of `query_range`. They are summed in the
/// order of the blocks and the segments, whichever ranges a caller works on, so that all ways to
/// share out the work give the same bits.
template <class T>
struct HeadGrad {
  HeadGrad(const Attention<T>& a, const AttentionGrad<T>& g, int64_t head, Range query_range,
           Range key_range, bool own_queries, bool own_keys)
      : a(a),
        g(g),
        head(head),
        query_range(query_range),
        key_range(key_range),
        wants_dq(own_queries && g.dq.data != nullptr),
        wants_dk(own_keys && g.dk.data != nullptr),
        wants_dv(own_keys && g.dv.data != nullptr) {
    const int64_t kept = own_keys && a.tq > kSegment ? least(kSegment, a.tk) : 0;
    queries.q_t = scratch().get<T>(kBlock * (4 * d + 2 * dv + 4 * kBlock) + kept * (d + dv));
    queries.dy_t = queries.q_t + kBlock * d;
    q_space = queries.dy_t + kBlock * dv;
    dy_space = q_space + kBlock * d;
    k_space = dy_space + kBlock * dv;
    s = k_space + kBlock * d;
    ds = s + kBlock * kBlock;
    tile = {ds + kBlock * kBlock, ds + 2 * kBlock * kBlock};
    segment_dq = ds + 3 * kBlock * kBlock;
    segment_dk = segment_dq + kBlock * d;
    segment_dv = segment_dk + kept * d;
  }
  void run();

  void zero(const HeadRows<T>& x, Range range, int64_t n) const;
  void clear_unseen() const;
  void load_queries(int64_t i, int64_t rows);
  void segment_grad(Range query_segment, Range key_segment);

  const Attention<T>& a;
  const AttentionGrad<T>& g;
  const int64_t head;
  const Range query_range, key_range;
  const bool wants_dq, wants_dk, wants_dv;
  const int64_t d = round_up<T>(a.d), dv = round_up<T>(a.dv);

  Queries<T> queries;
  T *q_space, *dy_space, *k_space, *s, *ds;
  RowTile<T> tile;
  // The first segment that reaches a row of a gradient is summed where that lies, the others here.
  T *segment_dq, *segment_dk, *segment_dv;
};

template <class T>
void HeadGrad<T>::zero(const HeadRows<T>& x, Range range, int64_t n) const {
  for (int64_t t = range.from; t < range.to; ++t)
    for (int64_t e = 0; e < n; ++e) x.data[x.offsets[head] + t * x.row + e] = 0;
}

/// Zeros where no block will write to.
template <class T>
void HeadGrad<T>::clear_unseen() const {
  const Range visited =
      query_range.empty() ? Range{0, 0} : whole_blocks(keys_of(a, query_range), a.tk);
  for (const Range unseen : {Range{key_range.from, least(visited.from, key_range.to)},
                             Range{most(visited.to, key_range.from), key_range.to}}) {
    if (wants_dk) zero(g.dk, unseen, a.d);
    if (wants_dv) zero(g.dv, unseen, a.dv);
  }
  for (int64_t i = query_range.from; wants_dq && i < query_range.to; i += kBlock) {
    const Range block{i, least(i + kBlock, query_range.to)};
    if (keys_of(a, block).empty()) zero(g.dq, block, a.d);
  }
}

/// Queries i … i + rows − 1, in all the forms that blocks of keys need.
template <class T>
void HeadGrad<T>::load_queries(int64_t i, int64_t rows) {
  const Matrix<const T> q = rows_from(a.q, head, i), dy = rows_from(g.dy, head, i);
  transpose_rows<T>(q, rows, a.d, a.scale, queries.q_t);
  transpose_rows<T>(dy, rows, a.dv, T(1), queries.dy_t);
  queries.q = whole_vectors<T>(q, rows, a.d, q_space);
  queries.dy = whole_vectors<T>(dy, rows, a.dv, dy_space);
  for (int64_t r = 0; r < kBlock; ++r)
    queries.lse[r] = r < rows ? g.lse[head * a.tq + i + r] : kInfinity<T>;
  row_dots<T>(rows_from(g.y, head, i), dy, rows, a.dv, s, queries.dot);
}

/// One segment of queries with one of keys.
template <class T>
void HeadGrad<T>::segment_grad(Range query_segment, Range key_segment) {
  // The keys that queries from … to − 1 see begin before this one, or in a block that does.
  const auto seen_by = [&](int64_t from, int64_t to) {
    return from < to ? keys_of(a, {from, to}).to : 0;
  };
  const int64_t seen_earlier = seen_by(query_range.from, query_segment.from);
  const auto rows_of = [&](const HeadRows<T>& x, T* segment_x, int64_t width, int64_t j) {
    return j < seen_earlier ? Matrix<T>{segment_x + (j - key_segment.from) * width, width}
                            : rows_from(x, head, j);
  };
  const T* const factors = a.dropout_p > 0 ? tile.transposed : nullptr;
  for (int64_t i = query_segment.from; i < query_segment.to; i += kBlock) {
    const int64_t rows = least(kBlock, query_segment.to - i);
    const Range seen = whole_blocks(keys_of(a, {i, i + rows}), a.tk);
    const Range keys = common(key_segment, seen);
    if (keys.empty()) continue;
    load_queries(i, rows);
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
}

template <class T>
void HeadGrad<T>::run() {
  clear_unseen();
  // All queries pass by a segment of keys, which stays in the cache, before the next one comes.
  for (int64_t j = key_range.from; j < key_range.to; j = segment_at(j, key_range.to).to)
    for (int64_t i = query_range.from; i < query_range.to; i = segment_at(i, query_range.to).to)
      segment_grad(segment_at(i, query_range.to), segment_at(j, key_range.to));
}

}  // namespace tarsier::kernels::TARSIER_ISA
