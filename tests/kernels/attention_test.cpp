#include "autograd/ops/attention/attention.kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/simd/dispatch.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

/// Matrices of `heads` heads with a gap after every row. The memory ends with the last element, so
/// that a sanitizer sees reads and writes past it. The gaps hold NaN, which must be neither used
/// nor changed.
template <class T>
struct Rows {
  int64_t heads, n, d, row;
  std::vector<T> memory;
  std::vector<int64_t> offsets;

  Rows(int64_t heads, int64_t n, int64_t d, int64_t gap, uint32_t seed)
      : heads(heads), n(n), d(d), row(d + gap) {
    memory.assign(static_cast<size_t>(std::max<int64_t>(heads * n * row - gap, 0)),
                  std::numeric_limits<T>::quiet_NaN());
    // The heads in reverse order, which no single stride describes.
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
  kernels::Band band = {};
};

const kernels::Band kAll, kCausal{.upper = 0};

/// The kernels compared with the definition, in plain loops in double.
template <class T>
void check_by_loops(const Sizes& s) {
  CAPTURE(s.heads);
  CAPTURE(s.tq);
  CAPTURE(s.tk);
  CAPTURE(s.d);
  CAPTURE(s.dv);
  CAPTURE(s.band.lower);
  CAPTURE(s.band.upper);
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
                                .band = s.band,
                                .key = {}};
  kernels::active<kernels::AttentionKernels<T>>().attention(a, y.out(), lse.data());
  kernels::active<kernels::AttentionKernels<T>>().attention_grad(a, {.y = y.in(),
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
      // Over keys first … end − 1, possibly none. The vectors cover all keys, for simple indices.
      const int64_t first = std::max<int64_t>(0, i + s.band.lower);
      const int64_t end = std::min(s.tk, i + s.band.upper + 1);
      std::vector<double> weight = zeros(s.tk), want_y = zeros(s.dv), want_dq = zeros(s.d);
      double sum = 0;
      for (int64_t j = first; j < end; ++j) {
        double score = 0;
        for (int64_t e = 0; e < s.d; ++e) score += q.value(h, i, e) * k.value(h, j, e);
        sum += weight[static_cast<size_t>(j)] = std::exp(score * static_cast<double>(scale));
      }
      const double got_lse = static_cast<double>(lse[static_cast<size_t>(h * s.tq + i)]);
      if (first < end)
        worst = std::max(worst, std::fabs(got_lse - std::log(sum)));
      else
        CHECK(got_lse == INFINITY);
      double mean = 0;
      std::vector<double> upstream = zeros(s.tk);
      for (int64_t j = first; j < end; ++j) {
        const size_t at = static_cast<size_t>(j);
        weight[at] /= sum;
        for (int64_t e = 0; e < s.dv; ++e) {
          want_y[static_cast<size_t>(e)] += weight[at] * v.value(h, j, e);
          want_dv[at][static_cast<size_t>(e)] += weight[at] * dy.value(h, i, e);
          upstream[at] += dy.value(h, i, e) * v.value(h, j, e);
        }
        mean += weight[at] * upstream[at];
      }
      for (int64_t j = first; j < end; ++j) {
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
  // The longest sums have 150 terms of about 1, with some rounding errors of 2⁻²⁴.
  CHECK(worst < (sizeof(T) == 4 ? 5e-5 : 1e-13));
  for (Rows<T>* rows : {&y, &dq, &dk, &dv}) CHECK(rows->gaps_are_nan());
}

TEST_CASE_TEMPLATE("attention kernels agree with plain loops at every length and head size", T,
                   float, double) {
  for (int64_t n = 1; n <= 70; ++n) {
    check_by_loops<T>({1, n, n, 1 + n % 20, 1 + n % 19, n % 3, n % 2 == 0 ? kCausal : kAll});
    check_by_loops<T>({2, 1 + n % 40, n, 8, 8, 0, n % 2 == 1 ? kCausal : kAll});
  }
  for (int64_t d : {1, 3, 8, 15, 16, 17, 32, 33, 63, 64, 65})
    for (const auto& band : {kAll, kCausal}) check_by_loops<T>({2, 20, 20, d, d, 5, band});
  for (const auto& band : {kAll, kCausal}) {
    check_by_loops<T>({1, 150, 150, 7, 12, 1, band});
    check_by_loops<T>({9, 64, 128, 16, 16, 0, band});
    check_by_loops<T>({3, 130, 65, 16, 5, 0, band});
  }
}

TEST_CASE_TEMPLATE("attention kernels agree with plain loops in every band", T, float, double) {
  // Blocks are 64 × 64. Bands narrower than a vector and wider than a block, with edges inside a
  // block, on its border and next to it; some lie outside the scores, on either side.
  constexpr int64_t far = kernels::Band::kNoLimit;
  const int64_t edges[] = {-far, -200, -129, -128, -65, -64, -63, -17, -1,  0,
                           1,    5,    16,   63,   64,  65,  100, 127, 200, far};
  const std::pair<int64_t, int64_t> lengths[] = {
      {1, 130}, {130, 1}, {64, 64}, {65, 130}, {150, 70}};
  for (const auto& [tq, tk] : lengths)
    for (int64_t lower : edges)
      for (int64_t upper : edges)
        if (lower <= upper) check_by_loops<T>({1, tq, tk, 4, 3, 1, {lower, upper}});
  // Every width around that of a vector, at every position in the block.
  for (int64_t width = 0; width <= 20; ++width)
    for (int64_t lower = -70; lower <= 70; lower += 1 + width % 7)
      check_by_loops<T>({1, 80, 80, 3, 4, 0, {lower, lower + width}});
}

TEST_CASE_TEMPLATE("attention kernels agree with plain loops over several segments", T, float,
                   double) {
  // Sums are split into segments of 1,024 keys or queries. Bands that cover all segments, none of
  // the first or the last, parts of two, and from one into the next.
  constexpr int64_t far = kernels::Band::kNoLimit;
  for (const kernels::Band& band : std::vector<kernels::Band>{
           {}, {-far, 0}, {-1100, -20}, {-3, 5}, {1000, far}, {-far, -1030}, {-64, 1024}}) {
    check_by_loops<T>({1, 1100, 2100, 3, 2, 1, band});
    check_by_loops<T>({1, 2100, 1100, 2, 3, 0, band});
    check_by_loops<T>({2, 40, 1025, 2, 9, 0, band});
    check_by_loops<T>({2, 1025, 40, 9, 2, 0, band});
  }
}

TEST_CASE("the bits of the gradients do not depend on how the work is divided") {
  // One thread processes a whole head; several threads process it block by block.
  const Threads restore;
  constexpr int64_t far = kernels::Band::kNoLimit;
  for (const kernels::Band& band : std::vector<kernels::Band>{
           {}, {-far, 0}, {-100, 0}, {-10, 70}, {60, 90}, {-150, -60}, {70, far}, {300, far}}) {
    CAPTURE(band.lower);
    CAPTURE(band.upper);
    const auto run = [&](int threads, int64_t t, int64_t d) {
      set_num_threads(threads);
      Rows<float> q(1, t, d, 0, 1), k(1, t, d, 0, 2), v(1, t, d, 0, 3), dy(1, t, d, 0, 4);
      Rows<float> y(1, t, d, 0, 5), dq(1, t, d, 0, 6), dk(1, t, d, 0, 7), dv(1, t, d, 0, 8);
      std::vector<float> lse(static_cast<size_t>(t));
      const kernels::Attention<float> a{.heads = 1,
                                        .tq = t,
                                        .tk = t,
                                        .d = d,
                                        .dv = d,
                                        .q = q.in(),
                                        .k = k.in(),
                                        .v = v.in(),
                                        .scale = 0.3f,
                                        .band = band,
                                        .key = {}};
      kernels::active<kernels::AttentionKernels<float>>().attention(a, y.out(), lse.data());
      kernels::active<kernels::AttentionKernels<float>>().attention_grad(a, {.y = y.in(),
                                                                             .dy = dy.in(),
                                                                             .lse = lse.data(),
                                                                             .dq = dq.out(),
                                                                             .dk = dk.out(),
                                                                             .dv = dv.out()});
      return std::vector{y.memory, dq.memory, dk.memory, dv.memory, lse};
    };
    for (const auto& [t, d] : std::vector<std::pair<int64_t, int64_t>>{{330, 20}, {2200, 3}}) {
      CAPTURE(t);
      const auto one = run(1, t, d);
      CHECK(one == run(2, t, d));
      CHECK(one == run(3, t, d));
    }
  }
}

}  // namespace
}  // namespace tarsier
