// softmax and log_softmax: known values, extreme inputs, other dimensions, higher derivatives.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/autograd.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

using Values = std::vector<double>;
using Op = std::function<Tensor(const Tensor&)>;

constexpr double kInf = std::numeric_limits<double>::infinity();

/// d²/dx² in direction: the gradient of Σ (df/dx)·c for a fixed random c.
Tensor second_derivative(const Op& f, const Tensor& start) {
  Tensor x = start.detach();
  x.requires_grad_();
  Generator generator(5);
  const Tensor y = f(x), dy = randn(y.shape(), f64, generator);
  const Tensor dx = grad({y}, {x}, {dy}, false, true)[0];
  return grad({dx}, {x}, {randn(dx.shape(), f64, generator)})[0];
}

TEST_CASE("softmax of known logits") {
  const Tensor x = tensor({{0, std::log(3)}, {1e4, 1e4}, {-1e4, 1e4}}, f64);
  const Values y = softmax(x, 1).to_vector();
  CHECK(y[0] == doctest::Approx(0.25));
  CHECK(y[1] == doctest::Approx(0.75));
  CHECK(y[2] == 0.5);
  CHECK(y[4] == 0);
  CHECK(y[5] == 1);
  CHECK(log_softmax(x, 1).to_vector()[4] == -2e4);  // where log(softmax) would be −∞
}

TEST_CASE("softmax works along every dimension of any strides") {
  Generator generator(3);
  const Tensor x = randn({4, 5, 6}, f64, generator);
  for (const Tensor& view : {x, permute(x, {2, 0, 1}), slice(x, 2, 0, {}, 2)})
    for (int64_t dim : {0, 1, 2, -1, -3}) {
      const Tensor y = softmax(view, dim);
      CHECK(y.shape() == view.shape());
      CHECK(allclose(y, softmax_reference(contiguous(view), dim), 1e-13, 1e-15));
      CHECK(allclose(sum(y, dim), ones_like(sum(y, dim)), 1e-13, 0));
      CHECK(allclose(exp(log_softmax(view, dim)), y, 1e-13, 1e-15));
    }
}

TEST_CASE("a row of only −∞ gives NaN; −∞ next to other logits gives zeros") {
  const Tensor x = tensor({{-kInf, -kInf}, {0, -kInf}}, f64);
  const Values y = softmax(x, -1).to_vector();
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == 1);
  CHECK(y[3] == 0);
}

TEST_CASE("second derivatives of the fused forms are those of the reference forms") {
  Generator generator(4);
  const Tensor x = randn({3, 4, 5}, f64, generator);
  for (int64_t dim : {0, 1, 2}) {
    CHECK(allclose(second_derivative([=](const Tensor& x) { return softmax(x, dim); }, x),
                   second_derivative([=](const Tensor& x) { return softmax_reference(x, dim); }, x),
                   1e-10, 1e-12));
    CHECK(allclose(
        second_derivative([=](const Tensor& x) { return log_softmax(x, dim); }, x),
        second_derivative([=](const Tensor& x) { return log_softmax_reference(x, dim); }, x), 1e-10,
        1e-12));
  }
}

TEST_CASE("errors of softmax") {
  CHECK_THROWS_WITH_AS(
      softmax(zeros({2, 3}), 2),
      doctest::Contains("[softmax] dimension 2 of a tensor with 2 dimensions: use -2 to 1"), Error);
  CHECK_THROWS_WITH_AS(
      log_softmax(zeros({2}, i64), 0),
      doctest::Contains(
          "[log_softmax] dtype i64 where f32 or f64 is needed: convert with to(x, f32)"),
      Error);
  CHECK(softmax(zeros({0, 3}), 1).shape() == Shape{0, 3});
  CHECK(softmax(zeros({3, 0}), 1).shape() == Shape{3, 0});
}

TEST_CASE("softmax along columns is that of the reference form, and so is its gradient") {
  Generator generator(7);
  const Tensor x = randn({3, 4, 5, 20}, f64, generator).requires_grad_();
  const Tensor dy = randn(x.shape(), f64, generator);
  for (int64_t dim : {0, 1, 2}) {
    const Tensor y = softmax(x, dim), want = softmax_reference(x, dim);
    CHECK(allclose(y, want, 1e-13, 1e-15));
    CHECK(allclose(grad({y}, {x}, {dy})[0], grad({want}, {x}, {dy})[0], 1e-12, 1e-14));
    const Tensor log_y = log_softmax(x, dim), log_want = log_softmax_reference(x, dim);
    CHECK(allclose(log_y, log_want, 1e-13, 1e-15));
    CHECK(allclose(grad({log_y}, {x}, {dy})[0], grad({log_want}, {x}, {dy})[0], 1e-12, 1e-13));
  }
}

TEST_CASE("softmax and its gradient have the same bits on any number of threads") {
  Threads restore;
  Generator generator(6);
  const Tensor start = randn({300, 165}, f32, generator), dy = randn({300, 165}, f32, generator);
  for (int64_t dim : {0, 1}) {
    std::vector<Values> results;
    for (int threads : {1, 2, 3}) {
      set_num_threads(threads);
      Tensor x = start.detach();
      x.requires_grad_();
      const Tensor y = softmax(dim == 0 ? cat({x, x, x}, 1) : x, dim);
      y.backward(dim == 0 ? cat({dy, dy, dy}, 1) : dy);
      Values both = y.to_vector();
      for (double v : x.grad().to_vector()) both.push_back(v);
      results.push_back(both);
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  }
}

}  // namespace
