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
#include "autograd/ops/attention/attention_backward.h"
#include "autograd/ops/attention/attention_block.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/rows.h"
#include "autograd/simd/simd.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// Multiply-adds that are worth waking a thread for.
constexpr int64_t kGrainWork = int64_t(1) << 19;

/// The pairs of a query and a key that see each other, about: the measure of work. A block counts
/// as if all its queries saw as many keys as the one in the middle.
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

/// Divides the sums y by those of the weights: the rows of the result, and their log Σ exp.
template <class T>
void finish_rows(int64_t rows, int64_t padded, RunningSoftmax<T>& total, const T* y, int64_t dv,
                 Matrix<T> to, T* lse) {
  constexpr int64_t W = Simd<T>::width;
  for (int64_t r = 0; r < rows; r += W) {
    const Simd<T> sum = Simd<T>::load(total.sum + r), zero = T(0);
    const auto blind = sum == zero;
    const Simd<T> log_sum =
        select(blind, Simd<T>(kInfinity<T>), Simd<T>::load(total.largest + r) + log(sum));
    log_sum.store(total.largest + r);
    select(blind, zero, Simd<T>(T(1)) / sum).store(total.sum + r);
  }
  for (int64_t r = 0; r < rows; ++r) {
    lse[r] = total.largest[r];
    const Simd<T> factor = total.sum[r];
    int64_t e = 0;
    for (; e + W <= dv; e += W)
      (Simd<T>::load(y + r * padded + e) * factor).store(to.data + r * to.row + e);
    if (e < dv)
      (Simd<T>::load(y + r * padded + e) * factor).store(to.data + r * to.row + e, dv - e);
  }
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

  finish_rows(rows, padded, total, total_y, a.dv, rows_from(out, head, i), lse + head * a.tq + i);
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

template <class T>
void attention_grad(const Attention<T>& a, const AttentionGrad<T>& g) {
  const int64_t q_blocks = ceil_div(a.tq, kBlock), k_blocks = ceil_div(a.tk, kBlock);
  const int64_t work = pairs(a) * (3 * a.d + 2 * a.dv + 16);
  const int64_t rounds = ceil_div(a.heads, num_threads());
  if (rounds * num_threads() * 5 <= a.heads * 7 || q_blocks + k_blocks <= 2) {
    parallel_for(a.heads, 1 + kGrainWork / (work + 1), [&](int64_t begin, int64_t end) {
      for (int64_t head = begin; head < end; ++head)
        HeadGrad<T>(a, g, head, {0, a.tq}, {0, a.tk}, true, true).run();
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
      HeadGrad<T>(a, g, t / q_blocks, {i, least(i + kBlock, a.tq)}, {0, a.tk}, true, false).run();
    }
  });
  parallel_for(wants_keys ? a.heads * k_blocks : 0, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % k_blocks * kBlock;
      const Range keys{j, least(j + kBlock, a.tk)};
      HeadGrad<T>(a, g, t / k_blocks, whole_blocks(queries_of(a, keys), a.tq), keys, false, true)
          .run();
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
