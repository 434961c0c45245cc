// Products with int8 weights: against plain loops, and the order of their sums.
#include "autograd/ops/matmul/int8.kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "autograd/ops.h"
#include "autograd/ops/matmul/quantized.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/units.h"
#include "tests/kernels/products.h"
#include "tests/threads.h"

namespace tarsier::kernels {
namespace {

/// Both ways of computing, which are one where the processor does not multiply bytes.
const auto kWays = {&Int8Kernels::linear, &Int8Kernels::linear_in_f32};
using Way = void (*Int8Kernels::*)(const Int8Linear&);

/// Whether X is rounded to 16 bits.
bool rounds(Way way) {
  return way == &Int8Kernels::linear && active_isa() == Isa::avx512 && has_vnni();
}

/// A product with its memory. Y has two extra columns, which must not change.
struct Int8Problem {
  Int8Problem(int64_t m, int64_t n, int64_t k, int64_t first = 0)
      : values(static_cast<size_t>((first + n) * k)),
        words(static_cast<size_t>((first + n + kInt8Panel) * (int8_words(k) + 1))),
        x(noise<float>(m * (k + 3), 1)),
        scales(noise<float>(n, 2)),
        bias(noise<float>(n, 3)),
        y(noise<float>(m * (n + 2), 4)),
        before(y) {
    const std::vector<float> drawn = noise<float>((first + n) * k, 5);
    for (int64_t row = 0; row < first + n; ++row)
      for (int64_t p = 0; p < k; ++p) {
        const auto at = static_cast<size_t>(row * k + p);
        values[at] =
            static_cast<int8_t>(std::lround(drawn[at] * 128) == 128 ? 127 : drawn[at] * 128);
        words[static_cast<size_t>(int8_place(row, p, k))] |= static_cast<int32_t>(
            static_cast<uint32_t>(static_cast<uint8_t>(values[at])) << (8 * (p % kInt8Group)));
      }
    product = {.m = m,
               .n = n,
               .k = k,
               .x = x.data(),
               .x_row = k + 3,
               .words = words.data(),
               .first = first,
               .scales = scales.data(),
               .bias = bias.data(),
               .y = y.data(),
               .y_row = n + 2};
  }

  /// Runs the product; returns the largest ratio of an error, against f64, to its bound: (k + 8)·ε
  /// of the sum of the terms' sizes, and half a step of X times every weight where X is rounded.
  double run(Way way) {
    (active<Int8Kernels>().*way)(product);
    double worst = 0;
    for (int64_t i = 0; i < product.m; ++i) {
      double most = 0;
      for (int64_t p = 0; p < product.k; ++p)
        most = std::fmax(most, std::fabs(x[i * product.x_row + p]));
      const double half_step = rounds(way) ? most / (2 * 127 * 256) : 0;
      for (int64_t j = 0; j < product.n; ++j) {
        double sum = 0, size = 0, rounding = 0;
        for (int64_t p = 0; p < product.k; ++p) {
          const double weight = values[(product.first + j) * product.k + p];
          const double term = static_cast<double>(x[i * product.x_row + p]) * weight;
          sum += term;
          size += std::fabs(term);
          rounding += half_step * std::fabs(weight);
        }
        const double added = product.bias != nullptr ? bias[j] : 0;
        const double error = std::fabs(y[i * product.y_row + j] - (sum * scales[j] + added));
        const double bound = static_cast<double>(product.k + 8) *
                                 std::numeric_limits<float>::epsilon() *
                                 (size * std::fabs(scales[j]) + std::fabs(added)) +
                             rounding * std::fabs(scales[j]);
        if (!(error <= worst * bound)) worst = bound > 0 ? error / bound : error;
        if (std::isnan(error)) return error;
      }
      for (int64_t j = product.n; j < product.y_row; ++j)
        if (y[i * product.y_row + j] != before[i * product.y_row + j]) return 1e9;
    }
    return worst;
  }

  std::vector<int8_t> values;
  std::vector<int32_t> words;
  std::vector<float> x, scales, bias, y, before;
  Int8Linear product;
};

TEST_CASE("int8 products agree with the definition at every length around the tiles") {
  for (const Way way : kWays) {
    double worst = 0;
    for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 12, 13})
      for (int64_t n : {1, 7, 16, 31, 63, 64, 65, 130})
        for (int64_t k : {1, 2, 3, 4, 5, 31, 33, 129})
          worst = std::fmax(worst, Int8Problem(m, n, k).run(way));
    CHECK(worst <= 1);
    for (int64_t k : {256, 257, 511, 770, 1100}) {  // several chains
      CAPTURE(k);
      CHECK(Int8Problem(3, 70, k).run(way) <= 1);
      Int8Problem plain(13, 33, k);
      plain.product.bias = nullptr;
      CHECK(plain.run(way) <= 1);
    }
    CHECK(Int8Problem(230, 150, 40).run(way) <= 1);  // several strips
    CHECK(Int8Problem(2, 3, 33000).run(way) <= 1);   // sums that 32 bits might not hold
  }
}

TEST_CASE("int8 products take any rows of the matrix") {
  for (const Way way : kWays) {
    double worst = 0;
    for (int64_t first : {1, 15, 32, 63, 64, 100})
      for (int64_t m : {1, 3, 14})
        for (int64_t n : {1, 40, 64, 90})
          worst = std::fmax(worst, Int8Problem(m, n, 21, first).run(way));
    CHECK(worst <= 1);
  }
}

TEST_CASE("an element of an int8 product has the same bits alone, and at any number of threads") {
  const int64_t m = 29, n = 210, k = 300;
  for (const Way way : kWays) {
    const auto computed = [&](int threads) {
      const Threads guard(threads);
      Int8Problem problem(m, n, k);
      (active<Int8Kernels>().*way)(problem.product);
      return problem.y;
    };
    const std::vector<float> y = computed(1);
    for (int threads : {2, 3, 8}) CHECK(computed(threads) == y);
    const Int8Problem all(m, n, k);
    for (int64_t i : {0, 5, 28})
      for (int64_t first : {0, 17, 150}) {
        Int8Linear one = all.product;
        one.m = 1;
        one.n = n - first - 3;
        one.x += i * one.x_row;
        one.first = first;
        one.scales += first;
        one.bias += first;
        std::vector<float> row(static_cast<size_t>(one.n));
        one.y = row.data();
        (active<Int8Kernels>().*way)(one);
        const auto begin = y.begin() + i * (n + 2) + first;
        CHECK(row == std::vector<float>(begin, begin + one.n));
      }
  }
}

TEST_CASE("rows with NaN, infinity, or denormal numbers only, and their neighbours") {
  for (const Way way : kWays) {
    Int8Problem problem(15, 70, 37);
    const auto row = [&](int64_t i) { return problem.x.data() + i * problem.product.x_row; };
    row(3)[36] = std::numeric_limits<float>::quiet_NaN();
    row(14)[0] = std::numeric_limits<float>::infinity();
    std::fill_n(row(5), 37, 0.0f);
    for (int64_t p = 0; p < 37; ++p) row(6)[p] *= 1e-38f;
    problem.product.bias = nullptr;
    (active<Int8Kernels>().*way)(problem.product);
    for (int64_t i = 0; i < 15; ++i)
      for (int64_t j = 0; j < 70; ++j) {
        const float y = problem.y[static_cast<size_t>(i * 72 + j)];
        const bool zero = std::fabs(y) < 1e-30f;
        CHECK(std::isfinite(y) == (i != 3 && i != 14));
        if (i == 5) CHECK(y == 0);
        if (i == 6) CHECK((zero && y != 0));
      }
  }
}

}  // namespace
}  // namespace tarsier::kernels

namespace tarsier {
namespace {

TEST_CASE("a quantised matrix is off by half a step at most, in every layout") {
  Generator generator(3);
  const Tensor weight = randn({37, 70}, f64, generator);
  for (const Tensor& w : {weight, transpose(contiguous(transpose(weight, 0, 1)), 0, 1)}) {
    const QuantizedMatrix quantized(w);
    const Tensor error = abs(to(quantized.dequantized(), f64) - weight);
    for (int64_t row = 0; row < 37; ++row) {
      const double step = quantized.scales()[static_cast<size_t>(row)];
      CHECK(step == doctest::Approx(max(abs(select(weight, 0, row))).item() / 127));
      CHECK(max(select(error, 0, row)).item() <= step * 0.5001);
    }
    CHECK(QuantizedMatrix(quantized.values(), 70,
                          {quantized.scales().begin(), quantized.scales().end()})
              .values() == quantized.values());
  }
  const QuantizedMatrix zero(zeros({2, 5}));
  CHECK(zero.dequantized().to_vector() == std::vector<double>(10, 0));
}

TEST_CASE("embedding and linear with rows of a quantised matrix") {
  Generator generator(4);
  const QuantizedMatrix table(randn({100, 9}, f32, generator));
  const Tensor all = table.dequantized();
  const Tensor index = tensor({{99, 0, 64}, {63, 5, 5}}, i64);
  CHECK(embedding(index, table).to_vector() == embedding(index, all).to_vector());
  const QuantizedMatrix part = table.row_range(30, 95);
  CHECK(part.dequantized().to_vector() == slice(all, 0, 30, 95).to_vector());
  const Tensor x = randn({2, 3, 9}, f32, generator);
  const Tensor whole = linear(x, table);
  CHECK(linear(x, part).to_vector() == slice(whole, -1, 30, 95).to_vector());
  CHECK(allclose(whole, linear(x, all), 1e-5, 1e-3));  // half a step of x is at most 6e-5
  CHECK(linear(select(x, 0, 1), table).to_vector() == select(whole, 0, 1).to_vector());
  CHECK(linear(zeros({0, 9}), table).shape() == Shape{0, 100});
}

}  // namespace
}  // namespace tarsier
