// Initial values: their distributions, their bounds, and NoInit.
#include "nn/init.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/nn.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

/// Mean and deviation of the elements.
std::pair<double, double> moments(const Tensor& x) {
  return {mean(to(x, f64)).item(), stddev(to(x, f64)).item()};
}

TEST_CASE("initial values have the distributions that they promise") {
  Generator generator(3);
  Tensor x = Tensor::empty({200, 500}).requires_grad_();
  const double noise = 5 / std::sqrt(1e5);  // five deviations of the mean of 10⁵ numbers
  nn::uniform_(x, -1, 3, generator);
  CHECK(min(x).item() >= -1);
  CHECK(max(x).item() <= 3);
  CHECK(std::abs(moments(x).first - 1) < noise * 4 / std::sqrt(12));
  nn::normal_(x, 2, 0.5, generator);
  CHECK(std::abs(moments(x).first - 2) < noise * 0.5);
  CHECK(std::abs(moments(x).second - 0.5) < noise * 0.5);
  nn::xavier_uniform_(x, 2, generator);
  CHECK(std::abs(moments(x).second / (2 * std::sqrt(2.0 / 700)) - 1) < noise);
  nn::xavier_normal_(x, 1, generator);
  CHECK(std::abs(moments(x).second / std::sqrt(2.0 / 700) - 1) < noise);
  nn::kaiming_uniform_(x, 1, "fan_out", "leaky_relu", generator);
  CHECK(max(x).item() <= std::sqrt(3.0 / 200));
  CHECK(std::abs(moments(x).second / std::sqrt(1.0 / 200) - 1) < noise);
  nn::kaiming_normal_(x, 0, "fan_in", "relu", generator);
  CHECK(std::abs(moments(x).second / std::sqrt(2.0 / 500) - 1) < noise);
  CHECK(x.is_leaf());
  CHECK(nn::fan_in_and_fan_out(zeros({8, 3, 5, 5})).in == 75);
  CHECK(nn::fan_in_and_fan_out(zeros({8, 3, 5, 5})).out == 200);

  nn::Linear layer(400, 250);
  CHECK(max(abs(layer.weight)).item() <= 1 / std::sqrt(400.0));
  CHECK(std::abs(moments(layer.weight).second * std::sqrt(3 * 400.0) - 1) < noise);
  CHECK(max(abs(layer.bias)).item() <= 1 / std::sqrt(400.0));
}

TEST_CASE("the truncated normal stays in its bounds and has its moments, in the far tail as well") {
  Tensor x = Tensor::empty({100000}, f64);
  Generator generator(5);
  nn::trunc_normal_(x, 0, 1, -2, 2, generator);
  CHECK(max(abs(x)).item() <= 2);
  // Variance of N(0, 1) cut at ±2: 1 − 4φ(2) / (2Φ(2) − 1).
  CHECK(moments(x).second == doctest::Approx(std::sqrt(0.7737413)).epsilon(0.01));
  nn::trunc_normal_(x, 0, 1, 6, 9, generator);
  CHECK(min(x).item() >= 6);
  CHECK(moments(x).first == doctest::Approx(6.1584).epsilon(1e-3));  // φ(6) / (1 − Φ(6))
  nn::trunc_normal_(x, 1, 2, -100, 100, generator);
  CHECK(std::abs(moments(x).first - 1) < 0.04);
  CHECK(moments(x).second == doctest::Approx(2).epsilon(0.02));
  // It inverts the distribution function: Φ of the result is the number drawn.
  Generator a(6), b(6);
  const std::vector<double> z = nn::trunc_normal_(x, 0, 1, -5, 3, a).to_vector();
  const std::vector<double> u = rand({100000}, f64, b).to_vector();
  const auto cdf = [](double v) { return std::erfc(-v / std::sqrt(2)) / 2; };
  double error = 0;
  for (size_t i = 0; i < z.size(); ++i)
    error = std::max(error, std::abs(cdf(z[i]) - (cdf(-5) + u[i] * (cdf(3) - cdf(-5)))));
  CHECK(error < 1e-14);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 0), Error);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 1, 2, -2), Error);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 1, 60, 70), Error);
}

TEST_CASE("orthogonal matrices are orthogonal, by rows or by columns, in random directions") {
  Generator generator(7);
  for (const Shape& shape : {Shape{5, 5}, Shape{3, 7}, Shape{7, 3}, Shape{4, 3, 2}, Shape{1, 4},
                             Shape{4, 1}, Shape{200, 200}}) {
    CAPTURE(shape);
    const Tensor x = nn::orthogonal_(Tensor::empty(shape, f64), 2, generator);
    const Tensor q = reshape(x, {shape[0], x.numel() / shape[0]});
    const Tensor t = transpose(q, 0, 1);
    const Tensor product = shape[0] <= q.size(1) ? matmul(q, t) : matmul(t, q);
    CHECK(relative_error(product, eye(product.size(0), f64) * 4) < 1e-14);
  }
  // No direction is preferred: over many draws an element has mean 0 and mean square 1/n.
  double total = 0, squares = 0;
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const double element = nn::orthogonal_(Tensor::empty({3, 3}), 1, generator).to_vector()[8];
    total += element, squares += element * element;
  }
  CHECK(std::abs(total / draws) < 5 * std::sqrt(1.0 / 3 / draws));
  // The square of an element is Beta(1/2, 1) distributed: its variance is 4/45.
  CHECK(std::abs(squares / draws - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / draws));

  CHECK_THROWS_AS(nn::orthogonal_(zeros({3})), Error);
  CHECK(nn::orthogonal_(zeros({0, 3})).numel() == 0);
  // float, from the same numbers.
  Generator a(9), b(9);
  CHECK(relative_error(nn::orthogonal_(Tensor::empty({4, 6}), 1, a),
                       to(nn::orthogonal_(Tensor::empty({4, 6}, f64), 1, b), f32)) == 0);
}

TEST_CASE("under NoInit nothing is drawn, and other initialisation still happens") {
  manual_seed(4);
  const uint64_t stream = default_generator().state().stream;
  const Tensor x = full({3, 4}, 7);
  {
    const nn::NoInit guard;
    nn::Linear layer(4, 3);
    nn::MultiheadAttention attention(4, 2);
    CHECK(sum(abs(attention.in_proj_bias)).item() == 0);
    nn::uniform_(x), nn::normal_(x), nn::trunc_normal_(x), nn::orthogonal_(x);
    nn::xavier_uniform_(x), nn::xavier_normal_(x), nn::kaiming_uniform_(x), nn::kaiming_normal_(x);
    CHECK(relative_error(x, full({3, 4}, 7)) == 0);
    CHECK_THROWS_AS(nn::uniform_(x, 1, 0), Error);
    const nn::NoInit inner;
  }
  CHECK(default_generator().state().stream == stream);
  nn::uniform_(x);
  CHECK(max(x).item() < 1);
  CHECK(default_generator().state().stream == stream + 1);
}

TEST_CASE("initialisers refuse invalid arguments, and the same generator gives the same numbers") {
  const Tensor x = Tensor::empty({3, 4}), y = Tensor::empty({3, 4});
  Generator a(9), b(9);
  CHECK(relative_error(nn::normal_(x, 0, 1, a), nn::normal_(y, 0, 1, b)) == 0);
  CHECK(sum(nn::zeros_(x)).item() == 0);
  CHECK(sum(nn::ones_(x)).item() == 12);
  CHECK_THROWS_AS(nn::uniform_(x, 1, 0), Error);
  CHECK_THROWS_AS(nn::normal_(x, 0, -1), Error);
  CHECK_THROWS_AS(nn::xavier_uniform_(zeros({3})), Error);
  CHECK_THROWS_AS(nn::kaiming_uniform_(x, 0, "fan"), Error);
  CHECK_THROWS_AS(nn::calculate_gain("swish"), Error);
}

}  // namespace
}  // namespace tarsier
