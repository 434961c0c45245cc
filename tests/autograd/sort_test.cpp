// Sorting and sampling.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;

Tensor tensor_of(const Numbers& values, const Shape& shape) {
  Tensor x = Tensor::empty(shape, f64);
  std::copy(values.begin(), values.end(), x.data<double>());
  return x;
}
Tensor tensor_of(const Numbers& values) {
  return tensor_of(values, {static_cast<int64_t>(values.size())});
}

const double nan = std::nan("");
const double inf = std::numeric_limits<double>::infinity();

TEST_CASE("sort: ascending, descending, stable, along any dimension") {
  const Tensor x = tensor_of({3, 1, 2, 1, 3, 1}, {2, 3});
  CHECK(sort(x).values.to_vector() == Numbers{1, 2, 3, 1, 1, 3});
  CHECK(sort(x).indices.to_vector() == Numbers{1, 2, 0, 0, 2, 1});
  CHECK(sort(x, 1, true).indices.to_vector() == Numbers{0, 2, 1, 1, 0, 2});
  CHECK(sort(x, 0).values.to_vector() == Numbers{1, 1, 1, 3, 3, 2});
  CHECK(sort(x, 0).indices.to_vector() == Numbers{1, 0, 1, 0, 1, 0});
  CHECK(sort(transpose(x, 0, 1), 0).values.to_vector() == Numbers{1, 1, 2, 1, 3, 3});
  CHECK(sort(to(x, i64)).values.dtype() == i64);
  CHECK(sort(tensor_of({}, {2, 0})).values.shape() == Shape{2, 0});
  CHECK(sort(tensor_of({}, {0, 2}), 0).indices.shape() == Shape{0, 2});
}

TEST_CASE("NaN sorts above infinity, in either order") {
  const Tensor x = tensor_of({nan, 1, inf, nan, -inf});
  CHECK(sort(x).indices.to_vector() == Numbers{4, 1, 2, 0, 3});
  CHECK(sort(x, 0, true).indices.to_vector() == Numbers{0, 3, 2, 1, 4});
  CHECK(topk(x, 2).indices.to_vector() == Numbers{0, 3});
  CHECK(topk(x, 2, 0, false).values.to_vector() == Numbers{-inf, 1});
}

TEST_CASE("topk: the first of equals first; its gradient goes to where the values stood") {
  Tensor x = tensor_of({5, 7, 7, 1, 0, 2, 2, 2}, {2, 4});
  x.requires_grad_();
  const ValuesIndices top = topk(x, 2);
  CHECK(top.values.to_vector() == Numbers{7, 7, 2, 2});
  CHECK(top.indices.to_vector() == Numbers{1, 2, 1, 2});
  const Tensor dy = tensor_of({10, 20, 30, 40}, {2, 2});
  CHECK(grad({top.values}, {x}, {dy})[0].to_vector() == Numbers{0, 10, 20, 0, 0, 30, 40, 0});
  CHECK(topk(x, 1, 0, false).values.to_vector() == Numbers{0, 2, 2, 1});
  CHECK(topk(x, 0).values.shape() == Shape{2, 0});
  CHECK(topk(x, 4).values.to_vector() == sort(x, -1, true).values.to_vector());
  CHECK_THROWS_WITH_AS(topk(x, 5),
                       doctest::Contains("[topk] k = 5 of dimension 1 in shape (2, 4): use 0 to 4"),
                       Error);
  CHECK_THROWS_AS(topk(x, -1), Error);
}

TEST_CASE("multinomial draws in proportion, and never draws weight 0") {
  const Numbers weights = {0, 1, 0, 3, 4, 0};
  const int64_t draws = 20000;
  for (bool replacement : {true, false}) {
    CAPTURE(replacement);
    Generator generator(7);
    // Without replacement the first draw of many rows, with it many draws of one.
    Tensor w = tensor_of(weights);
    if (!replacement) w = expand(w, {draws, 6});
    const Tensor drawn = multinomial(w, replacement ? draws : 1, replacement, generator);
    Numbers counts(6, 0);
    for (int64_t i : drawn.to_vector<int64_t>()) ++counts[static_cast<size_t>(i)];
    for (size_t i = 0; i < 6; ++i) {
      const double p = weights[i] / 8, deviation = std::sqrt(draws * p * (1 - p));
      CHECK(std::abs(counts[i] - draws * p) <= 5 * deviation);  // exactly 0 where p is 0
    }
  }
}

TEST_CASE("multinomial without replacement draws each index once, until none is left") {
  Generator generator(3);
  const Tensor w = tensor_of({1e-300, 0, 1e300, 5, 1e300, 0, 1, 1}, {2, 4});
  const std::vector<int64_t> drawn = multinomial(w, 3, false, generator).to_vector<int64_t>();
  CHECK(std::set<int64_t>(drawn.begin(), drawn.begin() + 3) == std::set<int64_t>{0, 2, 3});
  CHECK(std::set<int64_t>(drawn.begin() + 3, drawn.end()) == std::set<int64_t>{0, 2, 3});
  CHECK(drawn[0] == 2);  // 10²⁹⁹ times as likely as the others
  CHECK_THROWS_WITH_AS(
      multinomial(w, 4, false, generator),
      doctest::Contains("[multinomial] 4 samples without replacement, but row 0 has only 3 weights "
                        "that are not 0: draw fewer, or with replacement"),
      Error);
}

TEST_CASE("multinomial is a function of the generator's state, at any thread count") {
  const Threads restore;
  Tensor w = Tensor::empty({50, 300}, f32);
  for (int64_t i = 0; i < w.numel(); ++i) w.data<float>()[i] = static_cast<float>(i % 7);
  for (bool replacement : {true, false}) {
    std::set<std::vector<int64_t>> seen;
    for (int threads : {1, 2, 3}) {
      set_num_threads(threads);
      Generator generator(11);
      seen.insert(multinomial(w, 5, replacement, generator).to_vector<int64_t>());
    }
    CHECK(seen.size() == 1);
    Generator generator(11);
    seen.insert(multinomial(w, 5, replacement, generator).to_vector<int64_t>());
    seen.insert(multinomial(w, 5, replacement, generator).to_vector<int64_t>());
    CHECK(seen.size() == 2);
  }
}

TEST_CASE("multinomial refuses invalid distributions") {
  for (const Numbers& weights :
       {Numbers{1, -1}, Numbers{nan, 1}, Numbers{inf, 1}, Numbers{0, 0}, Numbers{}}) {
    CHECK_THROWS_AS(multinomial(tensor_of(weights), 1, true), Error);
    CHECK_THROWS_AS(multinomial(tensor_of(weights), 1, false), Error);
  }
  CHECK_THROWS_AS(multinomial(tensor_of({1, 1}), 0), Error);
  CHECK_THROWS_AS(multinomial(to(tensor_of({1, 1}), i64), 1), Error);
  CHECK_THROWS_AS(multinomial(tensor_of({1}, {1, 1, 1}), 1), Error);
  CHECK(multinomial(tensor_of({}, {0, 3}), 2).shape() == Shape{0, 2});
}

}  // namespace
}  // namespace tarsier
