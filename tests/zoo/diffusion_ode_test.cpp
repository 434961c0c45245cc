// Differential equations of flows: the order of the steps, and densities that are known exactly.
#include "zoo/diffusion/ode.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "autograd/functional/functional.h"
#include "nn/nn.h"
#include "tests/error_of.h"
#include "zoo/data/digits.h"
#include "zoo/diffusion/examples.h"
#include "zoo/diffusion/generate.h"

namespace tarsier::zoo {
namespace {

using namespace diffusion;

/// log N(x; 0, σ²) of one number.
double log_normal(double x, double sigma) {
  return -0.5 * x * x / (sigma * sigma) - std::log(sigma) - 0.5 * std::log(2 * std::numbers::pi);
}

TEST_CASE("solving: Euler's error shrinks with the step, Heun's with its square") {
  // dx/dt = t · x from x(0) = 2: x(1) = 2·e^{1/2}.
  const Field field = [](const Tensor& x, double t) { return x * t; };
  const auto error = [&](Method method, int64_t steps) {
    const Tensor x = solved(field, full({1, 1}, 2, f64), 0, 1, steps, method);
    return std::abs(x.item() - 2 * std::exp(0.5));
  };
  for (const int64_t steps : {20, 80}) {
    CHECK(error(Method::euler, steps) / error(Method::euler, 2 * steps) ==
          doctest::Approx(2).epsilon(0.05));
    CHECK(error(Method::heun, steps) / error(Method::heun, 2 * steps) ==
          doctest::Approx(4).epsilon(0.05));
  }
  CHECK(error(Method::heun, 20) < error(Method::euler, 40) / 10);  // for the same work
  // And back again.
  const Tensor there = solved(field, full({1, 1}, 2, f64), 0, 1, 100, Method::heun);
  CHECK(solved(field, there, 1, 0, 100, Method::heun).item() == doctest::Approx(2).epsilon(1e-4));
  for (const Method method : {Method::euler, Method::heun})
    check_error("at least 1 is needed", [&] { solved(field, zeros({1, 1}), 0, 1, 0, method); });
}

TEST_CASE("solving shows the points on the way") {
  std::vector<double> times, values;
  solved([](const Tensor& x, double) { return ones(x.shape(), x.dtype()); }, zeros({1, 1}, f64), 0,
         1, 4, Method::euler,
         [&](const Tensor& x, double t) {
           times.push_back(t);
           values.push_back(x.item());
         });
  CHECK(times == std::vector<double>{0, 0.25, 0.5, 0.75, 1});
  CHECK(values == times);
}

TEST_CASE("the density of a flow that stretches each number: a normal distribution's") {
  // dx_i/dt = a_i·x_i carries N(0, 1) to N(0, e^{2a_i}). Random signs give a diagonal's trace
  // without error.
  const Tensor a = tensor({0.7, -1.1, 0.0}, f64);
  const Field field = [&](const Tensor& x, double) { return x * a; };
  Generator generator(1);
  const Tensor x = randn({4, 3}, f64, generator);
  const Tensor got = log_density(field, x, 200, {5, 0});
  CHECK(got.dtype() == f64);
  for (int64_t b = 0; b < 4; ++b) {
    double expected = 0;
    for (int64_t i = 0; i < 3; ++i)
      expected +=
          log_normal(select(select(x, 0, b), 0, i).item(), std::exp(select(a, 0, i).item()));
    CHECK(select(got, 0, b).item() == doctest::Approx(expected).epsilon(1e-4));
  }
  check_error("at least 1 is needed", [&] { log_density(field, x, 0, {}); });
}

TEST_CASE("the density of the flow from noise to a normal distribution, by flow matching") {
  // The best velocity between noise and N(m, s²) is known: with the variance of x_t,
  // V = (1 − t)² + t²s², it is m + (ts² − (1 − t)) / V · (x − tm).
  const double m = 0.4, s = 0.3;
  const Field field = [&](const Tensor& x, double t) {
    const double variance = (1 - t) * (1 - t) + t * t * s * s;
    return (x - t * m) * ((t * s * s - (1 - t)) / variance) + m;
  };
  const Tensor x = tensor({-0.2, 0.4, 0.75}, f64);
  const Tensor got = log_density(field, reshape(x, {3, 1}), 200, {5, 0});
  for (int64_t b = 0; b < 3; ++b)
    CHECK(select(got, 0, b).item() ==
          doctest::Approx(log_normal(select(x, 0, b).item() - m, s)).epsilon(1e-3));
  // And new points of that distribution come from noise.
  Generator generator(2);
  const Tensor drawn = solved(field, randn({4000, 1}, f64, generator), 0, 1, 30, Method::heun);
  CHECK(mean(drawn).item() == doctest::Approx(m).epsilon(0.05));
  CHECK(stddev(drawn).item() == doctest::Approx(s).epsilon(0.05));
}

TEST_CASE("the mean over all signs is the exact trace, and each point has signs of its own") {
  // dx/dt = A·x: tr A = 0.5 + 0.2 = 0.7, whatever t and x, so that log p = log N(x₀) − 0.7.
  const Tensor A = reshape(tensor({0.5, 2.0, -1.0, 0.2}, f64), {2, 2});
  const Field field = [&](const Tensor& x, double) { return matmul(x, transpose(A, 0, 1)); };
  const Tensor x = expand(reshape(tensor({0.3, -0.8}, f64), {1, 2}), {400, 2});
  const Tensor origin = solved(field, slice(x, 0, 0, 1), 1, 0, 400, Method::heun);
  const double exact = -0.5 * sum(square(origin)).item() - std::log(2 * std::numbers::pi) - 0.7;
  const Tensor got = log_density(field, x, 60, {5, 0});
  // The signs agree or differ: ± (2 − 1), each for about half of the points.
  CHECK(mean(got).item() == doctest::Approx(exact).epsilon(0.05));
  const double spread = amax(got).item() - amin(got).item();
  CHECK(spread == doctest::Approx(2).epsilon(0.02));
  CHECK((amax(got).item() + amin(got).item()) / 2 == doctest::Approx(exact).epsilon(1e-3));
  CHECK(log_density(field, slice(x, 0, 3, 5), 60, {5, 3}).to_vector() ==
        slice(got, 0, 3, 5).to_vector());
}

TEST_CASE("the trace of a whole Diffusion Transformer is estimated without bias") {
  Generator generator(3);
  DiffusionTransformer model({.image_size = 2,
                              .channels = 1,
                              .classes = 2,
                              .patch = 1,
                              .reach = 0,
                              .width = 8,
                              .layers = 1,
                              .heads = 2,
                              .mlp_width = 8},
                             generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.3, generator);
  model.to(f64);
  const Field field = guided_field(model, tensor({1}, i64), 1);
  const Tensor x = randn({1, 1, 2, 2}, f64, generator);
  // Points that differ only in their signs, and the exact solution by the full Jacobian.
  constexpr int64_t kSteps = 20, kPoints = 300;
  double trace = 0;
  Tensor point = x;
  const auto time = [](int64_t k) { return 1 - std::pow(static_cast<double>(k) / kSteps, 2); };
  const auto trace_at = [&](const Tensor& at, double t) {
    return sum(diagonal(
                   reshape(jacobian([&](const Tensor& y) { return field(y, t); }, at), {4, 4})))
        .item();
  };
  for (int64_t k = 0; k < kSteps; ++k) {
    const double h = time(k + 1) - time(k);
    const Tensor v = field(point, time(k)).detach(), ahead = point + v * h;
    trace -= h / 2 * (trace_at(point, time(k)) + trace_at(ahead, time(k + 1)));
    point = point + (v + field(ahead, time(k + 1)).detach()) * (h / 2);
  }
  const double exact =
      -0.5 * sum(square(point)).item() - 2 * std::log(2 * std::numbers::pi) - trace;
  const Field many = guided_field(model, full({kPoints}, 1, i64), 1);
  const Tensor got = log_density(many, expand(x, {kPoints, 1, 2, 2}), kSteps, {7, 0});
  const double error = stddev(got).item() / std::sqrt(static_cast<double>(kPoints));
  CHECK(std::abs(mean(got).item() - exact) < 4 * error);
  CHECK(error > 0);
}

TEST_CASE("bits a dimension of a flow that stands still") {
  // A new model's velocity is 0: the density is that of the noise, N(0, 1).
  Generator generator(4);
  DiffusionTransformer model({.image_size = 8, .patch = 4, .width = 8, .layers = 1, .heads = 2},
                             generator);
  Images black;
  for (int i = 0; i < 3; ++i) black.append({1, 8, 8, std::vector<uint8_t>(64, 128)}, i);
  const Bits bits = bits_per_dimension(model, black, 10, 2);
  // Within [0, 1/128) the density is 1/√(2π), to 5 digits.
  const double expected = (std::log(128) + 0.5 * std::log(2 * std::numbers::pi)) / std::log(2);
  CHECK(bits.mean == doctest::Approx(expected).epsilon(1e-4));
  CHECK(bits.error < 1e-4);
}

}  // namespace
}  // namespace tarsier::zoo
