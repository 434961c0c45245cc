// Adaptive computation time: compared with loops, its gradient, and errors.
#include "nn/layers/adaptive_computation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "nn/nn.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

Tensor grown(const Tensor& x, int64_t n) { return tanh(x * 1.3 + 0.2 * static_cast<double>(n)); }

/// Graves' definition for one position with C numbers.
struct Expected {
  std::vector<double> output;
  double ponder = 0, steps = 0;

  Expected(std::vector<double> x, const std::vector<double>& w, double b, int64_t most,
           double epsilon)
      : output(x.size()) {
    double sum = 0;
    for (int64_t n = 0; n < most; ++n) {
      double score = b;
      for (size_t c = 0; c < x.size(); ++c) {
        x[c] = std::tanh(1.3 * x[c] + 0.2 * static_cast<double>(n));
        score += w[c] * x[c];
      }
      const double h = 1 / (1 + std::exp(-score));
      const bool ends = n + 1 == most || sum + h >= 1 - epsilon;
      const double share = ends ? 1 - sum : h;
      for (size_t c = 0; c < x.size(); ++c) output[c] += share * x[c];
      ++steps;
      sum += share;
      if (!ends) continue;
      ponder = steps + share;
      return;
    }
  }
};

TEST_CASE("adaptive computation halts each position as Graves defines it") {
  Generator generator(1);
  for (const int64_t most : {1, 2, 5}) {
    CAPTURE(most);
    nn::AdaptiveComputation layer(3, most, {.epsilon = 0.05});
    layer.to(f64);
    nn::normal_(layer.halt.weight, 0, 2, generator);
    const Tensor x = randn({2, 4, 3}, f64, generator);
    const nn::ComputationResult result = layer(x, grown);
    const std::vector<double> w = layer.halt.weight.to_vector(), in = x.to_vector(),
                              out = result.output.to_vector(), ponder = result.ponder.to_vector(),
                              steps = result.steps.to_vector();
    CHECK(result.ponder.shape() == Shape{2, 4});
    for (size_t i = 0; i < 8; ++i) {
      const Expected expected({in[3 * i], in[3 * i + 1], in[3 * i + 2]}, w, 0, most, 0.05);
      CHECK(steps[i] == expected.steps);
      CHECK(ponder[i] == doctest::Approx(expected.ponder).epsilon(1e-12));
      for (size_t c = 0; c < 3; ++c)
        CHECK(out[3 * i + c] == doctest::Approx(expected.output[c]).epsilon(1e-12));
    }
  }
}

TEST_CASE("adaptive computation: the gradient, and that ponder falls by halting earlier") {
  Generator generator(2);
  nn::AdaptiveComputation layer(3, 4);
  layer.to(f64);
  nn::normal_(layer.halt.weight, 0, 1, generator);
  const Tensor x = randn({2, 3, 3}, f64, generator).requires_grad_();
  std::vector<Tensor> inputs = layer.parameters();
  inputs.push_back(x);
  CHECK_NOTHROW(gradcheck(
      [&](const std::vector<Tensor>&) {
        const nn::ComputationResult result = layer(x, grown);
        return sum(square(result.output)) + sum(result.ponder);
      },
      inputs));
  CHECK_FALSE(layer(x, grown).steps.requires_grad());
  layer.zero_grad();
  sum(layer(x, grown).ponder).backward();
  CHECK(layer.halt.bias.grad().item() < 0);  // a larger bias, an earlier halt, less ponder
}

TEST_CASE(
    "adaptive computation stops when all have halted, and halted positions keep their state") {
  nn::AdaptiveComputation layer(2, 9, {.bias = 8});  // halts at once
  int64_t calls = 0;
  const Tensor x = ones({3, 2});
  const nn::ComputationResult result = layer(x, [&](const Tensor& state, int64_t n) {
    calls = n + 1;
    return state * 2;
  });
  CHECK(calls <= 2);
  CHECK(allclose(result.output, x * 2, 1e-2));

  // One position halts after the first step; the other sees its state in the second.
  nn::AdaptiveComputation two(1, 3);
  nn::constant_(two.halt.weight, 1);
  std::vector<Tensor> seen;
  two(reshape(tensor({9.0, -9.0}), {2, 1}), [&](const Tensor& state, int64_t) {
    seen.push_back(state);
    return state - 0.5;
  });
  REQUIRE(seen.size() == 3);
  CHECK(seen[1].to_vector() == std::vector<double>{8.5, -9.5});
  CHECK(seen[2].to_vector() == std::vector<double>{8.5, -10});
}

TEST_CASE("adaptive computation refuses sizes that do not fit, and names them") {
  check_error("embed_dim 3 and max_steps 0 must be positive",
              [] { nn::AdaptiveComputation(3, 0); });
  check_error("epsilon 1 must be at least 0 and below 1",
              [] { nn::AdaptiveComputation(3, 2, {.epsilon = 1}); });
  check_error("step 0 makes (2, 2) of (2, 3): expected the same shape", [] {
    nn::AdaptiveComputation layer(3, 2);
    layer(ones({2, 3}), [](const Tensor& x, int64_t) { return slice(x, 1, 0, 2); });
  });
}

}  // namespace
}  // namespace tarsier
