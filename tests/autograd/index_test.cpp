// Selecting by index, and the sums of the backward.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;

/// 0, 1, 2, … in the given shape.
Tensor count_up(const Shape& shape, DType dtype = f64) {
  Tensor x = Tensor::empty(shape, dtype);
  dispatch_all(dtype, [&]<class T>() {
    for (int64_t i = 0; i < x.numel(); ++i) x.data<T>()[i] = static_cast<T>(i);
  });
  return x;
}

Tensor index_of(const std::vector<int64_t>& values, const Shape& shape) {
  Tensor x = Tensor::empty(shape, i64);
  std::copy(values.begin(), values.end(), x.data<int64_t>());
  return x;
}
Tensor index_of(const std::vector<int64_t>& values) {
  return index_of(values, {static_cast<int64_t>(values.size())});
}

/// d(Σ y · dy)/dx for dy = 1, 2, 3, …
Numbers gradient(const Tensor& y, const Tensor& x) {
  Tensor dy = Tensor::empty(y.shape(), y.dtype());
  for (int64_t i = 0; i < dy.numel(); ++i) dy.data<double>()[i] = static_cast<double>(i + 1);
  return grad({y}, {x}, {dy})[0].to_vector();
}

/// The gradient of the gradient: dx depends on dy, and this is d(Σ dx · 1, 2, 3, …)/d(dy).
Numbers second_gradient(const Tensor& y, const Tensor& x) {
  Tensor dy = count_up(y.shape());
  dy.requires_grad_();
  return gradient(grad({y}, {x}, {dy}, true, true)[0], dy);
}

TEST_CASE("index_select: any dimension, repeated indices, strides") {
  Tensor x = count_up({2, 3});
  x.requires_grad_();
  CHECK(index_select(x, 0, index_of({1, 1, 0})).to_vector() == Numbers{3, 4, 5, 3, 4, 5, 0, 1, 2});
  const Tensor y = index_select(x, -1, index_of({2, 0, 2}));
  CHECK(y.to_vector() == Numbers{2, 0, 2, 5, 3, 5});
  CHECK(gradient(y, x) == Numbers{2, 0, 4, 5, 0, 10});
  CHECK(second_gradient(index_select(x, 1, index_of({2, 0, 2})), x) == Numbers{3, 1, 3, 6, 4, 6});
  CHECK(index_select(transpose(x, 0, 1), 0, index_of({2})).to_vector() == Numbers{2, 5});
  CHECK(index_select(x, 0, index_of({})).shape() == Shape{0, 3});
  CHECK(index_select(count_up({3}, boolean), 0, index_of({1, 0})).to_vector() == Numbers{1, 0});
}

TEST_CASE("an index out of range is named, with its position") {
  const Tensor x = count_up({2, 3});
  CHECK_THROWS_WITH_AS(
      index_select(x, 1, index_of({0, 3})),
      doctest::Contains("[index_select] index 3 at position (1,) is out of range: dimension 1 of "
                        "shape (2, 3) has 3 entries, counted from 0"),
      Error);
  CHECK_THROWS_WITH_AS(
      embedding(index_of({0, 1, 1, -1}, {2, 2}), x),
      doctest::Contains("[embedding] index -1 at position (1, 1) is out of range: dimension 0 of "
                        "shape (2, 3) has 2 entries, counted from 0"),
      Error);
  CHECK_THROWS_AS(gather(x, 0, index_of({2}, {1, 1})), Error);
  CHECK_THROWS_WITH_AS(gather(x, 1, index_of({0, INT64_MIN}, {1, 2})),
                       doctest::Contains("index -9223372036854775808 at position (0, 1)"), Error);
  CHECK_THROWS_AS(gather(x, 1, index_of({INT64_MAX, 0}, {1, 2})), Error);
  CHECK_THROWS_AS(scatter_add(x, 0, index_of({2}, {1, 1}), count_up({1, 1})), Error);
  CHECK_THROWS_AS(embedding(index_of({0}), count_up({0, 3})), Error);
  CHECK_THROWS_AS(index_select(x, 0, count_up({2})), Error);
  CHECK_THROWS_AS(index_select(x, 0, index_of({0}, {1, 1})), Error);
}

TEST_CASE("embedding: rows of the table; repeated rows sum their gradients, twice over") {
  Tensor weight = count_up({3, 2});
  weight.requires_grad_();
  const Tensor index = index_of({2, 0, 2, 2}, {2, 2});
  const Tensor y = embedding(index, weight);
  CHECK(y.shape() == Shape{2, 2, 2});
  CHECK(y.to_vector() == Numbers{4, 5, 0, 1, 4, 5, 4, 5});
  CHECK(gradient(y, weight) == Numbers{3, 4, 0, 0, 1 + 5 + 7, 2 + 6 + 8});
  CHECK(second_gradient(embedding(index, weight), weight) == Numbers{5, 6, 1, 2, 5, 6, 5, 6});
  CHECK(embedding(index_of({}, {0, 4}), weight).shape() == Shape{0, 4, 2});
  CHECK(gradient(embedding(index_of({}), weight), weight) == Numbers(6, 0));
  CHECK_THROWS_AS(embedding(index, count_up({3})), Error);
}

TEST_CASE("the gradient of an embedding has the same bits at any thread count") {
  const Threads restore;
  // f32 sums of numbers that do not add exactly: another order would give other bits.
  std::vector<int64_t> entries;
  for (int64_t i = 0; i < 700; ++i) entries.push_back(i * i % 65);
  Tensor weight = count_up({65, 100}, f32), dy = count_up({700, 100}, f32);
  for (int64_t i = 0; i < dy.numel(); ++i)
    dy.data<float>()[i] = std::sin(static_cast<float>(i)) * 1e3f;
  weight.requires_grad_();
  std::vector<float> expected(6500, 0);
  for (int64_t i = 0; i < 700; ++i)
    for (int64_t c = 0; c < 100; ++c)
      expected[static_cast<size_t>(entries[static_cast<size_t>(i)] * 100 + c)] +=
          dy.data<float>()[i * 100 + c];
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor index = index_of(entries);
    CHECK(grad({embedding(index, weight)}, {weight}, {dy})[0].to_vector<float>() == expected);
    const Tensor wide = expand(unsqueeze(index, 1), {700, 100});
    const Tensor sums = scatter_add(zeros({65, 100}), 0, wide, dy);
    CHECK(sums.to_vector<float>() == expected);
    const Tensor columns =
        scatter_add(zeros({100, 65}), 1, transpose(wide, 0, 1), transpose(dy, 0, 1));
    CHECK(transpose(columns, 0, 1).to_vector<float>() == expected);
  }
}

TEST_CASE("gather and scatter_add: along every dimension, and each the other's gradient") {
  Tensor x = count_up({2, 3});
  x.requires_grad_();
  const Tensor rows = index_of({1, 0, 1, 0, 0, 1}, {2, 3});
  CHECK(gather(x, 0, rows).to_vector() == Numbers{3, 1, 5, 0, 1, 5});
  CHECK(gradient(gather(x, 0, rows), x) == Numbers{4, 2 + 5, 0, 1, 0, 3 + 6});
  CHECK(second_gradient(gather(x, 0, rows), x) == Numbers{4, 2, 6, 1, 2, 6});
  const Tensor columns = index_of({2, 2, 0, 1}, {2, 2});
  CHECK(gather(x, 1, columns).to_vector() == Numbers{2, 2, 3, 4});
  CHECK(gather(transpose(x, 0, 1), 0, index_of({1}, {1, 1})).to_vector() == Numbers{1});
  CHECK(gather(x, 1, index_of({}, {2, 0})).shape() == Shape{2, 0});

  Tensor source = count_up({2, 2});
  source.requires_grad_();
  const Tensor y = scatter_add(x, 1, columns, source);
  CHECK(y.to_vector() == Numbers{0, 1, 2 + 0 + 1, 3 + 2, 4 + 3, 5});
  CHECK(x.to_vector() == Numbers{0, 1, 2, 3, 4, 5});
  CHECK(gradient(y, x) == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(gradient(scatter_add(x, 1, columns, source), source) == Numbers{3, 3, 4, 5});
  CHECK(second_gradient(scatter_add(x, 1, columns, source), source) == Numbers{0, 0, 3, 3, 4, 0});
  CHECK(scatter_add(count_up({2}, i64), 0, index_of({1, 1}), index_of({5, 6})).to_vector() ==
        Numbers{0, 12});
  CHECK_THROWS_AS(gather(x, 0, index_of({0})), Error);
  CHECK_THROWS_AS(gather(x, 1, index_of({0, 0, 0}, {3, 1})), Error);
  CHECK_THROWS_AS(scatter_add(x, 1, columns, count_up({2, 3})), Error);
  CHECK_THROWS_AS(scatter_add(x, 1, columns, count_up({2, 2}, f32)), Error);
}

TEST_CASE("masked_select: in row-major order, broadcast both ways") {
  Tensor x = count_up({2, 3});
  x.requires_grad_();
  const Tensor mask = to(index_of({1, 0, 1}), boolean);
  const Tensor y = masked_select(x, mask);
  CHECK(y.to_vector() == Numbers{0, 2, 3, 5});
  CHECK(gradient(y, x) == Numbers{1, 0, 2, 3, 0, 4});
  const Tensor rows = to(index_of({0, 1}, {2, 1}), boolean);
  CHECK(masked_select(x, rows).to_vector() == Numbers{3, 4, 5});
  CHECK(masked_select(transpose(x, 0, 1), transpose(expand(rows, {2, 3}), 0, 1)).to_vector() ==
        Numbers{3, 4, 5});
  CHECK(masked_select(select(x, 0, 1), to(zeros({2, 3}), boolean)).shape() == Shape{0});
  CHECK_THROWS_AS(masked_select(x, x), Error);
  CHECK_THROWS_AS(masked_select(x, to(zeros({2}), boolean)), Error);
}

}  // namespace
}  // namespace tarsier
