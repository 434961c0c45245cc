// Moving averages of weights.
#include "optim/ema.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"

namespace tarsier {
namespace {

TEST_CASE("the average follows its formula, with a short memory at first") {
  const Tensor w = tensor({1, 2}, f64);
  optim::ExponentialMovingAverage ema({{"w", w}}, 0.15);
  double a = 1, b = 2;
  for (int t = 0; t < 4; ++t) {
    add_(w, 1);
    ema.update();
    const double d = t == 0 ? 0.1 : 0.15;  // (1 + t) / (10 + t) is 0.18 from t = 1 on
    a = d * a + (1 - d) * (2 + t);
    b = d * b + (1 - d) * (3 + t);
  }
  const std::vector<double> average = ema.state_dict()["w"].to_vector();
  CHECK(average[0] == doctest::Approx(a).epsilon(1e-14));
  CHECK(average[1] == doctest::Approx(b).epsilon(1e-14));
  CHECK(w.to_vector() == std::vector<double>{5, 6});
}

TEST_CASE("swapping shows the averages in the model, and swapping back restores the bits") {
  const Tensor w = tensor({0.1, 0.7});
  optim::ExponentialMovingAverage ema({{"w", w}}, 0.9);
  add_(w, 1.3);
  ema.update();
  const std::vector<double> weights = w.to_vector();
  const std::vector<double> average = ema.state_dict()["w"].to_vector();
  ema.swap();
  CHECK(w.to_vector() == average);
  ema.swap();
  CHECK(w.to_vector() == weights);
  CHECK(ema.state_dict()["w"].to_vector() == average);
}

TEST_CASE("a saved average continues to the same bits, and an invalid one is refused") {
  const Tensor w = tensor({0.1, 0.7});
  optim::ExponentialMovingAverage one({{"w", w}}, 0.9), two({{"w", w}}, 0.9);
  for (int i = 0; i < 3; ++i) add_(w, 0.3), one.update();
  two.load_state_dict(one.state_dict());
  add_(w, 0.3);
  one.update();
  two.update();
  CHECK(one.state_dict()["w"].to_vector() == two.state_dict()["w"].to_vector());

  CHECK_THROWS_AS(two.load_state_dict({{"w", w}}), Error);
  CHECK_THROWS_AS(two.load_state_dict({{"ema.updates", zeros({}, i64)}}), Error);
  CHECK_THROWS_AS(two.load_state_dict({{"w", zeros({3})}, {"ema.updates", zeros({}, i64)}}), Error);
  CHECK_THROWS_AS(optim::ExponentialMovingAverage({{"w", w}}, 1), Error);
}

TEST_CASE("the average of constant weights is these weights, to the last bit") {
  Generator generator(3);
  const Tensor w = randn({1000}, f32, generator);
  optim::ExponentialMovingAverage average({{"w", w}}, 0.99);
  for (int i = 0; i < 50; ++i) average.update();
  CHECK(average.state_dict()["w"].to_vector() == w.to_vector());
}

}  // namespace
}  // namespace tarsier
