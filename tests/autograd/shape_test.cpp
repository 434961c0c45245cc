// Views share memory, copies do not; gradients flow through both.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/ops.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;

/// 0, 1, 2, … in the given shape.
Tensor count_up(const Shape& shape, DType dtype = f64) {
  Tensor x = Tensor::empty({shape.numel()}, dtype);
  dispatch_all(dtype, [&]<class T>() {
    for (int64_t i = 0; i < x.numel(); ++i) x.data<T>()[i] = static_cast<T>(i);
  });
  return x.view_as(shape, contiguous_strides(shape), 0);
}

bool shares_memory(const Tensor& a, const Tensor& b) {
  return a.impl()->storage == b.impl()->storage;
}

/// d(Σ y · dy)/dx for dy = 1, 2, 3, …: all elements of dy differ.
Numbers gradient(const Tensor& y, const Tensor& x) {
  Tensor dy = Tensor::empty(y.shape(), y.dtype());
  for (int64_t i = 0; i < dy.numel(); ++i) dy.data<double>()[i] = static_cast<double>(i + 1);
  return grad({y}, {x}, {dy})[0].to_vector();
}

TEST_CASE("reshape: values, -1, and what it refuses") {
  const Tensor x = count_up({2, 3});
  CHECK(reshape(x, {3, 2}).shape() == Shape{3, 2});
  CHECK(reshape(x, {-1}).to_vector() == Numbers{0, 1, 2, 3, 4, 5});
  CHECK(reshape(x, {1, -1, 2}).shape() == Shape{1, 3, 2});
  CHECK(reshape(count_up({1}), {}).shape() == Shape{});
  CHECK_THROWS_WITH_AS(
      reshape(x, {4, -1}),
      doctest::Contains("[reshape] shape (2, 3) has 6 elements, (4, -1) needs a multiple of 4"),
      Error);
  CHECK_THROWS_WITH_AS(reshape(x, {4, 2}),
                       doctest::Contains("[reshape] shape (2, 3) has 6 elements, (4, 2) has 8"),
                       Error);
  CHECK_THROWS_AS(reshape(x, {-1, -1}), Error);
  CHECK_THROWS_AS(reshape(x, {-2, -3}), Error);
  CHECK_THROWS_AS(reshape(count_up({0, 3}), {0, -1}), Error);
  CHECK_THROWS_AS(reshape(x, {int64_t{1} << 40, int64_t{1} << 40, 0, -1}), Error);
  CHECK(reshape(count_up({0, 3}), {5, -1}).shape() == Shape{5, 0});
}

TEST_CASE("reshape is a view if strides allow it, otherwise a copy") {
  const Tensor x = count_up({2, 3, 4});
  CHECK(shares_memory(reshape(x, {6, 4}), x));
  // (2, 4, 3) by transposition: the last two cannot be joined, but each can be cut.
  const Tensor t = transpose(x, 1, 2);
  CHECK(shares_memory(reshape(t, {2, 2, 2, 3}), x));
  CHECK(reshape(t, {2, 2, 2, 3}).to_vector() == t.to_vector());
  CHECK(shares_memory(reshape(t, {2, 1, 4, 1, 3, 1}), x));
  CHECK_FALSE(shares_memory(reshape(t, {2, 12}), x));
  CHECK(reshape(t, {2, 12}).to_vector() == t.to_vector());
  CHECK_THROWS_AS(view(t, {2, 12}), Error);
  // A slice of the first dimension leaves the others joined.
  const Tensor s = slice(x, 0, 1);
  CHECK(shares_memory(reshape(s, {12}), x));
  CHECK(reshape(s, {12}).to_vector() == s.to_vector());
  // Every second row: rows cannot be joined with each other, their columns can be cut.
  const Tensor r = slice(count_up({6, 4}), 0, 0, {}, 2);
  CHECK(view(r, {3, 2, 2}).to_vector() == r.to_vector());
  CHECK_THROWS_AS(view(r, {12}), Error);
}

TEST_CASE("writing through one view is seen through the others") {
  const Tensor x = count_up({2, 3, 4});
  const std::vector<Tensor> views = {reshape(x, {24}),
                                     view(x, {4, 6}),
                                     flatten(x),
                                     permute(x, {2, 0, 1}),
                                     transpose(x, 0, 2),
                                     unsqueeze(x, 1),
                                     squeeze(unsqueeze(x, 0), 0),
                                     expand(unsqueeze(x, 0), {5, 2, 3, 4}),
                                     slice(x, 2, 1),
                                     select(x, 1, 2),
                                     split(x, 2, 2)[1],
                                     chunk(x, 2, 0)[1],
                                     x.detach()};
  x.data<double>()[23] = -7;  // the last element, which is the last of all of these as well
  for (const Tensor& v : views) {
    CHECK(shares_memory(v, x));
    CHECK(v.to_vector().back() == -7);
  }
}

TEST_CASE("permute, transpose, squeeze, unsqueeze, flatten, expand: shapes and values") {
  const Tensor x = count_up({2, 3});
  CHECK(transpose(x, 0, 1).to_vector() == Numbers{0, 3, 1, 4, 2, 5});
  CHECK(transpose(x, -1, -2).shape() == Shape{3, 2});
  CHECK(permute(count_up({2, 3, 4}), {2, 0, -2}).shape() == Shape{4, 2, 3});
  CHECK(permute(count_up({2, 3, 4}), {2, 0, 1}).to_vector()[1] == 4);
  CHECK_THROWS_AS(permute(x, {0, 0}), Error);
  CHECK_THROWS_AS(permute(x, {0}), Error);
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 3, 1});
  CHECK(unsqueeze(x, 0).shape() == Shape{1, 2, 3});
  CHECK_THROWS_AS(unsqueeze(x, 3), Error);
  CHECK(squeeze(count_up({1, 3, 1})).shape() == Shape{3});
  CHECK(squeeze(count_up({1, 3, 1}), -1).shape() == Shape{1, 3});
  CHECK(squeeze(x, 0).shape() == Shape{2, 3});
  CHECK(flatten(count_up({2, 3, 4, 5}), 1, -2).shape() == Shape{2, 12, 5});
  CHECK(flatten(count_up({})).shape() == Shape{1});
  CHECK_THROWS_AS(flatten(x, 1, 0), Error);
  CHECK(expand(unsqueeze(x, 1), {4, 2, 2, -1}).shape() == Shape{4, 2, 2, 3});
  CHECK(expand(count_up({2, 1}), {2, 3}).to_vector() == Numbers{0, 0, 0, 1, 1, 1});
  CHECK(expand(count_up({1}), {0}).shape() == Shape{0});
  CHECK_THROWS_AS(expand(x, {2, 4}), Error);
  CHECK_THROWS_AS(expand(x, {3}), Error);
  CHECK_THROWS_AS(expand(x, {-1, 2, 3}), Error);
  CHECK_THROWS_AS(expand(count_up({1}), {int64_t{1} << 40, int64_t{1} << 40}), Error);
}

TEST_CASE("slice clips as Python does; select does not") {
  const Tensor x = count_up({5});
  CHECK(slice(x, 0, 1, 3).to_vector() == Numbers{1, 2});
  CHECK(slice(x, 0, -2).to_vector() == Numbers{3, 4});
  CHECK(slice(x, 0, -100, 100, 2).to_vector() == Numbers{0, 2, 4});
  CHECK(slice(x, 0, 1, {}, 3).to_vector() == Numbers{1, 4});
  CHECK(slice(x, 0, 3, 1).numel() == 0);
  CHECK(slice(x, 0, 7).numel() == 0);
  CHECK(slice(x, 0, 0, {}, std::numeric_limits<int64_t>::max()).to_vector() == Numbers{0});
  CHECK_THROWS_AS(slice(x, 0, 4, 0, -1), Error);
  CHECK_THROWS_AS(slice(x, 0, 0, 5, 0), Error);
  CHECK_THROWS_AS(slice(x, 1, 0), Error);
  CHECK(select(x, 0, -1).item() == 4);
  CHECK_THROWS_WITH_AS(
      select(x, 0, 5),
      doctest::Contains("[select] index 5 of dimension 0 with size 5 in shape (5,): use -5 to 4"),
      Error);
}

TEST_CASE("gradients of views of views") {
  Tensor x = count_up({2, 3, 4});
  x.requires_grad_();
  // x[1, :, 1:4:2] transposed: elements 13, 15, 17, 19, 21, 23 read in the order 13 17 21 15 19 23.
  const Tensor y = reshape(transpose(slice(select(x, 0, 1), 1, 1, 4, 2), 0, 1), {6});
  CHECK(y.to_vector() == Numbers{13, 17, 21, 15, 19, 23});
  Numbers expected(24, 0);
  expected[13] = 1, expected[17] = 2, expected[21] = 3;
  expected[15] = 4, expected[19] = 5, expected[23] = 6;
  CHECK(gradient(y, x) == expected);
  // dy = 1 … 24 in the order (4, 2, 3): the element (0, 0, k) of x became (k, 0, 0).
  const Numbers permuted = gradient(permute(x, {2, 0, 1}), x);
  CHECK(Numbers(permuted.begin(), permuted.begin() + 5) == Numbers{1, 7, 13, 19, 2});
  CHECK(gradient(slice(x, 0, 2), x) == Numbers(24, 0));
}

TEST_CASE("the gradient of a slice can be differentiated again") {
  for (int64_t step : {1, 2}) {
    Tensor x = count_up({5}), dy = count_up({2});
    x.requires_grad_();
    dy.requires_grad_();
    const Tensor dx = grad({slice(x, 0, 1, 1 + 2 * step, step)}, {x}, {dy}, true, true)[0];
    CHECK(gradient(dx, dy) == Numbers{2, 2.0 + static_cast<double>(step)});
  }
}

TEST_CASE("copies through any strides, whole tiles and their edges, at any thread count") {
  const Threads restore;
  const Tensor x = count_up({3, 37, 2, 41}, f32);
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    for (const Shape& order :
         {Shape{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 2, 3, 1}, {3, 2, 1, 0}, {1, 0, 3, 2}}) {
      const Tensor p = permute(x, order);
      CHECK(contiguous_copy(p).to_vector() == p.to_vector());
      const Tensor s = slice(slice(p, 1, 1, {}, 2), -1, 1);
      CHECK(contiguous_copy(s).to_vector() == s.to_vector());
      CHECK(to(s, f64).to_vector() == s.to_vector());
    }
    // More than one block of tiles, in both directions.
    const Tensor t = transpose(count_up({2, 300, 270}), 1, 2);
    CHECK(contiguous_copy(t).to_vector() == t.to_vector());
    for (DType dtype : {f32, f64, i64}) {
      const Tensor wide = transpose(count_up({2, 530, 70}, dtype), 1, 2);
      CHECK(contiguous_copy(wide).to_vector() == wide.to_vector());
    }
  }
}

TEST_CASE("contiguous and to return the tensor itself if there is nothing to do") {
  const Tensor x = count_up({2, 3});
  CHECK(contiguous(x).impl() == x.impl());
  CHECK(to(x, f64).impl() == x.impl());
  CHECK_FALSE(shares_memory(clone(x), x));
  CHECK(contiguous(transpose(x, 0, 1)).is_contiguous());
}

TEST_CASE("to: values are truncated, and the gradient comes back in the old dtype") {
  const double inf = std::numeric_limits<double>::infinity();
  Tensor x = count_up({6});
  const Numbers values = {-1.9, 2.9, inf, -inf, std::nan(""), 0};
  std::copy(values.begin(), values.end(), x.data<double>());
  CHECK(to(x, i64).to_vector<int64_t>() ==
        std::vector<int64_t>{-1, 2, std::numeric_limits<int64_t>::max(),
                             std::numeric_limits<int64_t>::min(), 0, 0});
  CHECK(to(x, boolean).to_vector<bool>() == std::vector<bool>{true, true, true, true, true, false});
  CHECK(to(to(x, boolean), f32).to_vector() == Numbers{1, 1, 1, 1, 1, 0});
  Tensor w = count_up({3}, f32);
  w.requires_grad_();
  const Tensor dw = grad({to(w, f64)}, {w}, {count_up({3})})[0];
  CHECK(dw.dtype() == f32);
  CHECK(dw.to_vector() == Numbers{0, 1, 2});
  CHECK_FALSE(to(w, i64).requires_grad());
}

TEST_CASE("cat and stack: values, gradients, and what does not fit") {
  Tensor a = count_up({2, 1}), b = count_up({2, 2});
  a.requires_grad_();
  b.requires_grad_();
  const Tensor y = cat({a, b}, -1);
  CHECK(y.to_vector() == Numbers{0, 0, 1, 1, 2, 3});
  CHECK(gradient(y, a) == Numbers{1, 4});
  CHECK(gradient(cat({a, b}, 1), b) == Numbers{2, 3, 5, 6});
  CHECK(cat({count_up({0, 2}), b}, 0).to_vector() == b.to_vector());
  CHECK(stack({b, b}, 1).to_vector() == Numbers{0, 1, 0, 1, 2, 3, 2, 3});
  CHECK(gradient(stack({b, b}, -1), b) == Numbers{3, 7, 11, 15});
  CHECK_THROWS_WITH_AS(
      cat({a, b}, 0),
      doctest::Contains("[cat] tensors 0 and 1 have shapes (2, 1) and (2, 2): they may differ "
                        "only in dimension 0"),
      Error);
  CHECK_THROWS_AS(cat({a, count_up({2, 1}, f32)}), Error);
  CHECK_THROWS_AS(cat({}), Error);
  CHECK_THROWS_AS(stack({a, b}), Error);
}

TEST_CASE("split and chunk: the sizes of the pieces") {
  const Tensor x = count_up({7, 2});
  const auto sizes = [](const std::vector<Tensor>& parts) {
    std::vector<int64_t> out;
    for (const Tensor& part : parts) out.push_back(part.size(0));
    return out;
  };
  CHECK(sizes(split(x, 3)) == std::vector<int64_t>{3, 3, 1});
  CHECK(sizes(split(x, std::numeric_limits<int64_t>::max())) == std::vector<int64_t>{7});
  CHECK(sizes(split(x, {2, 0, 5})) == std::vector<int64_t>{2, 0, 5});
  CHECK(sizes(chunk(x, 3)) == std::vector<int64_t>{3, 3, 1});
  CHECK(sizes(chunk(x, 5)) == std::vector<int64_t>{2, 2, 2, 1});
  CHECK(sizes(split(count_up({0, 2}), 3)) == std::vector<int64_t>{0});
  CHECK(split(x, {2, 5})[1].to_vector()[0] == 4);
  CHECK_THROWS_AS(split(x, {2, 4}), Error);
  CHECK_THROWS_AS(split(x, {-1, 8}), Error);
  CHECK_THROWS_AS(split(x, 0), Error);
  CHECK_THROWS_AS(chunk(x, 0), Error);
}

TEST_CASE("pad surrounds, cuts, and its gradient undoes both") {
  Tensor x = count_up({2, 2});
  x.requires_grad_();
  const Tensor y = pad(x, {1, 0, 0, 1}, 9);
  CHECK(y.shape() == Shape{3, 3});
  CHECK(y.to_vector() == Numbers{9, 0, 1, 9, 2, 3, 9, 9, 9});
  CHECK(gradient(y, x) == Numbers{2, 3, 5, 6});
  const Tensor cut = pad(x, {-1, 2}, 9);
  CHECK(cut.to_vector() == Numbers{1, 9, 9, 3, 9, 9});
  CHECK(gradient(cut, x) == Numbers{0, 1, 0, 4});
  CHECK(pad(x, {-3, 3}, 5).to_vector() == Numbers{5, 5, 5, 5});
  CHECK(pad(x, {3, -3}, 5).to_vector() == Numbers{5, 5, 5, 5});
  CHECK(pad(count_up({0, 1}), {0, 0, 1, 1}, 4).to_vector() == Numbers{4, 4});
  CHECK(pad(x, {}).to_vector() == x.to_vector());
  CHECK_THROWS_AS(pad(x, {-3, 0}), Error);
  CHECK_THROWS_AS(pad(x, {1}), Error);
  CHECK_THROWS_AS(pad(x, {1, 1, 1, 1, 1, 1}), Error);
}

TEST_CASE("flip, roll, repeat: values and gradients") {
  Tensor x = count_up({2, 3});
  x.requires_grad_();
  CHECK(flip(x, 1).to_vector() == Numbers{2, 1, 0, 5, 4, 3});
  CHECK(flip(x, {0, -1}).to_vector() == Numbers{5, 4, 3, 2, 1, 0});
  CHECK(flip(count_up({0, 2}), 0).numel() == 0);
  CHECK_THROWS_AS(flip(x, {0, 0}), Error);
  CHECK(gradient(flip(x, 0), x) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(roll(x, 1, 1).to_vector() == Numbers{2, 0, 1, 5, 3, 4});
  CHECK(roll(x, -4, 1).to_vector() == Numbers{1, 2, 0, 4, 5, 3});
  CHECK(roll(count_up({0}), 2, 0).numel() == 0);
  CHECK(gradient(roll(x, 1, 0), x) == Numbers{4, 5, 6, 1, 2, 3});
  CHECK(repeat(count_up({2}), {2, 2}).to_vector() == Numbers{0, 1, 0, 1, 0, 1, 0, 1});
  CHECK(repeat(count_up({2, 1}), {1, 3}).to_vector() == Numbers{0, 0, 0, 1, 1, 1});
  CHECK(repeat(x, {2, 0}).shape() == Shape{4, 0});
  CHECK_FALSE(shares_memory(repeat(x, {1, 1}), x));
  CHECK_FALSE(shares_memory(repeat(count_up({1}), {4}), x));
  CHECK(repeat(count_up({1}), {4}).is_contiguous());
  CHECK_THROWS_AS(repeat(x, {2}), Error);
  CHECK_THROWS_AS(repeat(x, {2, -1}), Error);
  CHECK(gradient(repeat(x, {2, 1}), x) == Numbers{8, 10, 12, 14, 16, 18});
}

TEST_CASE("tril and triu keep their side of any diagonal") {
  Tensor x = count_up({2, 3, 3});
  x.requires_grad_();
  const Numbers y = tril(x).to_vector();
  CHECK(Numbers(y.begin(), y.begin() + 9) == Numbers{0, 0, 0, 3, 4, 0, 6, 7, 8});
  CHECK(Numbers(y.begin() + 9, y.end()) == Numbers{9, 0, 0, 12, 13, 0, 15, 16, 17});
  CHECK(triu(count_up({2, 3}), 1).to_vector() == Numbers{0, 1, 2, 0, 0, 5});
  CHECK(tril(count_up({3, 2}), -1).to_vector() == Numbers{0, 0, 2, 0, 4, 5});
  CHECK(triu(count_up({2, 2}), -9).to_vector() == Numbers{0, 1, 2, 3});
  for (int64_t far : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    CHECK(tril(count_up({2, 2}), far).to_vector() == (far > 0 ? Numbers{0, 1, 2, 3} : Numbers(4)));
    CHECK(triu(count_up({2, 2}), far).to_vector() == (far < 0 ? Numbers{0, 1, 2, 3} : Numbers(4)));
  }
  CHECK(tril(transpose(count_up({2, 2}), 0, 1)).to_vector() == Numbers{0, 0, 1, 3});
  CHECK(tril(count_up({0, 3})).shape() == Shape{0, 3});
  CHECK_THROWS_AS(tril(count_up({3})), Error);
  Tensor square = count_up({2, 2});
  square.requires_grad_();
  CHECK(gradient(triu(square), square) == Numbers{1, 2, 0, 4});
}

TEST_CASE("an empty dimension is split into the requested number of empty chunks") {
  const Tensor x = zeros({2, 0});
  CHECK(chunk(x, 3, 1).size() == 3);
  CHECK(chunk(x, 3, 1)[2].shape() == Shape{2, 0});
  CHECK(split(x, 3, 1).size() == 1);
  CHECK_THROWS_WITH_AS(chunk(x, int64_t{1} << 40, 1), doctest::Contains("[chunk]"), Error);
}

TEST_CASE("huge arguments are refused or handled, and never overflow") {
  constexpr int64_t kHuge = int64_t{1} << 62, kMax = std::numeric_limits<int64_t>::max(),
                    kMin = std::numeric_limits<int64_t>::min();
  Tensor x = count_up({4}).requires_grad_();
  Tensor y = slice(x, 0, 1, {}, kMax);
  CHECK(y.to_vector() == Numbers{1});
  y.backward();
  CHECK(x.grad().to_vector() == Numbers{0, 1, 0, 0});

  CHECK_THROWS_WITH_AS(pad(x, {0, kMax}), doctest::Contains("[pad] padding by"), Error);
  CHECK_THROWS_WITH_AS(pad(x, {kMin, 0}), doctest::Contains("[pad] padding by"), Error);
  CHECK_THROWS_WITH_AS(split(x, {kMax, kMax, 6}, 0), doctest::Contains("[split]"), Error);
  CHECK_THROWS_WITH_AS(repeat(zeros({0, 4}), {1, kHuge}), doctest::Contains("[repeat]"), Error);
  // Empty, but their strides would not fit into 64 bits.
  CHECK_THROWS_WITH_AS(zeros({0, kHuge, kHuge}), doctest::Contains("[empty]"), Error);
  CHECK_THROWS_WITH_AS(reshape(zeros({0}), {0, kHuge, kHuge}), doctest::Contains("[reshape]"),
                       Error);
}

TEST_CASE("pad refuses values that do not fit the dtype, and scalars") {
  CHECK_THROWS_WITH_AS(pad(ones({2}, i64), {1, 1}, 0.5), doctest::Contains("[pad] number 0.5"),
                       Error);
  CHECK_THROWS_WITH_AS(flip(scalar(1), {0}), doctest::Contains("[flip] dimension 0 of a scalar"),
                       Error);
}

TEST_CASE("tensors without elements go through every view and copy") {
  Tensor x = count_up({2, 0, 3});
  x.requires_grad_();
  const std::vector<Tensor> results = {reshape(x, {0, 7}),
                                       permute(x, {2, 1, 0}),
                                       slice(x, 1, 0),
                                       slice(x, 0, 1, {}, 2),
                                       select(x, 0, 1),
                                       cat({x, x}, 1),
                                       clone(x),
                                       flip(x, {0, 1}),
                                       repeat(x, {1, 2, 2}),
                                       roll(x, 1, 1),
                                       triu(x),
                                       expand(x, {4, 2, 0, 3}),
                                       contiguous(transpose(x, 0, 2))};
  for (const Tensor& y : results) {
    CHECK(y.numel() == 0);
    CHECK(gradient(y, x).empty());
  }
  CHECK(gradient(pad(x, {0, 0, 1, 1}), x).empty());
}

}  // namespace
}  // namespace tarsier
