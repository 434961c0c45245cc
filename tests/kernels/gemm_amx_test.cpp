// Products by the tiles of AMX. Their packing, their order of sums and their edges are tested with
// loops in place of the instructions, on every processor that can pack for them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/units.h"
#include "tests/kernels/products.h"

namespace tarsier::kernels {
namespace {

/// The products with loops for tiles; null, after a word, where they cannot run.
auto loops_for_tiles() {
  const auto run = active<GemmKernels<float>>().by_tiles;
  if (run == nullptr) MESSAGE("skipped: packing for tiles needs AVX-512 with AVX512_BF16");
  return run;
}

/// Part `index` of x: each is the rest after those before it, rounded to bf16.
float bf16_part(float x, int index) {
  for (int i = 0; i < index; ++i) x -= rounded_to_bf16(x);
  return rounded_to_bf16(x);
}

TEST_CASE("products by tiles keep their error at every length around the tiles, in every layout") {
  const auto run = loops_for_tiles();
  if (run == nullptr) return;
  const Layout layouts[] = {Layout::rows,   Layout::columns, Layout::padded,
                            Layout::spread, Layout::one_row, Layout::one_element};
  for (MatmulPrecision precision : kLowerPrecisions) {
    CAPTURE(std::string(name_of(precision)));
    for (int64_t m : {1, 16, 33})
      for (int64_t n : {2, 31, 33})
        for (int64_t k : {1, 33}) CHECK(problem_at(precision, m, n, k).run(run) <= 1);
    for (Layout a : layouts)
      for (Layout b : layouts) {
        Problem<float> problem = problem_at(precision, 18, 35, 39, a, b);
        problem.gemm.accumulate = a == b;
        if (a != b) problem.gemm.bias = problem.bias.data();
        CHECK(problem.run(run) <= 1);
      }
    // Several blocks of k, of rows and of columns.
    CHECK(problem_at(precision, 17, 20, 530, Layout::columns).run(run) <= 1);
    CHECK(problem_at(precision, 1350, 3, 5).run(run) <= 1);
    CHECK(problem_at(precision, 3, 1030, 5, Layout::rows, Layout::columns).run(run) <= 1);
  }
}

TEST_CASE("tiles add as AMX does: two sums from 0, then both to what is there") {
  const auto run = loops_for_tiles();
  if (run == nullptr) return;
  for (MatmulPrecision precision : kLowerPrecisions) {
    constexpr int64_t m = 19, n = 18, k = 100;
    Problem<float> problem = problem_at(precision, m, n, k);
    run(problem.gemm);
    struct Parts {
      int a, b;
    };
    const std::vector<Parts> products = precision == MatmulPrecision::medium
                                            ? std::vector<Parts>{{0, 0}}
                                            : std::vector<Parts>{{0, 1}, {1, 0}, {0, 0}};
    int64_t different = 0;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        float sum = 0;
        for (int64_t from = 0; from < k; from += 32)
          for (const auto& [pa, pb] : products) {
            float sums[2] = {0, 0};
            for (int64_t p = from; p < std::min<int64_t>(from + 32, k); ++p)
              sums[p % 2] =
                  std::fma(bf16_part(problem.a[static_cast<size_t>(i * k + p)], pa),
                           bf16_part(problem.b[static_cast<size_t>(p * n + j)], pb), sums[p % 2]);
            sum += sums[0] + sums[1];
          }
        different += sum != problem.c[static_cast<size_t>(i * problem.gemm.c_row + j)];
      }
    CHECK(different == 0);
  }
}

TEST_CASE("by tiles, rows and columns that bf16 cannot stand for are those of f32") {
  const auto run = loops_for_tiles();
  if (run == nullptr) return;
  using Limits = std::numeric_limits<float>;
  for (MatmulPrecision precision : kLowerPrecisions)
    for (float value : {Limits::denorm_min(), 0x1.8p-110f, Limits::max(), Limits::infinity(),
                        Limits::quiet_NaN()})
      for (bool in_a : {true, false}) {
        constexpr int64_t m = 34, n = 36, k = 40, row = 33, col = 20, p = 39;
        if (value == 0x1.8p-110f && precision == MatmulPrecision::medium) continue;  // has one part
        Problem<float> problem = problem_at(precision, m, n, k), exact = problem;
        exact.gemm = problem.gemm;
        const auto place = [&](Problem<float>& to) {
          (in_a ? to.a[row * k + p] : to.b[p * n + col]) = value;
          to.gemm.a = to.a.data(), to.gemm.b = to.b.data(), to.gemm.c = to.c.data();
        };
        const Problem<float> before = [&] {
          Problem<float> plain = problem_at(precision, m, n, k);
          run(plain.gemm);
          return plain;
        }();
        place(problem);
        place(exact);
        exact.gemm.precision = MatmulPrecision::highest;
        run(problem.gemm);
        active<GemmKernels<float>>().gemm(exact.gemm);
        int64_t wrong = 0;
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            const auto at = static_cast<size_t>(i * problem.gemm.c_row + j);
            const float x = problem.c[at];
            const float expected = (in_a ? i == row : j == col) ? exact.c[at] : before.c[at];
            wrong += std::isnan(expected) ? !std::isnan(x) : x != expected;
          }
        CAPTURE(value);
        CAPTURE(in_a);
        CHECK(wrong == 0);
      }
}

TEST_CASE("the instructions of AMX give the bits of the loops") {
  const auto run = loops_for_tiles();
  if (run == nullptr) return;
  if (!has_amx()) {
    MESSAGE("skipped: this processor has no AMX");
    return;
  }
  for (MatmulPrecision precision : kLowerPrecisions)
    for (int64_t k : {32, 75, 600}) {
      Problem<float> by_loops = problem_at(precision, 70, 90, k);
      by_loops.a[5] = 1e-40f;
      for (size_t i = 0; i < by_loops.b.size(); i += 3) by_loops.b[i] *= 1e-36f;
      Problem<float> problem = problem_at(precision, 70, 90, k);
      problem.a = by_loops.a;
      problem.b = by_loops.b;
      problem.gemm.a = problem.a.data();
      problem.gemm.b = problem.b.data();
      run(by_loops.gemm);
      active<GemmKernels<float>>().gemm(problem.gemm);
      CHECK(problem.c == by_loops.c);
    }
}

}  // namespace
}  // namespace tarsier::kernels
