#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

Tensor random(const Shape& shape, uint64_t seed, DType dtype = f64) {
  Generator generator(seed);
  return randn(shape, dtype, generator);
}

Tensor leaf(const Shape& shape, uint64_t seed) { return random(shape, seed).requires_grad_(); }

/// The same numbers with the last two dimensions swapped in memory.
Tensor swapped_in_memory(const Tensor& x) {
  return transpose(contiguous(transpose(x, -2, -1)), -2, -1);
}

/// Σ_p a[…, i, p]·b[…, p, j] by three loops, for operands of equal rank ≥ 2.
std::vector<double> by_loops(const Tensor& a, const Tensor& b) {
  const Shape la(a.shape().begin(), a.shape().end() - 2),
      lb(b.shape().begin(), b.shape().end() - 2);
  const Shape batch = broadcast_shapes(la, lb, "test");
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  const auto x = a.to_vector(), y = b.to_vector();
  std::vector<double> out;
  for (int64_t flat = 0; flat < batch.numel(); ++flat) {
    int64_t at_a = 0, at_b = 0, rest = flat, size_a = 1, size_b = 1;
    for (int d = batch.size() - 1; d >= 0; --d) {
      const int64_t index = rest % batch[d];
      rest /= batch[d];
      at_a += (la[d] == 1 ? 0 : index) * size_a;
      at_b += (lb[d] == 1 ? 0 : index) * size_b;
      size_a *= la[d];
      size_b *= lb[d];
    }
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += x[(at_a * m + i) * k + p] * y[(at_b * k + p) * n + j];
        out.push_back(sum);
      }
  }
  return out;
}

/// Largest deviation from `expected`.
double deviation(const Tensor& y, const std::vector<double>& expected) {
  const auto values = y.to_vector();
  REQUIRE(values.size() == expected.size());
  double largest = 0;
  for (size_t i = 0; i < values.size(); ++i)
    largest = std::fmax(largest, std::fabs(values[i] - expected[i]));
  return largest;
}

/// A sum of up to 70 products of normal numbers is accurate to about 70·4²·2⁻⁵³.
constexpr double kTolerance = 1e-12;

TEST_CASE("matmul agrees with the triple loop, for all broadcasts and memory layouts") {
  struct Case {
    Shape a, b;
  };
  for (const Case& c : std::vector<Case>{{{3, 4}, {4, 5}},
                                         {{1, 1}, {1, 1}},
                                         {{17, 33}, {33, 70}},
                                         {{2, 3, 4}, {2, 4, 5}},
                                         {{2, 3, 4}, {1, 4, 5}},
                                         {{1, 3, 4}, {6, 4, 5}},
                                         {{2, 1, 3, 4}, {1, 5, 4, 2}},
                                         {{2, 5, 1, 4}, {2, 5, 4, 1}},
                                         {{2, 3, 20, 9}, {2, 3, 9, 18}}}) {
    CAPTURE(c.a);
    CAPTURE(c.b);
    const Tensor a = random(c.a, 1), b = random(c.b, 2);
    const auto expected = by_loops(a, b);
    for (const Tensor& x : {a, swapped_in_memory(a)})
      for (const Tensor& y : {b, swapped_in_memory(b)})
        CHECK(deviation(matmul(x, y), expected) < kTolerance);
  }
}

TEST_CASE("matmul takes views: slices with steps, permuted batches, expanded matrices") {
  const Tensor a = random({4, 6, 10}, 1), b = random({4, 10, 8}, 2);
  const Tensor every_second = slice(a, 1, 0, 6, 2), columns = slice(b, 2, 1, 8, 3);
  CHECK(deviation(matmul(every_second, columns),
                  by_loops(contiguous(every_second), contiguous(columns))) < kTolerance);
  // Unevenly spaced rows of a batch, with one matrix for all.
  const Tensor one = random({1, 10, 3}, 3);
  CHECK(deviation(matmul(slice(a, 1, 0, 5), select(one, 0, 0)),
                  by_loops(contiguous(slice(a, 1, 0, 5)), one)) < kTolerance);
  const Tensor swapped = transpose(a, 0, 1);
  CHECK(deviation(matmul(swapped, select(one, 0, 0)), by_loops(contiguous(swapped), one)) <
        kTolerance);
  const Tensor stretched = expand(random({1, 10, 3}, 4), {4, 10, 3});
  CHECK(deviation(matmul(a, stretched), by_loops(a, contiguous(stretched))) < kTolerance);
}

TEST_CASE("1-D arguments of matmul are a row or a column, whose dimension is dropped") {
  const Tensor v = tensor({1, 2, 3}, f64), w = tensor({4, 5, 6}, f64);
  const Tensor m = tensor({{1, 0, 2}, {0, 1, 3}}, f64);
  CHECK(matmul(v, w).shape() == Shape{});
  CHECK(matmul(v, w).item() == 32);
  CHECK(matmul(m, v).shape() == Shape{2});
  CHECK(matmul(m, v).to_vector() == std::vector<double>{7, 11});
  CHECK(matmul(tensor({1, 2}, f64), m).to_vector() == std::vector<double>{1, 2, 8});
  CHECK(matmul(random({5, 2, 3}, 1), v).shape() == Shape{5, 2});
  CHECK(matmul(v, random({5, 3, 2}, 1)).shape() == Shape{5, 2});
}

TEST_CASE("sizes of 0: no rows give nothing, and a sum over nothing is 0") {
  CHECK(matmul(random({0, 3}, 1), random({3, 2}, 2)).shape() == Shape{0, 2});
  CHECK(matmul(random({2, 0}, 1), random({0, 2}, 2)).to_vector() == std::vector<double>(4, 0.0));
  CHECK(matmul(random({0, 2, 3}, 1), random({3, 2}, 2)).shape() == Shape{0, 2, 2});
  const Tensor a = leaf({0, 3}, 1), b = leaf({3, 2}, 2);
  sum(matmul(a, b)).backward();
  CHECK(b.grad().to_vector() == std::vector<double>(6, 0.0));
  const Tensor bias = leaf({2}, 3), weight = leaf({2, 0}, 4);
  CHECK(allclose(linear(random({3, 0}, 1), weight, bias), expand(bias.detach(), {3, 2})));
}

TEST_CASE("gradients of matmul, first and second order, for every kind of broadcast") {
  const auto product = [](const std::vector<Tensor>& x) { return matmul(x[0], x[1]); };
  const GradcheckOptions options{.second_order = true};
  CHECK_NOTHROW(gradcheck(product, {leaf({3, 4}, 1), leaf({4, 2}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({2, 3, 4}, 1), leaf({4, 2}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({2, 3, 4}, 1), leaf({1, 4, 2}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({3, 4}, 1), leaf({2, 4, 2}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({2, 1, 3, 4}, 1), leaf({3, 4, 2}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({4}, 1), leaf({4}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({2, 3, 4}, 1), leaf({4}, 2)}, options));
  CHECK_NOTHROW(gradcheck(product, {leaf({4}, 1), leaf({2, 4, 3}, 2)}, options));
  const auto transposed = [](const std::vector<Tensor>& x) {
    return matmul(transpose(x[0], 0, 1), transpose(x[1], -2, -1));
  };
  CHECK_NOTHROW(gradcheck(transposed, {leaf({4, 3}, 1), leaf({2, 5, 4}, 2)}, options));
}

TEST_CASE("linear is x · weightᵀ + bias, for every rank of x") {
  const Tensor weight = random({5, 3}, 1), bias = random({5}, 2);
  for (const Shape& shape : std::vector<Shape>{{3}, {1, 3}, {7, 3}, {2, 4, 3}, {2, 1, 2, 3}}) {
    CAPTURE(shape);
    const Tensor x = random(shape, 3);
    const Tensor expected = matmul(x, transpose(weight, 0, 1));
    CHECK(linear(x, weight).shape() == expected.shape());
    CHECK(allclose(linear(x, weight), expected, kTolerance, kTolerance));
    CHECK(allclose(linear(x, weight, bias), expected + bias, kTolerance, kTolerance));
  }
  const Tensor wide = random({2, 4, 6}, 4), strided_bias = slice(random({10}, 5), 0, 0, 10, 2);
  const Tensor x = slice(wide, 1, 0, 3), half = slice(x, 2, 0, 3);
  CHECK(allclose(linear(half, weight, strided_bias),
                 matmul(contiguous(half), transpose(weight, 0, 1)) + strided_bias, kTolerance,
                 kTolerance));
}

TEST_CASE("gradients of linear, first and second order") {
  const GradcheckOptions options{.second_order = true};
  const auto with_bias = [](const std::vector<Tensor>& x) { return linear(x[0], x[1], x[2]); };
  CHECK_NOTHROW(gradcheck(with_bias, {leaf({2, 4, 3}, 1), leaf({5, 3}, 2), leaf({5}, 3)}, options));
  CHECK_NOTHROW(gradcheck(with_bias, {leaf({3}, 1), leaf({5, 3}, 2), leaf({5}, 3)}, options));
  const auto without = [](const std::vector<Tensor>& x) {
    return linear(transpose(x[0], 0, 1), x[1]);
  };
  CHECK_NOTHROW(gradcheck(without, {leaf({3, 4}, 1), leaf({5, 3}, 2)}, options));
}

TEST_CASE("only the required gradients are computed") {
  const Tensor a = random({2, 3}, 1), b = leaf({3, 4}, 2);
  matmul(a, b).backward(ones({2, 4}, f64));
  CHECK(!a.grad().defined());
  CHECK(deviation(b.grad(), by_loops(transpose(a, 0, 1), ones({2, 4}, f64))) < kTolerance);
}

TEST_CASE("matmul and linear report what does not fit") {
  CHECK(error_of([] {
          matmul(zeros({4, 3}), zeros({5, 2}));
        }) == "[matmul] shapes (4, 3) and (5, 2) do not multiply: inner sizes 3 and 5 differ");
  CHECK(error_of([] {
          matmul(zeros({2, 4, 3}), zeros({5, 3, 2}));
        }) ==
        "[matmul] shapes (2,) and (5,) do not broadcast: sizes 2 and 5 differ and neither is 1");
  CHECK(error_of([] {
          matmul(zeros({4, 3}), zeros({3, 2}, f64));
        }) == "[matmul] dtypes f32 and f64 differ: convert one with to(x, dtype)");
  CHECK(error_of([] {
          matmul(zeros({4, 3}, boolean), zeros({3, 2}, boolean));
        }) == "[matmul] dtype bool where f32, f64 or i64 is needed: convert with to(x, f32)");
  CHECK(error_of([] { matmul(scalar(1), zeros({3})); }) ==
        "[matmul] shapes () and (3,): a scalar is not a matrix; multiply with *");
  CHECK(error_of([] {
          linear(zeros({4, 3}), zeros({5, 2}));
        }) == "[linear] x of shape (4, 3) and weight of shape (5, 2): expected x (…, 2)");
  CHECK(error_of([] {
          linear(zeros({4, 3}), zeros({5, 3}), zeros({3}));
        }) == "[linear] bias of shape (3,): expected (5,), one per row of weight");
  CHECK(error_of([] {
          linear(zeros({4, 3}), zeros({3}));
        }) == "[linear] weight of shape (3,): expected (out, in)");
}

}  // namespace
}  // namespace tarsier
