#include "autograd/ops/matmul/gemm.kernel.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/simd/dispatch.h"
#include "tests/kernels/products.h"
#include "tests/threads.h"

namespace tarsier::kernels {
namespace {

TEST_CASE_TEMPLATE("matmul agrees with the definition at every length around the tiles", T, float,
                   double) {
  double worst = 0;
  for (int64_t m = 1; m <= 30; ++m)
    for (int64_t n = 1; n <= 34; ++n)
      for (int64_t k : {0, 1, 2, 3, 15, 17, 40})
        worst = std::fmax(worst, Problem<T>(m, n, k).run());
  CHECK(worst <= 1);
  worst = 0;
  for (int64_t n : {47, 48, 63, 64, 65, 66, 95, 96, 97})
    for (int64_t m : {1, 6, 13, 14, 15, 65}) worst = std::fmax(worst, Problem<T>(m, n, 33).run());
  CHECK(worst <= 1);
}

TEST_CASE_TEMPLATE("matmul agrees with the definition over several blocks", T, float, double) {
  // More columns, steps and rows than one block holds (gemm.kernel.cpp: kBlockCols, kBlockK,
  // kBlockRows).
  CHECK(Problem<T>(37, 2100, 50).run() <= 1);
  CHECK(Problem<T>(1400, 33, 20).run() <= 1);
  CHECK(Problem<T>(1400, 1030, 3, Layout::columns, Layout::columns).run() <= 1);
  for (int64_t k : {511, 512, 513, 768, 1100}) {
    CAPTURE(k);
    Problem<T> problem(29, 50, k, Layout::rows, Layout::columns);
    problem.gemm.bias = problem.bias.data();
    CHECK(problem.run() <= 1);
    Problem<T> sum(29, 50, k);
    sum.gemm.accumulate = true;
    CHECK(sum.run() <= 1);
  }
}

TEST_CASE_TEMPLATE("matmul takes any strides", T, float, double) {
  const Layout layouts[] = {Layout::rows,   Layout::columns, Layout::padded,
                            Layout::spread, Layout::one_row, Layout::one_element};
  for (Layout a : layouts) {
    for (Layout b : layouts) {
      double worst = 0;
      for (int64_t m : {1, 5, 14, 70})
        for (int64_t n : {1, 16, 37, 64})
          for (int64_t k : {1, 7, 16, 21}) {
            Problem<T> problem(m, n, k, a, b);
            problem.gemm.accumulate = m % 2 == 0;
            worst = std::fmax(worst, problem.run());
          }
      CAPTURE(static_cast<int>(a));
      CAPTURE(static_cast<int>(b));
      CHECK(worst <= 1);
    }
  }
}

TEST_CASE_TEMPLATE("matmul adds the bias", T, float, double) {
  for (bool with_bias : {false, true}) {
    double worst = 0;
    for (int64_t m : {1, 13, 30})
      for (int64_t n : {1, 3, 16, 31, 65})
        for (int64_t k : {0, 5, 400}) {
          Problem<T> problem(m, n, k);
          if (with_bias) problem.gemm.bias = problem.bias.data();
          worst = std::fmax(worst, problem.run());
        }
    CAPTURE(with_bias);
    CHECK(worst <= 1);
  }
}

TEST_CASE_TEMPLATE("matmul without rows, columns or steps", T, float, double) {
  Problem<T> none(0, 5, 3);
  none.run();
  CHECK(none.c == none.before);
  Problem<T> thin(5, 0, 3);
  thin.run();
  CHECK(thin.c == thin.before);
  Problem<T> sum(5, 4, 0);
  sum.gemm.accumulate = true;
  sum.run();
  CHECK(sum.c == sum.before);
  Problem<T> zeros(5, 4, 0);
  zeros.run();
  CHECK(zeros.c[0] == 0);
  // Without steps there may be no memory: nothing is read, nor an address computed from it.
  const std::vector<T> bias{1, 2, 3};
  std::vector<T> c(2 * 40 * 4, 9);
  const int64_t offsets[] = {0, 160};
  Gemm<T> empty{.m = 40,
                .n = 3,
                .k = 0,
                .a = nullptr,
                .a_row = 1,
                .a_col = 40,
                .b = nullptr,
                .b_row = 3,
                .b_col = 1,
                .c = c.data(),
                .c_row = 4,
                .bias = bias.data(),
                .batch = 2,
                .c_offsets = offsets};
  active<GemmKernels<T>>().gemm(empty);
  for (size_t i = 0; i < c.size(); ++i)
    REQUIRE(c[i] == (i % 4 == 3 ? T(9) : static_cast<T>(i % 4 + 1)));
  Problem<T> no_batch(5, 4, 3);
  no_batch.gemm.batch = 0;
  active<GemmKernels<T>>().gemm(no_batch.gemm);
  CHECK(no_batch.c == no_batch.before);
}

TEST_CASE_TEMPLATE("a batch gives the same bits as its matrices one by one", T, float, double) {
  struct Size {
    int64_t m, n, k;
  };
  for (const auto& [m, n, k] :
       {Size{3, 5, 7}, Size{64, 64, 32}, Size{70, 33, 64}, Size{150, 140, 130}}) {
    for (int64_t batch : {3, 5, 20}) {
      // A changes with every matrix, B with every second one (as when two heads share keys).
      const std::vector<T> a = noise<T>(batch * m * k, 1), b = noise<T>(batch * k * n, 2);
      std::vector<T> together(batch * m * n), alone(batch * m * n);
      std::vector<int64_t> a_offsets, b_offsets, c_offsets;
      for (int64_t i = 0; i < batch; ++i) {
        a_offsets.push_back(i * m * k);
        b_offsets.push_back(i / 2 * k * n);
        c_offsets.push_back((batch - 1 - i) * m * n);
      }
      Gemm<T> gemm{.m = m,
                   .n = n,
                   .k = k,
                   .a = a.data(),
                   .a_row = k,
                   .a_col = 1,
                   .b = b.data(),
                   .b_row = 1,
                   .b_col = k,
                   .c = together.data(),
                   .c_row = n};
      gemm.batch = batch;
      gemm.a_offsets = a_offsets.data();
      gemm.b_offsets = b_offsets.data();
      gemm.c_offsets = c_offsets.data();
      active<GemmKernels<T>>().gemm(gemm);
      for (int64_t i = 0; i < batch; ++i)
        active<GemmKernels<T>>().gemm({.m = m,
                                       .n = n,
                                       .k = k,
                                       .a = a.data() + a_offsets[i],
                                       .a_row = k,
                                       .a_col = 1,
                                       .b = b.data() + b_offsets[i],
                                       .b_row = 1,
                                       .b_col = k,
                                       .c = alone.data() + c_offsets[i],
                                       .c_row = n});
      CHECK(together == alone);

      gemm.b_offsets = nullptr;  // one B for all
      active<GemmKernels<T>>().gemm(gemm);
      const int64_t last = c_offsets[0];
      CHECK(together[last] == alone[last]);
      CHECK(together[c_offsets[batch - 1]] != alone[c_offsets[batch - 1]]);
    }
  }
}

TEST_CASE_TEMPLATE("the bits depend neither on threads nor on the surrounding rows", T, float,
                   double) {
  const Threads restore;
  struct Size {
    int64_t m, n, k;
  };
  for (const auto& [m, n, k] :
       {Size{300, 200, 100}, Size{20, 700, 450}, Size{700, 20, 800}, Size{129, 65, 128}}) {
    set_num_threads(1);
    Problem<T> reference(m, n, k, Layout::rows, Layout::columns);
    reference.gemm.bias = reference.bias.data();
    CHECK(reference.run() <= 1);
    for (int threads : {2, 3}) {
      set_num_threads(threads);
      Problem<T> problem(m, n, k, Layout::rows, Layout::columns);
      problem.gemm.bias = problem.bias.data();
      active<GemmKernels<T>>().gemm(problem.gemm);
      CHECK(problem.c == reference.c);
    }
    // A single row, as when a text is generated token by token.
    for (int64_t row : {int64_t(0), m / 2, m - 1}) {
      Problem<T> single(m, n, k, Layout::rows, Layout::columns);
      single.gemm.bias = single.bias.data();
      single.gemm.m = 1;
      single.gemm.a += row * single.gemm.a_row;
      single.gemm.c += row * single.gemm.c_row;
      active<GemmKernels<T>>().gemm(single.gemm);
      int64_t different = 0;
      for (int64_t j = 0; j < n; ++j)
        different += single.gemm.c[j] != reference.c[row * reference.gemm.c_row + j];
      CHECK(different == 0);
    }
  }
}

TEST_CASE_TEMPLATE("a single column has the same bits as in a whole product", T, float, double) {
  constexpr int64_t n = 40;
  for (int64_t m : {2, 7, 16, 33, 70, 260})  // a single number is summed in another order
    for (int64_t k : {0, 1, 5, 16, 37, 600})
      for (Layout a_layout : {Layout::rows, Layout::columns, Layout::padded, Layout::spread})
        for (int variant : {0, 1, 2}) {  // plain, bias, accumulate
          Problem<T> whole(m, n, k, a_layout);
          if (variant == 1) {
            whole.gemm.bias = whole.bias.data();
          }
          whole.gemm.accumulate = variant == 2;
          constexpr int64_t j = 17;
          Gemm<T> one = whole.gemm;
          std::vector<T> column(m);
          for (int64_t i = 0; i < m; ++i) column[i] = whole.c[i * whole.gemm.c_row + j];
          one.n = 1;
          one.b += j * one.b_col;
          one.c = column.data();
          one.c_row = 1;
          if (variant == 1) one.bias += j;
          active<GemmKernels<T>>().gemm(whole.gemm);
          active<GemmKernels<T>>().gemm(one);
          int64_t different = 0;
          for (int64_t i = 0; i < m; ++i)
            different += column[i] != whole.c[i * whole.gemm.c_row + j];
          CAPTURE(m);
          CAPTURE(k);
          CHECK(different == 0);
        }
}

TEST_CASE_TEMPLATE("NaN and infinity reach the elements that depend on them, and no others", T,
                   float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  for (int64_t m : {1, 5, 14, 17, 80}) {
    for (int64_t n : {1, 7, 16, 33}) {
      const int64_t k = 19, row = m - 1, col = n - 1;
      Problem<T> problem(m, n, k);
      problem.a[row * k + 3] = nan;
      problem.b[5 * n + col] = infinity;
      problem.gemm.bias = problem.bias.data();
      active<GemmKernels<T>>().gemm(problem.gemm);
      int64_t wrong = 0;
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const T value = problem.c[i * problem.gemm.c_row + j];
          if (i == row)
            wrong += !std::isnan(value);
          else if (j == col)
            wrong += !std::isinf(value);
          else
            wrong += !std::isfinite(value);
        }
      CAPTURE(m);
      CAPTURE(n);
      CHECK(wrong == 0);
    }
  }
  // C may hold anything before it is written.
  Problem<T> problem(15, 17, 4);
  problem.c.assign(problem.c.size(), nan);
  problem.before = problem.c;
  active<GemmKernels<T>>().gemm(problem.gemm);
  CHECK(std::isfinite(problem.c[0]));
}

TEST_CASE_TEMPLATE("all steps of the ladder give the same bits, and short ones those of matmul", T,
                   float, double) {
  struct Size {
    int64_t m, n, k;
  };
  for (const auto& [m, n, k] : {Size{1, 2, 1}, Size{5, 7, 3}, Size{14, 32, 16}, Size{33, 70, 32},
                                Size{33, 70, 200}, Size{100, 300, 400}}) {
    const std::vector<T> a = noise<T>(m * k, 1), b = noise<T>(k * n, 2);
    std::vector<T> expected(m * n);
    active<GemmKernels<T>>().gemm({.m = m,
                                   .n = n,
                                   .k = k,
                                   .a = a.data(),
                                   .a_row = k,
                                   .a_col = 1,
                                   .b = b.data(),
                                   .b_row = n,
                                   .b_col = 1,
                                   .c = expected.data(),
                                   .c_row = n});
    if (k > 32) {  // matmul then uses more than one chain of sums
      std::vector<T> memory(active<GemmKernels<T>>().gemm_ladder[0].memory_size(m, k));
      active<GemmKernels<T>>().gemm_ladder[0].run(m, n, k, a.data(), b.data(), expected.data(),
                                                  memory.data());
    }
    for (const GemmStep<T>& step : active<GemmKernels<T>>().gemm_ladder) {
      std::vector<T> c(m * n, T(-1)), memory(step.memory_size(m, k));
      step.run(m, n, k, a.data(), b.data(), c.data(), memory.data());
      CAPTURE(std::string(step.name));
      CAPTURE(k);
      CHECK(c == expected);
    }
  }
}

}  // namespace
}  // namespace tarsier::kernels
