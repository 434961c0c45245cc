// Products of f32 in bf16: their errors against f64, their special values, and the order of their
// sums. Where the processor or the instruction set has no bf16, the same holds of f32.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/units.h"
#include "tests/kernels/products.h"
#include "tests/threads.h"

namespace tarsier::kernels {
namespace {

/// The parts of every number at this precision; 0: f32.
int parts_at(MatmulPrecision precision) {
  return active<GemmKernels<float>>().bf16_parts[static_cast<int>(precision)];
}
bool medium_is_bf16() { return parts_at(MatmulPrecision::medium) == 1; }

TEST_CASE("every precision keeps its error at every length around the tiles, in every layout") {
  const Layout layouts[] = {Layout::rows,   Layout::columns, Layout::padded,
                            Layout::spread, Layout::one_row, Layout::one_element};
  for (MatmulPrecision precision : kLowerPrecisions) {
    CAPTURE(std::string(name_of(precision)));
    double worst = 0;
    for (int64_t m : {16, 28, 43})
      for (int64_t n : {32, 47, 65})
        for (int64_t k : {16, 17, 33, 64})
          worst = std::fmax(worst, problem_at(precision, m, n, k).run());
    CHECK(worst <= 1);
    for (Layout a : layouts)
      for (Layout b : layouts) {
        Problem<float> problem = problem_at(precision, 30, 37, 39, a, b);
        problem.gemm.accumulate = a == b;
        CAPTURE(static_cast<int>(a));
        CAPTURE(static_cast<int>(b));
        CHECK(problem.run() <= 1);
      }
    for (int64_t k : {511, 513}) {
      Problem<float> problem = problem_at(precision, 29, 50, k, Layout::rows, Layout::columns);
      problem.gemm.bias = problem.bias.data();
      CHECK(problem.run() <= 1);
    }
    CHECK(problem_at(precision, 1400, 33, 20).run() <= 1);
    CHECK(problem_at(precision, 17, 1100, 20).run() <= 1);
  }
}

TEST_CASE("every precision keeps its error for numbers of any magnitude, and when they cancel") {
  for (MatmulPrecision precision : kLowerPrecisions)
    for (int a_exponent : {-126, -60, 0, 120})
      for (int b_exponent : {-126, -60, 0, 60}) {
        if (a_exponent + b_exponent > 120) continue;  // infinite in f32 too
        Problem<float> problem = problem_at(precision, 20, 40, 70);
        for (float& x : problem.a) x = std::ldexp(x, a_exponent);
        for (float& x : problem.b) x = std::ldexp(x, b_exponent);
        CAPTURE(std::string(name_of(precision)));
        CAPTURE(a_exponent);
        CAPTURE(b_exponent);
        CHECK(problem.run() <= 1);
        // Rows of numbers from very small to large, denormal ones among them.
        for (size_t i = 0; i < problem.a.size(); ++i)
          problem.a[i] = std::ldexp(problem.a[i], -static_cast<int>(i * 7 % 40));
        CHECK(problem.run() <= 1);
        // Every product again with the other sign, so that sums are close to 0.
        for (int64_t row = 0; row < 20; ++row)
          for (int64_t p = 35; p < 70; ++p)
            problem.a[static_cast<size_t>(row * 70 + p)] =
                -problem.a[static_cast<size_t>(row * 70 + p - 35)];
        for (int64_t p = 35; p < 70; ++p)
          for (int64_t col = 0; col < 40; ++col)
            problem.b[static_cast<size_t>(p * 40 + col)] =
                problem.b[static_cast<size_t>((p - 35) * 40 + col)];
        CHECK(problem.run() <= 1);
      }
}

TEST_CASE("small whole numbers are multiplied exactly at every precision") {
  for (MatmulPrecision precision : kLowerPrecisions) {
    Problem<float> problem = problem_at(precision, 45, 70, 600, Layout::columns, Layout::rows);
    for (float& x : problem.a) x = std::round(x * 100);
    for (float& x : problem.b) x = std::round(x * 100);
    active<GemmKernels<float>>().gemm(problem.gemm);
    const std::vector<float> c = problem.c;
    problem.gemm.precision = MatmulPrecision::highest;
    active<GemmKernels<float>>().gemm(problem.gemm);
    CHECK(c == problem.c);
  }
}

TEST_CASE("medium rounds to bf16 and adds as the instruction does; other ways are those of f32") {
  for (int64_t k : {32, 77, 256}) {  // up to one chain of sums (sum.h)
    Problem<float> problem = problem_at(MatmulPrecision::medium, 33, 40, k);
    active<GemmKernels<float>>().gemm(problem.gemm);
    Problem<float> exact = problem_at(MatmulPrecision::highest, 33, 40, k);
    active<GemmKernels<float>>().gemm(exact.gemm);
    CHECK((problem.c == exact.c) == !medium_is_bf16());
    if (!medium_is_bf16() || has_amx()) continue;  // AMX: gemm_amx_test.cpp
    int64_t different = 0;
    for (int64_t i = 0; i < 33; ++i)
      for (int64_t j = 0; j < 40; ++j) {
        const auto a = [&](int64_t p) {
          return p < k ? rounded_to_bf16(problem.a[static_cast<size_t>(i * k + p)]) : 0;
        };
        const auto b = [&](int64_t p) {
          return p < k ? rounded_to_bf16(problem.b[static_cast<size_t>(p * 40 + j)]) : 0;
        };
        float sum = 0;
        for (int64_t p = 0; p < k; p += 2)
          sum = std::fma(a(p), b(p), std::fma(a(p + 1), b(p + 1), sum));
        different += sum != problem.c[static_cast<size_t>(i * problem.gemm.c_row + j)];
      }
    CHECK(different == 0);
  }
  // Where bf16 has no gain: other precisions, small products, f64.
  for (MatmulPrecision precision : kLowerPrecisions) {
    const bool small = parts_at(precision) != 0;
    Problem<float> problem = problem_at(precision, small ? 3 : 33, 40, 50);
    Problem<float> exact = problem_at(MatmulPrecision::highest, small ? 3 : 33, 40, 50);
    active<GemmKernels<float>>().gemm(problem.gemm);
    active<GemmKernels<float>>().gemm(exact.gemm);
    CHECK(problem.c == exact.c);
    Problem<double> wide(33, 40, 50);
    wide.gemm.precision = precision;
    CHECK(wide.run() <= 1);
    CHECK(active<GemmKernels<double>>().bf16_parts[static_cast<int>(precision)] == 0);
  }
}

TEST_CASE("where bf16 cannot stand for a number, its row or column is that of f32, and no other") {
  using Limits = std::numeric_limits<float>;
  struct Special {
    float value, other;  // other: what it meets in B, chosen so that the result tells
  };
  const Special specials[] = {{Limits::denorm_min(), 0x1p120f}, {-0x1.8p-127f, 0x1p126f},
                              {Limits::max(), 0.25f},           {-0x1.FFp127f, 0x1p-20f},
                              {Limits::infinity(), 1e-45f},     {-Limits::infinity(), 3.0f},
                              {Limits::quiet_NaN(), 1.0f}};
  for (MatmulPrecision precision : kLowerPrecisions)
    for (const Special& special : specials)
      for (bool in_a : {true, false}) {
        const Layout layout = in_a ? Layout::rows : Layout::columns;
        constexpr int64_t m = 17, n = 35, k = 520, row = 15, col = 33, p = 301;
        const auto make = [&](MatmulPrecision at, bool with) {
          Problem<float> problem = problem_at(at, m, n, k, layout, layout);
          Gemm<float>& g = problem.gemm;
          g.accumulate = in_a;
          if (with) {
            problem.a[static_cast<size_t>(row * g.a_row + p * g.a_col)] =
                in_a ? special.value : special.other;
            problem.b[static_cast<size_t>(p * g.b_row + col * g.b_col)] =
                in_a ? special.other : special.value;
          }
          active<GemmKernels<float>>().gemm(g);
          return problem.c;
        };
        const std::vector<float> got = make(precision, true), plain = make(precision, false),
                                 f32 = make(MatmulPrecision::highest, true);
        // Of the two blocks of k only the one with the number is computed in f32.
        const double bound = coarseness_of(precision) * k;
        int64_t wrong = 0;
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            const auto at = static_cast<size_t>(i * (n + 2) + j);
            const float x = got[at], y = f32[at];
            if (in_a ? i == row : j == col)
              wrong += std::isnan(y)   ? !std::isnan(x)
                       : std::isinf(y) ? x != y
                                       : !(std::fabs(x - y) <= bound + 1e-6 * std::fabs(y));
            else if (in_a ? j != col : i != row)  // not touched by either number
              wrong += x != plain[at];
          }
        CAPTURE(special.value);
        CAPTURE(in_a);
        CHECK(wrong == 0);
      }
}

TEST_CASE("a block with a number that bf16 lacks has exactly the bits of f32") {
  Problem<float> problem = problem_at(MatmulPrecision::medium, 30, 40, 60);
  Problem<float> exact = problem_at(MatmulPrecision::highest, 30, 40, 60);
  for (Problem<float>* p : {&problem, &exact}) {
    for (int64_t row : {0, 13, 14, 29}) p->a[static_cast<size_t>(row * 60 + 59)] = 1e-40f;
    p->gemm.bias = p->bias.data();
    active<GemmKernels<float>>().gemm(p->gemm);
  }
  for (int64_t row : {0, 13, 14, 29})
    for (int64_t col = 0; col < 40; ++col) {
      const auto at = static_cast<size_t>(row * problem.gemm.c_row + col);
      REQUIRE(problem.c[at] == exact.c[at]);
    }
}

TEST_CASE("at every precision the bits do not depend on the number of threads, nor on the batch") {
  const Threads restore;
  for (MatmulPrecision precision : kLowerPrecisions) {
    set_num_threads(1);
    Problem<float> alone = problem_at(precision, 256, 64, 130, Layout::rows, Layout::columns);
    alone.a[12345] = 1e-42f;
    active<GemmKernels<float>>().gemm(alone.gemm);
    for (int threads : {2, 3}) {
      set_num_threads(threads);
      Problem<float> problem = problem_at(precision, 256, 64, 130, Layout::rows, Layout::columns);
      problem.a[12345] = 1e-42f;
      active<GemmKernels<float>>().gemm(problem.gemm);
      CHECK(problem.c == alone.c);
      // As the matrices of a batch.
      const int64_t rows = 16, count = 16;
      std::vector<int64_t> a_offsets, c_offsets;
      for (int64_t i = 0; i < count; ++i) {
        a_offsets.push_back(i * rows * problem.gemm.a_row);
        c_offsets.push_back(i * rows * problem.gemm.c_row);
      }
      Gemm<float> batch = problem.gemm;
      batch.m = rows;
      batch.batch = count;
      batch.a_offsets = a_offsets.data();
      batch.c_offsets = c_offsets.data();
      active<GemmKernels<float>>().gemm(batch);
      CHECK(problem.c == alone.c);
    }
  }
}

}  // namespace
}  // namespace tarsier::kernels
