#include "autograd/kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "autograd/kernels/kernels.h"

namespace tarsier {
namespace {

/// Matrices of `heads` heads with a gap after every row. The memory ends with the last element, so
/// that a sanitizer sees who reads or writes behind it; the gaps hold NaN, which nobody may use and
/// everybody must leave.
template <class T>
struct Rows {
  int64_t heads, n, d, row;
  std::vector<T> memory;
  std::vector<int64_t> offsets;

  Rows(int64_t heads, int64_t n, int64_t d, int64_t gap, uint32_t seed)
      : heads(heads), n(n), d(d), row(d + gap) {
    memory.assign(static_cast<size_t>(std::max<int64_t>(heads * n * row - gap, 0)),
                  std::numeric_limits<T>::quiet_NaN());
    // The heads in reverse, as no simple stride would have them.
    for (int64_t h = 0; h < heads; ++h) offsets.push_back((heads - 1 - h) * n * row);
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t t = 0; t < n; ++t)
        for (int64_t e = 0; e < d; ++e) at(h, t, e) = static_cast<T>(normal(engine));
  }
  T& at(int64_t h, int64_t t, int64_t e) {
    return memory[static_cast<size_t>(offsets[static_cast<size_t>(h)] + t * row + e)];
  }
  double value(int64_t h, int64_t t, int64_t e) { return static_cast<double>(at(h, t, e)); }
  kernels::HeadRows<T> out() { return {memory.data(), offsets.data(), row}; }
  kernels::HeadRows<const T> in() { return {memory.data(), offsets.data(), row}; }
  bool gaps_are_nan() {
    for (size_t i = 0; i < memory.size(); ++i)
      if (static_cast<int64_t>(i) % row >= d && !std::isnan(memory[i])) return false;
    return true;
  }
};

struct Sizes {
  int64_t heads, tq, tk, d, dv, gap;
  bool causal;
};

/// The kernels against the definition, written in plain loops in double.
template <class T>
void check_by_loops(const Sizes& s) {
  CAPTURE(s.heads);
  CAPTURE(s.tq);
  CAPTURE(s.tk);
  CAPTURE(s.d);
  CAPTURE(s.dv);
  CAPTURE(s.causal);
  Rows<T> q(s.heads, s.tq, s.d, s.gap, 1), k(s.heads, s.tk, s.d, s.gap, 2),
      v(s.heads, s.tk, s.dv, s.gap, 3), dy(s.heads, s.tq, s.dv, s.gap, 4),
      y(s.heads, s.tq, s.dv, s.gap, 5), dq(s.heads, s.tq, s.d, s.gap, 6),
      dk(s.heads, s.tk, s.d, s.gap, 7), dv(s.heads, s.tk, s.dv, s.gap, 8);
  std::vector<T> lse(static_cast<size_t>(s.heads * s.tq));
  const T scale = T(0.4);
  const kernels::Attention<T> a{.heads = s.heads,
                                .tq = s.tq,
                                .tk = s.tk,
                                .d = s.d,
                                .dv = s.dv,
                                .q = q.in(),
                                .k = k.in(),
                                .v = v.in(),
                                .scale = scale,
                                .causal = s.causal,
                                .key = {}};
  kernels::active<T>().attention(a, y.out(), lse.data());
  kernels::active<T>().attention_grad(a, {.y = y.in(),
                                          .dy = dy.in(),
                                          .lse = lse.data(),
                                          .dq = dq.out(),
                                          .dk = dk.out(),
                                          .dv = dv.out()});

  double worst = 0;
  const auto compare = [&](Rows<T>& got, int64_t h, int64_t t, const std::vector<double>& want) {
    for (int64_t e = 0; e < got.d; ++e) {
      const double error = std::fabs(got.value(h, t, e) - want[static_cast<size_t>(e)]);
      worst = std::isnan(error) ? 1e300 : std::max(worst, error);
    }
  };
  const auto zeros = [](int64_t n) { return std::vector<double>(static_cast<size_t>(n), 0.0); };
  for (int64_t h = 0; h < s.heads; ++h) {
    std::vector<std::vector<double>> want_dk(static_cast<size_t>(s.tk), zeros(s.d));
    std::vector<std::vector<double>> want_dv(static_cast<size_t>(s.tk), zeros(s.dv));
    for (int64_t i = 0; i < s.tq; ++i) {
      const int64_t seen = s.causal ? std::min(s.tk, i + 1) : s.tk;
      std::vector<double> weight = zeros(seen), want_y = zeros(s.dv), want_dq = zeros(s.d);
      double sum = 0;
      for (int64_t j = 0; j < seen; ++j) {
        double score = 0;
        for (int64_t e = 0; e < s.d; ++e) score += q.value(h, i, e) * k.value(h, j, e);
        sum += weight[static_cast<size_t>(j)] = std::exp(score * static_cast<double>(scale));
      }
      const double want_lse = std::log(sum);
      worst = std::max(
          worst, std::fabs(static_cast<double>(lse[static_cast<size_t>(h * s.tq + i)]) - want_lse));
      double mean = 0;
      std::vector<double> upstream = zeros(seen);
      for (int64_t j = 0; j < seen; ++j) {
        const size_t at = static_cast<size_t>(j);
        weight[at] /= sum;
        for (int64_t e = 0; e < s.dv; ++e) {
          want_y[static_cast<size_t>(e)] += weight[at] * v.value(h, j, e);
          want_dv[at][static_cast<size_t>(e)] += weight[at] * dy.value(h, i, e);
          upstream[at] += dy.value(h, i, e) * v.value(h, j, e);
        }
        mean += weight[at] * upstream[at];
      }
      for (int64_t j = 0; j < seen; ++j) {
        const size_t at = static_cast<size_t>(j);
        const double ds = weight[at] * (upstream[at] - mean) * static_cast<double>(scale);
        for (int64_t e = 0; e < s.d; ++e) {
          want_dq[static_cast<size_t>(e)] += ds * k.value(h, j, e);
          want_dk[at][static_cast<size_t>(e)] += ds * q.value(h, i, e);
        }
      }
      compare(y, h, i, want_y);
      compare(dq, h, i, want_dq);
    }
    for (int64_t j = 0; j < s.tk; ++j) {
      compare(dk, h, j, want_dk[static_cast<size_t>(j)]);
      compare(dv, h, j, want_dv[static_cast<size_t>(j)]);
    }
  }
  // The longest sums have 150 terms of about 1; f32 loses some units of its 2⁻²⁴ on the way.
  CHECK(worst < (sizeof(T) == 4 ? 5e-5 : 1e-13));
  for (Rows<T>* rows : {&y, &dq, &dk, &dv}) CHECK(rows->gaps_are_nan());
}

TEST_CASE_TEMPLATE("attention kernels are the plain loops, at every length and head size", T, float,
                   double) {
  for (int64_t n = 1; n <= 70; ++n) {
    check_by_loops<T>({1, n, n, 1 + n % 20, 1 + n % 19, n % 3, n % 2 == 0});
    check_by_loops<T>({2, 1 + n % 40, n, 8, 8, 0, n % 2 == 1});
  }
  for (int64_t d : {1, 3, 8, 15, 16, 17, 32, 33, 63, 64, 65})
    for (bool causal : {false, true}) check_by_loops<T>({2, 20, 20, d, d, 5, causal});
  for (bool causal : {false, true}) {
    check_by_loops<T>({1, 150, 150, 7, 12, 1, causal});
    check_by_loops<T>({9, 64, 128, 16, 16, 0, causal});
    check_by_loops<T>({3, 130, 65, 16, 5, 0, causal});
  }
}

}  // namespace
}  // namespace tarsier
