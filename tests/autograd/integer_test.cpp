// i64 as in PyTorch: arithmetic, comparisons, sums, matrix products. Where PyTorch would convert,
// the error names the fix.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;

TEST_CASE("i64: arithmetic and comparisons, with a tensor and with a number") {
  const Tensor a = tensor({5, -2, 3}, i64), b = tensor({2, 2, 3}, i64);
  CHECK((a + b).to_vector() == Numbers{7, 0, 6});
  CHECK((a - b).to_vector() == Numbers{3, -4, 0});
  CHECK((a * b).to_vector() == Numbers{10, -4, 9});
  CHECK((1 - a).to_vector() == Numbers{-4, 3, -2});
  CHECK((-a).to_vector() == Numbers{-5, 2, -3});
  CHECK((a * b).dtype() == i64);
  CHECK(maximum(a, b).to_vector() == Numbers{5, 2, 3});
  CHECK(abs(a).to_vector() == Numbers{5, 2, 3});
  CHECK(clamp(a, 0, 4).to_vector() == Numbers{4, 0, 3});
  CHECK((a == b).to_vector() == Numbers{0, 0, 1});
  CHECK((a >= 3).to_vector() == Numbers{1, 0, 1});
  CHECK(where(a > b, a, b).to_vector() == Numbers{5, 2, 3});
  CHECK(sum(a).dtype() == i64);
  CHECK(sum(expand(a, {2, 3}), 0).to_vector() == Numbers{10, -4, 6});
  CHECK(prod(a).item() == -30);
  CHECK(cumsum(a, 0).to_vector() == Numbers{5, 3, 6});
  CHECK(scatter_add(a, 0, zeros({2}, i64), tensor({1, 1}, i64)).to_vector() == Numbers{7, -2, 3});
}

TEST_CASE("i64: matmul and einsum are exact and wrap around, for all shapes and strides") {
  const Tensor a = tensor({{1, 2}, {3, 4}}, i64), b = tensor({{5, 6}, {7, 8}}, i64);
  CHECK(matmul(a, b).to_vector() == Numbers{19, 22, 43, 50});
  CHECK(matmul(a, b).dtype() == i64);
  CHECK(matmul(transpose(a, 0, 1), b).to_vector() == Numbers{26, 30, 38, 44});
  CHECK(matmul(tensor({1, 2}, i64), b).to_vector() == Numbers{19, 22});
  CHECK(matmul(a, tensor({1, 2}, i64)).to_vector() == Numbers{5, 11});
  CHECK(matmul(arange(3), arange(3)).item() == 5);
  CHECK(einsum("ij,kj->ik", {a, b}).to_vector() == Numbers{17, 23, 39, 53});
  CHECK(einsum("ij->", {a}).item() == 10);
  // Beyond what doubles count exactly, and beyond 64 bits.
  const int64_t large = (int64_t{1} << 53) + 1;
  CHECK(matmul(full({1, 1}, 1, i64), from_vector<int64_t>({large}, {1, 1})).item<int64_t>() ==
        large);
  const Tensor most = from_vector<int64_t>({INT64_MAX, INT64_MAX}, {2});
  CHECK(matmul(most, full({2}, 1, i64)).item<int64_t>() == -2);
  // Batches that broadcast, against f64.
  const Tensor x = randint(-9, 9, {4, 1, 3, 5}), y = randint(-9, 9, {2, 5, 6});
  const Tensor xt = transpose(contiguous(transpose(x, 2, 3)), 2, 3);
  for (const Tensor& left : {x, xt})
    CHECK(matmul(left, y).to_vector() == matmul(to(x, f64), to(y, f64)).to_vector());
  CHECK(matmul(zeros({2, 0}, i64), zeros({0, 3}, i64)).to_vector() == Numbers(6, 0));
  CHECK(matmul(zeros({0, 2}, i64), zeros({2, 3}, i64)).shape() == Shape{0, 3});
}

TEST_CASE("i64: squares, powers, remainders and rounding give PyTorch's integers") {
  const Tensor a = tensor({3, -7, 0}, i64);
  for (const auto& whole : {floor(a), ceil(a), round(a), trunc(a)}) {
    CHECK(whole.dtype() == i64);
    CHECK(whole.to_vector() == a.to_vector());
    CHECK(whole.impl()->storage != a.impl()->storage);
  }
  CHECK(square(a).to_vector() == Numbers{9, 49, 0});
  CHECK(pow(a, 3).to_vector() == Numbers{27, -343, 0});
  CHECK(pow(a, 0).to_vector() == Numbers{1, 1, 1});
  CHECK(pow(a, 2).dtype() == i64);
  // They wrap around, and keep what a double does not: 3⁴¹, 10⁴¹, (2⁴⁰ + 1)².
  CHECK(pow(tensor({3, 10, -3}, i64), 41).to_vector<int64_t>() ==
        std::vector<int64_t>{-420491770248316829, 4870020673419870208, 420491770248316829});
  CHECK(square(full({1}, 0x1p40, i64) + 1).item<int64_t>() == 2199023255553);
  const Tensor base = tensor({2, 1, -1, 0, 3, -1}, i64), p = tensor({-1, -3, -3, -1, 4, -2}, i64);
  CHECK(pow(base, p).to_vector() == Numbers{0, 1, -1, 0, 81, 1});
  CHECK(pow(reshape(tensor({2, 5}, i64), {2, 1}), tensor({0, 3}, i64)).to_vector() ==
        Numbers{1, 8, 1, 125});
  CHECK(pow(2, tensor({0, 3, -1}, i64)).to_vector() == Numbers{1, 8, 0});

  const Tensor n = tensor({7, -7, 7, -7}, i64), d = tensor({3, 3, -3, -3}, i64);
  CHECK(remainder(n, d).to_vector() == Numbers{1, 2, -2, -1});
  CHECK(remainder(n, d).dtype() == i64);
  CHECK(remainder(n, -3).to_vector() == Numbers{-2, -1, -2, -1});
  CHECK(remainder(reshape(n, {4, 1}), d).shape() == Shape{4, 4});
  CHECK(remainder(full({1}, -0x1p63, i64), -1).item<int64_t>() == 0);
  const Tensor odd = slice(arange(9), 0, 1, 9, 2);  // strided
  CHECK(square(odd).to_vector() == Numbers{1, 9, 25, 49});
  CHECK(remainder(odd, 4).to_vector() == Numbers{1, 3, 1, 3});

  check_error("[pow] exponent -1 of a tensor of i64", [&] { pow(a, -1); });
  check_error("[pow] number 0.5 for a tensor of i64", [&] { pow(a, 0.5); });
  check_error("[pow] number 0.5 for a tensor of i64", [&] { pow(0.5, a); });
  check_error("[remainder] number 2.5 for a tensor of i64", [&] { remainder(a, 2.5); });
  check_error("[remainder] remainder of 3 divided by 0", [&] { remainder(a, 0); });
  check_error("[pow] dtypes i64 and f32 differ", [&] { pow(a, zeros({3})); });
  check_error("[pow] dtypes f32 and i64 differ", [&] { pow(zeros({3}), a); });
  check_error("[remainder] dtypes i64 and f32 differ", [&] { remainder(a, ones({3})); });
}

TEST_CASE("i64: linear is exact, with a bias and without, for one row and for many") {
  const Tensor x = tensor({{1, 2}, {3, 4}}, i64), weight = tensor({{1, 1}, {2, 3}, {0, 1}}, i64);
  const Tensor bias = tensor({10, 20, 30}, i64);
  CHECK(linear(x, weight, bias).to_vector() == Numbers{13, 28, 32, 17, 38, 34});
  CHECK(linear(x, weight).to_vector() == Numbers{3, 8, 2, 7, 18, 4});
  CHECK(linear(select(x, 0, 0), weight, bias).to_vector() == Numbers{13, 28, 32});
  CHECK(linear(expand(x, {3, 2, 2}), weight, bias).shape() == Shape{3, 2, 3});
  CHECK(linear(x, weight, bias).dtype() == i64);
  const int64_t large = (int64_t{1} << 53) + 1;
  CHECK(linear(from_vector<int64_t>({large}, {1, 1}), full({1, 1}, 1, i64)).item<int64_t>() ==
        large);
  check_error("[linear] dtypes i64 and f32 differ", [&] { linear(x, to(weight, f32)); });
  check_error("[linear] bias of f32", [&] { linear(x, weight, to(bias, f32)); });
  check_error("[linear] dtype bool", [] { linear(zeros({1}, boolean), zeros({1, 1}, boolean)); });
}

TEST_CASE("i64: division and mixed dtypes stay errors that name the fix") {
  const Tensor a = arange(3);
  check_error("to(x, f32)", [&] { a / a; });
  check_error("to(x, f32)", [&] { mean(a); });
  check_error("to(x, f32)", [&] { exp(a); });
  check_error("[add] dtypes i64 and f32 differ: convert one of them with to(x, i64)",
              [&] { a + zeros({3}); });
  check_error("[matmul] dtypes i64 and f32 differ", [&] { matmul(a, zeros({3})); });
  check_error("[matmul] dtype bool where f32, f64 or i64 is needed",
              [] { matmul(zeros({2}, boolean), zeros({2}, boolean)); });
}

}  // namespace
}  // namespace tarsier
