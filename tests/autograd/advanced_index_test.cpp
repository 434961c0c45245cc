// scatter, index_add, reading and writing by index tensors, nonzero: what PyTorch 2.15 gives,
// edges, and errors. Gradients: tests/ops/.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;
using Integers = std::vector<int64_t>;

Tensor integers(const Integers& values, const Shape& shape) { return from_vector(values, shape); }
Tensor counted(const Shape& shape) { return reshape(arange(shape.numel(), f64), shape); }

TEST_CASE("scatter: replaces; the last of several values stays, and gets the gradient") {
  const Tensor x = tensor({1, 2, 3}, f64).requires_grad_();
  const Tensor source = tensor({7, 8}, f64).requires_grad_();
  const Tensor y = scatter(x, 0, integers({2, 0}, {2}), source);
  CHECK(y.to_vector() == Numbers{8, 2, 7});
  const auto grads = grad({y}, {x, source}, {tensor({1, 2, 3}, f64)});
  CHECK(grads[0].to_vector() == Numbers{0, 2, 0});
  CHECK(grads[1].to_vector() == Numbers{3, 1});
  const Tensor twice = scatter(x, 0, integers({1, 1}, {2}), source);
  CHECK(twice.to_vector() == Numbers{1, 8, 3});
  CHECK(grad({sum(twice)}, {source})[0].to_vector() == Numbers{0, 1});
  CHECK(scatter(x, 0, integers({0, 2}, {2}), -1.0).to_vector() == Numbers{-1, 2, -1});
  CHECK(scatter(arange(3), 0, integers({1}, {1}), integers({9}, {1})).to_vector() ==
        Numbers{0, 9, 2});
  CHECK(scatter(x, 0, zeros({0}, i64), zeros({0}, f64)).to_vector() == Numbers{1, 2, 3});
  check_error("[scatter] index 3", [&] { scatter(x, 0, integers({3}, {1}), 1.0); });
  check_error("[scatter] source of shape (2,)", [&] { scatter(x, 0, integers({0}, {1}), source); });
  check_error("[scatter] source is f32", [&] { scatter(x, 0, integers({0}, {1}), zeros({1})); });
}

TEST_CASE("index_add: repeated indices, alpha, any dtype of numbers") {
  const Tensor y = index_add(zeros({2, 3}), 1, integers({0, 0, 2}, {3}), ones({2, 3}), 2);
  CHECK(y.to_vector() == Numbers{4, 0, 2, 4, 0, 2});
  CHECK(index_add(arange(3), 0, integers({1, 1}, {2}), arange(2)).to_vector() == Numbers{0, 2, 2});
  CHECK(index_add(ones({2}), 0, zeros({0}, i64), zeros({0})).to_vector() == Numbers{1, 1});
  check_error("[index_add] source of shape (2,) for x of (3,) and an index of (1,): (1,) is needed",
              [] { index_add(zeros({3}), 0, zeros({1}, i64), ones({2})); });
  check_error("[index_add] index 3",
              [] { index_add(zeros({3}), 0, full({1}, 3, i64), ones({1})); });
}

TEST_CASE("index: as x[i, :, j] of PyTorch and NumPy") {
  const Tensor x = counted({2, 3, 4}), all;
  const Tensor i = integers({0, 1, 1, -1}, {2, 2}), j = integers({2, 0}, {2});
  CHECK(index(x, {i}).shape() == Shape{2, 2, 3, 4});
  CHECK(index(x, {all, j}).to_vector() ==
        Numbers{8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15});
  CHECK(index(x, {all, i, j}).shape() == Shape{2, 2, 2});
  // Not adjacent: the indexed dimensions come first.
  CHECK(index(x, {i, all, j}).shape() == Shape{2, 2, 3});
  CHECK(index(x, {i, all, j}).to_vector() == Numbers{2, 6, 10, 12, 16, 20, 14, 18, 22, 12, 16, 20});
  CHECK(index(arange(3), {integers({-1, -3}, {2})}).to_vector() == Numbers{2, 0});
  CHECK(index(x, {integers({1}, {}), integers({2}, {}), integers({-1}, {})}).item() == 23);
  CHECK(index(x, {zeros({0}, i64)}).shape() == Shape{0, 3, 4});
  check_error(
      "[index] index 2 is out of range: dimension 0 of shape (2, 3, 4) has 2 entries: use -2 to 1",
      [&] { index(x, {integers({2}, {1})}); });
  check_error("[index] index 0 is bool: indices are i64; for a mask use masked_select()",
              [&] { index(x, {zeros({2}, boolean)}); });
  check_error("[index] 4 indices", [&] { index(x, {i, i, i, i}); });
  check_error("[index] no index is defined", [&] { index(x, {all}); });
  check_error("[index] shapes", [&] { index(x, {integers({0, 1, 0}, {3}), j}); });
}

TEST_CASE("index_put: replaces or accumulates; values broadcast") {
  const Tensor x = counted({2, 3, 4}), i = integers({0, 0}, {2}), j = integers({1, 1}, {2});
  Numbers replaced = x.to_vector(), added = replaced;
  for (int c = 4; c < 8; ++c) {
    replaced[static_cast<size_t>(c)] = 2;
    added[static_cast<size_t>(c)] += 2;
  }
  CHECK(index_put(x, {i, j}, reshape(tensor({1, 2}, f64), {2, 1})).to_vector() == replaced);
  CHECK(index_put(x, {i, j}, scalar(1, f64), true).to_vector() == added);
  CHECK(x.to_vector()[4] == 4);  // unchanged
  const Tensor all,
      columns = index_put(zeros({2, 3}), {all, integers({-1, 0}, {2})}, tensor({{1, 2}, {3, 4}}));
  CHECK(columns.to_vector() == Numbers{2, 0, 1, 4, 0, 3});
  CHECK(index_put(arange(3), {integers({1}, {1})}, scalar(9, i64)).to_vector() == Numbers{0, 9, 2});
  check_error("[index_put] shapes (2, 4) and (3,) do not broadcast", [&] {
    index_put(x, {i, j}, zeros({3}, f64));
  });
  check_error("[index_put] values are f32", [&] { index_put(x, {i}, scalar(1)); });
}

TEST_CASE("nonzero: coordinates in order, scalars, nothing") {
  CHECK(nonzero(tensor({{1, 0}, {0, std::nan("")}})).to_vector() == Numbers{0, 0, 1, 1});
  CHECK(nonzero(transpose(tensor({{0, 1}, {0, 0}}), 0, 1)).to_vector() == Numbers{1, 0});
  CHECK(nonzero(scalar(3)).shape() == Shape{1, 0});
  CHECK(nonzero(scalar(0)).shape() == Shape{0, 0});
  CHECK(nonzero(zeros({0, 3})).shape() == Shape{0, 2});
  CHECK(nonzero(arange(3) != 1.0).to_vector() == Numbers{0, 2});
}

}  // namespace
}  // namespace tarsier
