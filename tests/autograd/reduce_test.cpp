// Reductions and scans: what the registry (tests/ops) does not cover. Known values, NaN, empty
// tensors, error texts, and the same bits on any number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/autograd.h"
#include "tests/error_of.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

using Values = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor vector(const Values& values, DType dtype = f64) {
  return to(from_vector<double>(values, {static_cast<int64_t>(values.size())}), dtype);
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return without_line(error.what());
  }
  return "no error";
}

/// The gradient of Σ f(x)·upstream at x.
Values gradient(const std::function<Tensor(const Tensor&)>& f, const Values& x) {
  Tensor leaf = vector(x);
  leaf.requires_grad_();
  const Tensor y = f(leaf);
  y.backward(ones_like(y));
  return leaf.grad().to_vector();
}

TEST_CASE("sums over every subset of dimensions agree with sums one element at a time") {
  Generator generator(1);
  const Tensor whole = randn({3, 4, 5, 6}, f64, generator);
  const std::vector<Tensor> views = {whole, permute(whole, {3, 1, 0, 2}), slice(whole, 3, 0, {}, 2),
                                     expand(unsqueeze(select(whole, 1, 2), 1), {3, 4, 5, 6}),
                                     transpose(whole, 0, 3)};
  for (const Tensor& x : views)
    for (int subset = 1; subset < 16; ++subset) {
      Axes dims;
      for (int d = 0; d < 4; ++d)
        if (subset >> d & 1) dims.push_back(d % 2 ? d : d - 4);  // negative ones as well
      const Tensor y = sum(x, dims, true);
      std::vector<double> want(static_cast<size_t>(y.numel()), 0);
      const Values all = x.to_vector();
      Shape at = Shape::filled(4, 0);
      for (double value : all) {
        int64_t position = 0;
        for (int d = 0; d < 4; ++d) position = position * y.shape()[d] + at[d] % y.shape()[d];
        want[static_cast<size_t>(position)] += value;
        for (int d = 3; d >= 0 && ++at[d] == x.shape()[d]; --d) at[d] = 0;
      }
      CAPTURE(subset);
      CHECK(allclose(y, from_vector<double>(want, y.shape()), 1e-12, 1e-12));
      CHECK(allclose(sum(x, dims), reshape(y, sum(x, dims).shape()), 0, 0));
      // max and min use the same loops.
      CHECK(allclose(amax(x, dims), amax(contiguous(x), dims), 0, 0));
    }
}

TEST_CASE("known values of the reductions") {
  const Tensor x = tensor({{1, 2, 3}, {4, 6, 8}}, f64);
  CHECK(sum(x).item() == 24);
  CHECK(mean(x, 0).to_vector() == Values{2.5, 4, 5.5});
  CHECK(var(x, 1).to_vector() == Values{1, 4});
  CHECK(var(x, 1, 0).to_vector()[1] == doctest::Approx(8.0 / 3));
  CHECK(stddev(x, 1).to_vector() == Values{1, 2});
  CHECK(prod(x, -1).to_vector() == Values{6, 192});
  CHECK(max(x).item() == 8);
  CHECK(min(x).item() == 1);
  CHECK(norm(vector({3, -4})).item() == 5);
  CHECK(norm(vector({3, -4}), 1).item() == 7);
  CHECK(norm(vector({3, -4}), kInf).item() == 4);
  CHECK(norm(vector({3, -4}), 3).item() == doctest::Approx(std::cbrt(91.0)));
  CHECK(cumsum(x, 1).to_vector() == Values{1, 3, 6, 4, 10, 18});
  CHECK(cumsum(x, 0).to_vector() == Values{1, 2, 3, 5, 8, 11});
  CHECK(logsumexp(x, Axes()).item() == doctest::Approx(8.151672901181795));
}

TEST_CASE("integers and masks are counted exactly") {
  const Tensor x = to(tensor({{1, 2, 3}, {4, 5, 6}}), i64);
  CHECK(sum(x, 0).dtype() == i64);
  CHECK(sum(x, 0).to_vector() == Values{5, 7, 9});
  CHECK(amax(x, 0).to_vector() == Values{4, 5, 6});
  CHECK(amin(x).item<int64_t>() == 1);
  CHECK(prod(x).item<int64_t>() == 720);
  CHECK(cumsum(x, -1).to_vector() == Values{1, 3, 6, 4, 9, 15});
  const int64_t large = (int64_t{1} << 53) + 1;  // not a double
  CHECK(sum(from_vector<int64_t>({large, 1}, {2})).item<int64_t>() == large + 1);
  const Tensor mask = x > 2.0;
  CHECK(sum(mask).dtype() == i64);
  CHECK(sum(mask).item<int64_t>() == 4);
  CHECK(any(mask, 1).to_vector() == Values{1, 1});
  CHECK(all(mask, 1).to_vector() == Values{0, 1});
  CHECK(all(mask, 0).to_vector() == Values{0, 0, 1});
}

TEST_CASE("masks of any length are counted, where bytes would overflow as well") {
  Generator generator(3);
  for (const int64_t n : {1, 7, 8, 9, 2039, 2040, 2041, 4095, 10'003}) {
    const Tensor all_true = full({2, n}, 1, boolean);
    CHECK(sum(all_true, 1).to_vector() == Values(2, static_cast<double>(n)));
    const Tensor wide = rand({2, n}, f32, generator) < 0.4;
    CHECK(sum(wide).item<int64_t>() == sum(to(wide, i64)).item<int64_t>());
    CHECK(sum(wide, 0).to_vector() == sum(to(wide, i64), 0).to_vector());
    CHECK(sum(transpose(wide, 0, 1), 0).to_vector() == sum(to(wide, i64), 1).to_vector());
  }
}

TEST_CASE("dimensions reduced by turns, the last ones long rows") {
  Generator generator(2);
  const Tensor x = randn({3, 2, 4, 3, 20}, f64, generator);
  const Tensor rows = reshape(permute(x, {1, 3, 0, 2, 4}), {2, 3, 240});
  CHECK(allclose(sum(x, {0, 2, 4}), sum(rows, 2), 1e-12, 1e-12));
  CHECK(allclose(var(x, {0, 2, 4}), var(rows, 2), 1e-12, 1e-12));  // from a sum of squares
  CHECK(amax(x, {0, 2, 4}).to_vector() == amax(rows, 2).to_vector());
  CHECK(mean(x, {0, 2, 4}, true).shape() == Shape{1, 2, 1, 3, 1});
}

TEST_CASE("empty reductions give the neutral element or an error that says why not") {
  const Tensor none = zeros({0, 3});
  CHECK(sum(none).item() == 0);
  CHECK(sum(none, 0).to_vector() == Values{0, 0, 0});
  CHECK(prod(none, 0).to_vector() == Values{1, 1, 1});
  CHECK(std::isnan(mean(none).item()));
  CHECK(logsumexp(none, 0).to_vector() == Values{-kInf, -kInf, -kInf});
  CHECK(any(none > 0.0).item<bool>() == false);
  CHECK(all(none > 0.0).item<bool>() == true);
  CHECK(sum(none, 1).shape() == Shape{0});
  CHECK(amax(none, 1).shape() == Shape{0});  // an empty result needs no element
  CHECK(message_of([&] { amax(none, 0); }) ==
        "[amax] a tensor of shape (0, 3) has no elements to choose from");
  CHECK(message_of([&] { argmax(none); }) ==
        "[argmax] a tensor of shape (0, 3) has no elements to choose from");
  CHECK(std::isnan(var(vector({7})).item()));  // no degree of freedom
}

TEST_CASE("errors name the dimension and the fix") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { sum(x, 2); }) ==
        "[sum] dimension 2 of a tensor with 2 dimensions: use -2 to 1");
  CHECK(message_of([&] {
          sum(x, {0, -2});
        }) == "[sum] dimension -2 is named twice in (0, -2) for a tensor of shape (2, 3)");
  CHECK(message_of([&] { mean(to(x, i64)); }) ==
        "[mean] dtype i64 where f32 or f64 is needed: convert with to(x, f32)");
  CHECK(message_of([&] { any(x); }) == "[any] dtype f32 where bool is needed: compare first");
  CHECK(message_of([&] { norm(x, -1); }) ==
        "[norm] p = -1: use 1, 2, another positive number, or infinity");
  CHECK(message_of([&] { cumsum(x, 5); }) ==
        "[cumsum] dimension 5 of a tensor with 2 dimensions: use -2 to 1");
}

TEST_CASE("max and min are NaN if an element is, and the index is that of the first NaN") {
  const Tensor x = vector({1, kNan, 3, kNan});
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(min(x).item()));
  CHECK(argmax(x).item<int64_t>() == 1);
  CHECK(argmin(x).item<int64_t>() == 1);
  CHECK(std::isnan(max(x, 0).values.item()));
  CHECK(std::isnan(logsumexp(x, 0).item()));
}

TEST_CASE("of equal elements the first gives the index and gets the gradient; amax divides it") {
  const Tensor x = vector({2, 5, 5, 1});
  CHECK(argmax(x).item<int64_t>() == 1);
  CHECK(argmin(vector({2, 1, 1})).item<int64_t>() == 1);
  CHECK(gradient([](const Tensor& x) { return max(x, 0).values; }, {2, 5, 5, 1}) ==
        Values{0, 1, 0, 0});
  CHECK(gradient([](const Tensor& x) { return amax(x); }, {2, 5, 5, 1}) == Values{0, 0.5, 0.5, 0});
  const Tensor m = tensor({{1, 9, 3}, {7, 2, 8}});
  CHECK(argmax(m).item<int64_t>() == 1);
  CHECK(argmax(m, 0).to_vector() == Values{1, 0, 1});
  CHECK(argmax(transpose(m, 0, 1), 1, true).shape() == Shape{3, 1});
  CHECK(min(m, 1).values.to_vector() == Values{1, 2});
  CHECK(min(m, 1).indices.to_vector() == Values{0, 1});
}

TEST_CASE("the gradient of a product is right next to zeros") {
  const auto product = [](const Tensor& x) { return prod(x); };
  CHECK(gradient(product, {2, 3, 4}) == Values{12, 8, 6});
  CHECK(gradient(product, {2, 0, 4}) == Values{0, 8, 0});
  CHECK(gradient(product, {2, 0, 0, 4}) == Values{0, 0, 0, 0});
  CHECK(gradient(product, {5}) == Values{1});
  // ∂²/∂x₀∂x₁ of x₀·x₁·x₂·x₃ at (0, 0, 2, 3) is 6, though first derivatives are all 0.
  Tensor x = vector({0, 0, 2, 3});
  x.requires_grad_();
  const Tensor dx = grad({prod(x)}, {x}, {}, false, true)[0];
  CHECK(grad({select(dx, 0, 0)}, {x})[0].to_vector() == Values{0, 6, 0, 0});
}

TEST_CASE("norm and stddev have gradient zero at zero, and no NaN") {
  for (double p : {1.0, 2.0, 3.0, 0.5, kInf})
    CHECK(gradient([p](const Tensor& x) { return norm(x, p); }, {0, 0, 0}) == Values{0, 0, 0});
  CHECK(gradient([](const Tensor& x) { return stddev(x); }, {4, 4, 4}) == Values{0, 0, 0});
  CHECK(gradient([](const Tensor& x) { return norm(x); }, {3, 0, -4}) == Values{0.6, 0, -0.8});
}

TEST_CASE(
    "var with any correction: infinite without degrees of freedom, no overflow for a huge one") {
  const Tensor x = tensor({1, 3}, f64);
  CHECK(var(x, {}, 2).item() == std::numeric_limits<double>::infinity());
  CHECK(var(x, {}, std::numeric_limits<int64_t>::max()).item() ==
        std::numeric_limits<double>::infinity());
  CHECK(var(x, {}, -2).item() == 0.5);
  CHECK(var(x, {}, std::numeric_limits<int64_t>::min()).item() == 2 / 0x1p63);
}

TEST_CASE("var does not cancel far from zero") {
  const Tensor x = to(tensor({{1e4 + 1, 1e4 + 2, 1e4 + 3}}, f64), f32);
  CHECK(var(x).item() == 1);  // Σx² − n·mean² gives about 10 in f32
}

TEST_CASE("logsumexp of logits of 1e4 and of rows of −∞") {
  const Tensor x = tensor({{1e4, 1e4}, {-1e4, -1e4}, {-kInf, -kInf}});
  const Values y = logsumexp(x, 1).to_vector();
  CHECK(y[0] == doctest::Approx(1e4 + std::log(2)));
  CHECK(y[1] == doctest::Approx(-1e4 + std::log(2)));
  CHECK(y[2] == -kInf);
  CHECK(gradient([](const Tensor& x) { return logsumexp(x, 0); }, {-kInf, -kInf}) == Values{0, 0});
}

TEST_CASE("an f32 sum of a million keeps six digits") {
  CHECK(sum(full({1000, 1000}, 0.1)).item() == doctest::Approx(1e5).epsilon(1e-6));
  CHECK(sum(full({1000000, 1}, 0.1), 0).item() == doctest::Approx(1e5).epsilon(1e-6));
  CHECK(cumsum(full({1000000}, 0.1), 0).to_vector().back() == doctest::Approx(1e5).epsilon(1e-6));
}

TEST_CASE("reductions have the same bits on any number of threads") {
  Threads restore;
  Generator generator(2);
  // One long row, one tall matrix, many middle dimensions, and fewer rows than threads.
  const std::vector<std::pair<Tensor, Axes>> problems = {
      {randn({300001}, f32, generator), {}},    {randn({5000, 37}, f32, generator), 0},
      {randn({40, 50, 70}, f32, generator), 1}, {randn({3, 100003}, f32, generator), 1},
      {randn({3, 5000}, f32, generator), 0},    {randn({64, 33, 65}, f32, generator), {0, 2}},
      {randn({2, 40000, 3}, f32, generator), 1}};
  for (const auto& [x, dims] : problems) {
    std::vector<Values> results;
    for (int threads : {1, 2, 3}) {
      set_num_threads(threads);
      Values all;
      for (const Tensor& y : {sum(x, dims), prod(x, dims), amax(x, dims), norm(x, 2, dims),
                              var(x, dims), logsumexp(x, dims), cumsum(x, 0)})
        for (double v : y.to_vector()) all.push_back(v);
      results.push_back(all);
    }
    CAPTURE(x.shape());
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  }
}

TEST_CASE("prod and its gradient are rounded once, even if intermediate products overflow f32") {
  Generator generator(3);
  const Tensor x = rand({64, 60}, f32, generator) + 0.5;
  const Tensor a = x.detach().requires_grad_(), b = to(x.detach(), f64).requires_grad_();
  for (const int64_t dim : {0, 1}) {
    const Tensor y = prod(a, dim), exact = prod(b, dim);
    const auto got = y.to_vector(), expected = exact.to_vector();
    for (size_t i = 0; i < got.size(); ++i) REQUIRE(std::fabs(got[i] / expected[i] - 1) < 6e-8);
    const auto da = grad({sum(y)}, {a})[0].to_vector(), db = grad({sum(exact)}, {b})[0].to_vector();
    for (size_t i = 0; i < da.size(); ++i) REQUIRE(std::fabs(da[i] / db[i] - 1) < 6e-8);
  }
  const Tensor wide = tensor({1e-30, 1e-30, 1e30, 1e30}).requires_grad_();
  const Tensor one = prod(wide);
  CHECK(one.item() == doctest::Approx(1).epsilon(1e-6));
  one.backward();
  CHECK(wide.grad().to_vector()[0] == doctest::Approx(1e30).epsilon(1e-6));
  CHECK(wide.grad().to_vector()[3] == doctest::Approx(1e-30).epsilon(1e-6));
}

TEST_CASE("sums over many rows: the sums of the chunks are added in a tree as well") {
  Generator generator(4);
  const Tensor x = rand({100000, 16}, f32, generator);
  const auto got = sum(x, 0).to_vector(), expected = sum(to(x, f64), 0).to_vector();
  double squares = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = got[i] / expected[i] - 1;
    squares += error * error;
  }
  CHECK(std::sqrt(squares / 16) < 8e-8);  // PyTorch 2.15: 4.3e-8
}

}  // namespace
