// Properties of optimisers apart from PyTorch's numbers, and their errors.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "autograd/ops.h"
#include "optim/optim.h"

namespace tarsier {
namespace {

using namespace optim;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("k small batches of loss/k make the gradient, and the steps, of one large batch") {
  Generator generator(3);
  const Tensor x = randn({12, 5}, f64, generator), y = randn({12, 2}, f64, generator);
  const Tensor start = randn({2, 5}, f64, generator);
  std::vector<std::vector<double>> weights;
  for (const int64_t k : {1, 3}) {
    Tensor w = clone(start).requires_grad_();
    AdamW optimizer({{"w", w}}, {.lr = 0.1});
    for (int step = 0; step < 5; ++step) {
      optimizer.zero_grad();
      for (int64_t i = 0; i < k; ++i) {
        const int64_t size = 12 / k;
        const Tensor xi = slice(x, 0, i * size, (i + 1) * size);
        const Tensor yi = slice(y, 0, i * size, (i + 1) * size);
        (mean(square(linear(xi, w) - yi)) / static_cast<double>(k)).backward();
      }
      clip_grad_norm_({w}, 1.0);
      optimizer.step();
    }
    weights.push_back(w.to_vector());
  }
  for (size_t i = 0; i < weights[0].size(); ++i)
    CHECK(std::abs(weights[0][i] - weights[1][i]) < 1e-10);
}

TEST_CASE("to maximize is to minimize the negative") {
  const auto weights = [](auto make, double sign) {
    Tensor w = tensor({{0.3, -0.7}, {1.1, 0.2}}, f64).requires_grad_();
    const auto optimizer = make(TensorDict{{"w", w}}, sign < 0);
    for (int step = 0; step < 3; ++step) {
      w.set_grad(sign * tensor({{0.5, -0.1}, {-0.2, 1.0 + step}}, f64));
      optimizer->step();
    }
    return w.to_vector();
  };
  const auto check_both = [&](auto make) { CHECK(weights(make, 1) == weights(make, -1)); };
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<SGD>(p, SGDOptions{.momentum = 0.9, .maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<Adam>(p, AdamOptions{.weight_decay = 0.1, .maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<AdamW>(p, AdamWOptions{.maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<Adagrad>(p, AdagradOptions{.weight_decay = 0.1, .maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<RMSprop>(p, RMSpropOptions{.centered = true, .maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<Lion>(p, LionOptions{.weight_decay = 0.1, .maximize = max});
  });
  check_both([](const TensorDict& p, bool max) {
    return std::make_unique<Adafactor>(p, AdafactorOptions{.weight_decay = 0.1, .maximize = max});
  });
}

TEST_CASE("Muon's steps are orthogonal where its polynomial converges") {
  for (const Shape& shape : {Shape{3, 7}, {7, 3}, {4, 4}}) {
    CAPTURE(shape);
    Generator generator(5);
    Tensor w = zeros(shape, f64).requires_grad_();
    // 1.5x − 0.5x³ converges to singular values 1; Jordan's polynomial only comes near, but faster.
    Muon optimizer({{"w", w}}, {.lr = 1,
                                .weight_decay = 0,
                                .momentum = 0,
                                .ns_coefficients = {1.5, -0.5, 0},
                                .ns_steps = 60});
    w.set_grad(randn(shape, f64, generator));
    optimizer.step();
    const bool tall = shape[0] > shape[1];
    const Tensor step = tall ? transpose(w.detach(), 0, 1) : w.detach();
    const double ratio = tall ? static_cast<double>(shape[0]) / static_cast<double>(shape[1]) : 1;
    CHECK(allclose(matmul(step, transpose(step, 0, 1)), ratio * eye(step.size(0), f64), 0, 1e-12));
    CHECK(sum(w.detach() * w.grad()).item() < 0);  // downhill
  }
}

TEST_CASE("Muon takes matrices, and names other parameters") {
  Tensor w = zeros({2, 3}).requires_grad_(), bias = zeros({3}).requires_grad_();
  CHECK_THROWS_WITH_AS(Muon({{"fc.weight", w}, {"fc.bias", bias}}),
                       "[muon] 'fc.bias' has shape (3,), and Muon is for matrices: give it to "
                       "another optimiser, such as AdamW",
                       Error);
  Muon optimizer({{"w", w}});
  w.set_grad(zeros({2, 3}));
  optimizer.step();  // nothing to orthogonalise: no step, and no division by zero
  CHECK(w.to_vector() == std::vector<double>(6, 0.0));
}

TEST_CASE("Adafactor stores a row and a column of a matrix, and all of a vector") {
  Tensor w = ones({2, 5, 3}).requires_grad_(), b = ones({4}).requires_grad_();
  Tensor s = ones({}).requires_grad_(), empty = zeros({0, 3}).requires_grad_();
  Adafactor optimizer({{"w", w}, {"b", b}, {"s", s}, {"empty", empty}});
  for (Tensor* p : {&w, &b, &s, &empty}) p->set_grad(ones(p->shape()));
  optimizer.step();
  const TensorDict state = optimizer.state_dict();
  CHECK(state["w.row_var"].shape() == Shape{2, 5, 1});
  CHECK(state["w.col_var"].shape() == Shape{2, 1, 3});
  CHECK(state["b.variance"].shape() == Shape{4});
  CHECK(state["s.variance"].shape() == Shape{});
  CHECK_FALSE(state.contains("w.variance"));
  CHECK_THROWS_WITH_AS(
      optimizer.load_state_dict(
          {{"w.step", ones({}, i64)}, {"w.row_var", ones({2, 5, 3})}, {"w.col_var", ones({3})}}),
      doctest::Contains("w.row_var is f32 (2, 5, 3) where f32 (2, 5, 1) belongs"), Error);
}

TEST_CASE("a centred RMSprop handles a constant gradient") {
  // v − a² then goes to 0, and by rounding below it: √ would give NaN.
  Generator generator(11);
  Tensor w = zeros({1000}).requires_grad_();
  const Tensor gradient = randn({1000}, f32, generator);
  RMSprop optimizer({{"w", w}}, {.lr = 1e-6, .alpha = 0.5, .centered = true});
  for (int step = 0; step < 60; ++step) {
    w.set_grad(gradient);
    optimizer.step();
  }
  CHECK(all(isfinite(w.detach())).item() == 1);
}

TEST_CASE("AMSGrad's steps do not grow again when gradients vanish") {
  std::vector<double> steps;
  for (const bool amsgrad : {false, true}) {
    Tensor w = zeros({1}, f64).requires_grad_();
    Adam optimizer({{"w", w}}, {.betas = {0, 0.5}, .amsgrad = amsgrad});
    for (const double g : {100.0, 0.01, 0.01, 0.01, 0.01}) {
      zero_(w.detach());
      w.set_grad(tensor({g}, f64));
      optimizer.step();
    }
    steps.push_back(-w.item());
  }
  CHECK(steps[0] > 3 * steps[1]);
}

TEST_CASE("NaN and values out of range are refused by name, and so is a lack of parameters") {
  Tensor w = zeros({2, 2}).requires_grad_();
  const TensorDict p{{"w", w}}, none;
  CHECK_THROWS_WITH_AS(Lion({{"a", zeros({2})}, {"b", zeros({2})}}),
                       "[lion] none of the 2 parameters requires a gradient, not even 'a': call "
                       "requires_grad_() on those to train",
                       Error);
  CHECK_NOTHROW(Lion({{"frozen", zeros({2})}, {"w", w}}));
  for (const double bad : {-1.0, kNaN, static_cast<double>(INFINITY)}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(Adagrad(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(Adagrad(p, {.lr_decay = bad}), Error);
    CHECK_THROWS_AS(Adagrad(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Adagrad(p, {.initial_accumulator_value = bad}), Error);
    CHECK_THROWS_AS(Adagrad(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(RMSprop(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(RMSprop(p, {.alpha = bad}), Error);
    CHECK_THROWS_AS(RMSprop(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(RMSprop(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(RMSprop(p, {.momentum = bad}), Error);
    CHECK_THROWS_AS(NAdam(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(NAdam(p, {.betas = {bad, 0.9}}), Error);
    CHECK_THROWS_AS(NAdam(p, {.betas = {0.9, bad}}), Error);
    CHECK_THROWS_AS(NAdam(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(NAdam(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(NAdam(p, {.momentum_decay = bad}), Error);
    CHECK_THROWS_AS(RAdam(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(RAdam(p, {.betas = {bad, 0.9}}), Error);
    CHECK_THROWS_AS(RAdam(p, {.betas = {0.9, bad}}), Error);
    CHECK_THROWS_AS(RAdam(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(RAdam(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Adadelta(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(Adadelta(p, {.rho = bad}), Error);
    CHECK_THROWS_AS(Adadelta(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(Adadelta(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Lion(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(Lion(p, {.betas = {bad, 0.9}}), Error);
    CHECK_THROWS_AS(Lion(p, {.betas = {0.9, bad}}), Error);
    CHECK_THROWS_AS(Lion(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.beta2_decay = -bad}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.eps = {bad, 1}}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.eps = {1, bad}}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.d = bad}), Error);
    CHECK_THROWS_AS(Adafactor(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Muon(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(Muon(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(Muon(p, {.momentum = bad}), Error);
    CHECK_THROWS_AS(Muon(p, {.eps = bad}), Error);
  }
  CHECK_THROWS_AS(Muon(p, {.ns_coefficients = {1, kNaN, 1}}), Error);
  CHECK_THROWS_AS(Muon(p, {.ns_steps = -1}), Error);
  CHECK_THROWS_AS(Muon(p, {.ns_steps = 100}), Error);
  CHECK_THROWS_AS(Muon(p, {.adjust_lr_fn = "none"}), Error);
  CHECK_THROWS_AS(Adafactor(p, {.d = 0.5}), Error);
  CHECK_THROWS_WITH_AS(RMSprop(p, {.alpha = kNaN}),
                       "[rmsprop] alpha is nan: it must be 0 or more, and less than 1", Error);
  CHECK_NOTHROW(Adadelta(p, {.rho = 1}));
  CHECK_THROWS_AS(Adadelta(p, {.rho = 1.01}), Error);
  for (const auto& check_none : std::vector<std::function<void()>>{
           [&] { NAdam{none}; }, [&] { RAdam{none}; }, [&] { Adadelta{none}; }})
    CHECK_THROWS_WITH_AS(check_none(), doctest::Contains("no parameters to train"), Error);
  CHECK_THROWS_WITH_AS(Adagrad{none}, "[adagrad] no parameters to train", Error);
  CHECK_THROWS_WITH_AS(RMSprop{none}, "[rmsprop] no parameters to train", Error);
  CHECK_THROWS_WITH_AS(Lion{none}, "[lion] no parameters to train", Error);
  CHECK_THROWS_WITH_AS(Adafactor{none}, "[adafactor] no parameters to train", Error);
  CHECK_THROWS_WITH_AS(Muon{none}, "[muon] no parameters to train", Error);
}

}  // namespace
}  // namespace tarsier
