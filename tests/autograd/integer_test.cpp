// i64 where PyTorch computes with it: arithmetic, comparisons, sums, products of matrices. What it
// would convert is an error that names the fix.
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
