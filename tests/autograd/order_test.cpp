// median, quantile, searchsorted, bincount, cumprod, count_nonzero: what PyTorch 2.15 gives, edges,
// and errors. Gradients of ordinary numbers: tests/ops/.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;
const double nan = std::nan(""), inf = INFINITY;

Tensor row(const Numbers& values) {
  return from_vector(values, {static_cast<int64_t>(values.size())});
}

TEST_CASE("median: the lower of two, NaN, ties share the gradient") {
  CHECK(median(row({4, 1, 3, 2})).item() == 2);
  CHECK(median(tensor({3, 1, 2, 4}, i64)).item() == 2);
  CHECK(std::isnan(median(row({1, nan, 0})).item()));
  CHECK(std::isnan(median(row({})).item()));
  const auto [values, indices] = median(tensor({{3, 1, 3, 3}, {5, 6, 7, 8}}), 1, true);
  CHECK(values.shape() == Shape{2, 1});
  CHECK(values.to_vector() == Numbers{3, 6});
  CHECK(indices.to_vector() == Numbers{0, 1});  // the first of equals
  CHECK(median(row({1, nan, 0, nan}), 0).indices.item() == 1);
  const Tensor x = row({1, 2, 2, 2, 3}).requires_grad_();
  CHECK(allclose(grad({median(x)}, {x})[0], row({0, 1, 1, 1, 0}) / 3));
  CHECK(grad({median(x, 0).values}, {x})[0].to_vector() == Numbers{0, 1, 0, 0, 0});
  const Tensor lost = row({1, nan, 2}).requires_grad_();
  CHECK(grad({median(lost)}, {lost})[0].to_vector() == Numbers{0, 1, 0});
  check_error("[median] a tensor of shape (2, 0) has no elements", [] {
    median(zeros({2, 0}), 1);
  });
  check_error("[median] dtype bool", [] { median(zeros({2}, boolean)); });
}

TEST_CASE("quantile: interpolation, several at once, shapes, NaN and infinities") {
  const Tensor x = row({4, 1, 8, 2});
  CHECK(allclose(quantile(x, row({0, 0.3, 0.5, 1})), row({1, 1.9, 3, 8})));
  CHECK(quantile(x, 0.3).shape() == Shape{});
  const Tensor leaf = row({4, 1, 8, 2}).requires_grad_();
  CHECK(allclose(grad({quantile(leaf, 0.3)}, {leaf})[0], row({0, 0.1, 0, 0.9})));
  const Tensor y = zeros({2, 3, 4}), q = tensor({0.1, 0.2});
  CHECK(quantile(y, q, 1).shape() == Shape{2, 2, 4});
  CHECK(quantile(y, q, 1, true).shape() == Shape{2, 2, 1, 4});
  CHECK(quantile(y, q, {}, true).shape() == Shape{2, 1, 1, 1});
  CHECK(quantile(y, 0.1, {}, true).shape() == Shape{1, 1, 1});
  CHECK(quantile(y, 0.1, -1, true).shape() == Shape{2, 3, 1});
  const Tensor table = from_vector(Numbers{1, nan, 5, 3, 2, 6}, {3, 2});
  CHECK(quantile(table, 0.5, 0).to_vector()[0] == 2);
  CHECK(std::isnan(quantile(table, 0.5, 0).to_vector()[1]));
  CHECK(quantile(row({1, inf}), 0.25).item() == inf);
  CHECK(quantile(row({1, 2, inf}), 0.5).item() == 2);
  check_error("[quantile] q = 1.5: use 0 to 1", [&] { quantile(x, 1.5); });
  check_error("[quantile] q = nan", [&] { quantile(x, nan); });
  check_error("[quantile] a tensor of shape (0,) has no elements", [] { quantile(row({}), 0.5); });
  check_error("[quantile] dtype i64", [] { quantile(arange(3), 0.5); });
  check_error("[quantile] q of shape (1, 2)", [&] { quantile(x, zeros({1, 2})); });
}

TEST_CASE("argsort: the indices of sort") {
  CHECK(argsort(row({3, 1, 2, 1})).to_vector() == Numbers{1, 3, 2, 0});
  CHECK(argsort(row({3, 1, 2, 1}), 0, true).to_vector() == Numbers{0, 2, 1, 3});
  CHECK(argsort(zeros({2, 0})).shape() == Shape{2, 0});
}

TEST_CASE("searchsorted: left and right of equals, rows, NaN is above all") {
  const Tensor sorted = row({1, 2, 2, 3});
  CHECK(searchsorted(sorted, row({2, 0, 5, nan})).to_vector() == Numbers{1, 0, 4, 4});
  CHECK(searchsorted(sorted, row({2, 0, 5}), true).to_vector() == Numbers{3, 0, 4});
  CHECK(searchsorted(row({1, nan, nan}), row({1.5, nan})).to_vector() == Numbers{1, 1});
  CHECK(searchsorted(sorted, from_vector(Numbers{3, 1, 2, 9}, {2, 2})).to_vector() ==
        Numbers{3, 0, 1, 4});
  CHECK(searchsorted(tensor({{1, 3}, {2, 4}}), tensor({{2, 3}, {2, 3}})).to_vector() ==
        Numbers{1, 1, 0, 1});
  CHECK(searchsorted(arange(5), scalar(3, i64)).item() == 3);
  CHECK(searchsorted(row({}), row({1, 2})).to_vector() == Numbers{0, 0});
  CHECK(searchsorted(zeros({2, 3}), zeros({2, 0})).shape() == Shape{2, 0});
  check_error("[searchsorted] sorted rows of shape (2, 3) for values of shape (3, 3)", [] {
    searchsorted(zeros({2, 3}), zeros({3, 3}));
  });
  check_error("[searchsorted]", [] { searchsorted(arange(3), row({1})); });
}

TEST_CASE("bincount: counts, weights, minlength") {
  CHECK(bincount(tensor({1, 3, 1}, i64)).to_vector() == Numbers{0, 2, 0, 1});
  CHECK(bincount(zeros({0}, i64), {}, 3).to_vector() == Numbers{0, 0, 0});
  CHECK(bincount(zeros({0}, i64)).shape() == Shape{0});
  const Tensor sums = bincount(tensor({0, 2, 2}, i64), tensor({0.5, 2, 1}), 4);
  CHECK(sums.dtype() == f32);
  CHECK(sums.to_vector() == Numbers{0.5, 0, 3, 0});
  check_error("[bincount] number -1 at position 1", [] { bincount(tensor({0, -1}, i64)); });
  check_error("[bincount] x is f32", [] { bincount(zeros({2})); });
  check_error("[bincount] x of shape (1, 2)", [] { bincount(zeros({1, 2}, i64)); });
  check_error("[bincount] weights of shape (3,)", [] { bincount(zeros({2}, i64), zeros({3})); });
}

TEST_CASE("cumprod: the gradient at zeros, integers, empty tensors") {
  const Tensor x = row({2, 0, 3, 0, 4}).requires_grad_();
  const Tensor y = cumprod(x, 0);
  CHECK(y.to_vector() == Numbers{2, 0, 0, 0, 0});
  CHECK(grad({y}, {x}, {row({1, 2, 3, 4, 5})})[0].to_vector() == Numbers{1, 22, 0, 0, 0});
  CHECK(cumprod(tensor({{1, 2}, {3, 4}}, i64), 0).to_vector() == Numbers{1, 2, 3, 8});
  CHECK(cumprod(tensor({1, 0, 1}, boolean), 0).dtype() == i64);
  CHECK(cumprod(zeros({0, 3}), 0).shape() == Shape{0, 3});
  // Intermediate products overflow f32.
  CHECK(cumprod(tensor({1e30, 1e30, 1e-30, 1e-20}), 0).to_vector<float>()[3] ==
        doctest::Approx(1e10));
}

TEST_CASE("count_nonzero: NaN counts, dimensions, bool") {
  const Tensor x = from_vector(Numbers{1, 0, nan, 0, 0, 2}, {2, 3});
  CHECK(count_nonzero(x).item() == 3);
  CHECK(count_nonzero(x, 1).to_vector() == Numbers{2, 1});
  CHECK(count_nonzero(x, {0, 1}).dtype() == i64);
  CHECK(count_nonzero(x == 0).item() == 3);
  CHECK(count_nonzero(zeros({0})).item() == 0);
}

TEST_CASE("full_like, rand_like, randn_like, bernoulli") {
  CHECK(full_like(arange(3), 7).to_vector() == Numbers{7, 7, 7});
  CHECK(full_like(arange(3), 7).dtype() == i64);
  check_error("[full_like]", [] { full_like(arange(3), 0.5); });
  const Tensor x = zeros({2, 3}, f64);
  Generator a(1), b(1);
  CHECK(rand_like(x, a).to_vector() == rand({2, 3}, f64, b).to_vector());
  CHECK(randn_like(x, a).to_vector() == randn({2, 3}, f64, b).to_vector());
  const Tensor p = tensor({0, 1, 0.25}), drawn = bernoulli(expand(p, {10000, 3}));
  CHECK(drawn.shape() == Shape{10000, 3});
  CHECK(drawn.dtype() == f32);
  const Numbers means = mean(drawn, 0).to_vector();
  CHECK(means[0] == 0);
  CHECK(means[1] == 1);
  CHECK(means[2] == doctest::Approx(0.25).epsilon(0.08));  // more than 4 deviations
  check_error("[bernoulli] probability 1.5: use 0 to 1", [] { bernoulli(tensor({0, 1.5})); });
  check_error("[bernoulli] probability nan", [] { bernoulli(row({nan})); });
  check_error("[bernoulli] probabilities are i64", [] { bernoulli(arange(2)); });
}

}  // namespace
}  // namespace tarsier
