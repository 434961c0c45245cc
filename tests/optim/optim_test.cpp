// Optimisers, schedules and clipping compared with PyTorch, and their errors.
#include "optim/optim.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "tests/nn/golden.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

using optim::Adam, optim::AdamW, optim::SGD;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The steps whose weights the golden file has.
constexpr int kNoted[] = {0, 1, 2, 3, 9, 49, 99};

/// Trains w and b on the recorded gradients as make_golden.py does; saves and restores the
/// optimiser's state on the way.
template <class Options, class Make>
void check_trajectory(const std::string& name, const Options& first, const Options& second,
                      Make make) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    const TensorDict numbers = golden("optim.safetensors", "", dtype);
    Tensor w = clone(numbers["start.w"]).requires_grad_();
    Tensor b = clone(numbers["start.b"]).requires_grad_();
    const std::vector<optim::ParameterGroup<Options>> groups = {{{{"w", w}}, first},
                                                                {{{"b", b}}, second}};
    std::unique_ptr<optim::Optimizer> optimizer = make(groups);
    const std::vector<double> schedule = golden("optim.safetensors", "")["schedule"].to_vector();
    int noted = 0;
    for (int step = 0; step < 100; ++step) {
      CAPTURE(step);
      optimizer->set_lr(0, schedule[static_cast<size_t>(step)]);
      w.set_grad(clone(select(numbers["grad.w"], 0, step)));
      b.set_grad(step % 3 == 2 ? Tensor() : clone(select(numbers["grad.b"], 0, step)));
      optimizer->step();
      if (step == kNoted[noted]) {
        check_close("w", w.detach(), select(numbers[name + ".w"], 0, noted));
        check_close("b", b.detach(), select(numbers[name + ".b"], 0, noted));
        ++noted;
      }
      if (step == 42) {
        const TensorDict state = optimizer->state_dict();
        optimizer = make(groups);
        optimizer->load_state_dict(state);
      }
    }
  }
}

TEST_CASE("optimisers follow PyTorch's over 100 steps, across a save and a restore") {
  const auto adamw = [](const auto& groups) { return std::make_unique<AdamW>(groups); };
  check_trajectory<optim::AdamWOptions>("adamw", {.betas = {0.9, 0.95}, .weight_decay = 0.1},
                                        {.lr = 0.02, .betas = {0.9, 0.95}, .weight_decay = 0},
                                        adamw);
  check_trajectory<optim::AdamWOptions>("adamw_defaults", {}, {}, adamw);
  check_trajectory<optim::AdamOptions>(
      "adam", {.eps = 1e-6, .weight_decay = 0.1}, {.lr = 0.02, .eps = 1e-6, .weight_decay = 0.1},
      [](const auto& groups) { return std::make_unique<Adam>(groups); });
  const auto sgd = [](const auto& groups) { return std::make_unique<SGD>(groups); };
  check_trajectory<optim::SGDOptions>("sgd", {.lr = 0.03}, {.lr = 0.03}, sgd);
  const optim::SGDOptions momentum{
      .lr = 0.03, .momentum = 0.9, .dampening = 0.2, .weight_decay = 0.1};
  check_trajectory<optim::SGDOptions>("sgd_momentum", momentum, momentum, sgd);
  const optim::SGDOptions nesterov{.lr = 0.03, .momentum = 0.8, .nesterov = true};
  check_trajectory<optim::SGDOptions>("sgd_nesterov", nesterov, nesterov, sgd);
}

TEST_CASE("a step gives the same bits at any number of threads, wherever an element is") {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    const Threads restore;
    set_num_threads(threads);
    Generator generator(7);
    TensorDict parameters;
    for (const int64_t size : {3, 100001, 1, 17, 40000}) {
      Tensor p = randn({size}, f32, generator).requires_grad_();
      p.set_grad(randn({size}, f32, generator));
      parameters.add(std::to_string(size), p);
    }
    AdamW optimizer(parameters);
    for (int step = 0; step < 3; ++step) optimizer.step();
    results.emplace_back();
    for (const auto& [name, p] : parameters)
      for (const float value : p.to_vector<float>()) results.back().push_back(value);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("optimisers skip parameters without gradient, and refuse what they cannot train") {
  Tensor w = tensor({1, 2, 3}).requires_grad_(), b = tensor({4}).requires_grad_();
  AdamW optimizer({{"w", w}, {"b", b}});
  w.set_grad(ones({3}));
  optimizer.step();
  CHECK(b.item() == 4);
  CHECK(w.to_vector()[0] < 1);
  CHECK(optimizer.state_dict().size() == 3);  // nothing of b
  optimizer.zero_grad();
  CHECK_FALSE(w.grad().defined());

  CHECK_THROWS_WITH_AS(AdamW{TensorDict()}, "[adamw] no parameters to train", Error);
  CHECK_THROWS_WITH_AS(AdamW({{"w", w}, {"again", w}}), doctest::Contains("the same tensor as 'w'"),
                       Error);
  CHECK_THROWS_AS(SGD({{"w", tensor({1}, i64)}}), Error);
  CHECK_THROWS_AS(SGD({{"w", w * 2}}), Error);
  const Tensor columns = transpose(randn({3, 4}), 0, 1);
  CHECK_THROWS_WITH_AS(SGD({{"w", columns}}), doctest::Contains("not contiguous"), Error);
  const TensorDict p{{"w", w}};
  for (const double bad : {-1.0, kNaN, static_cast<double>(INFINITY)}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(AdamW(p, {.lr = bad}), Error);
    CHECK_THROWS_AS(AdamW(p, {.eps = bad}), Error);
    CHECK_THROWS_AS(AdamW(p, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(AdamW(p, {.betas = {bad, 0.9}}), Error);
    CHECK_THROWS_AS(Adam(p, {.betas = {0.9, bad}}), Error);
    CHECK_THROWS_AS(SGD(p, {.momentum = bad}), Error);
    CHECK_THROWS_AS(optimizer.set_lr(bad), Error);
  }
  CHECK_THROWS_AS(AdamW(p, {.betas = {1, 0.9}}), Error);
  CHECK_THROWS_AS(SGD(p, {.nesterov = true}), Error);
  CHECK_THROWS_AS(optimizer.set_lr(1, 0.1), Error);
  CHECK_THROWS_AS(optimizer.lr(-1), Error);
}

TEST_CASE("schedules scale the rate of each group, and cannot overwrite their difference") {
  Tensor w = tensor({1}).requires_grad_(), b = tensor({1}).requires_grad_();
  AdamW optimizer({{{{"w", w}}, {.lr = 1e-4}}, {{{"b", b}}, {.lr = 1e-3}}});
  CHECK_THROWS_WITH_AS(
      optimizer.set_lr(0.5),
      "[adamw] set_lr(0.5) would set one rate for all groups, but their options say "
      "0.0001 and 0.001: scale_lr(factor) multiplies each group's own, with a "
      "schedule whose lr is 1; set_lr(group, lr) sets one",
      Error);
  const optim::Schedule factor = optim::linear_lr(1, 0.5, 1, 2);
  for (int64_t step = 0; step < 4; ++step) {
    optimizer.scale_lr(factor(step));  // relative to the initial rate, not to the last
    CHECK(optimizer.lr(0) == 1e-4 * factor(step));
    CHECK(optimizer.lr(1) == 1e-3 * factor(step));
  }
  optimizer.set_lr(1, 0.25);
  CHECK(optimizer.lr(1) == 0.25);
  CHECK(optimizer.initial_lr(1) == 1e-3);
  for (const double bad : {-1.0, kNaN, static_cast<double>(INFINITY)})
    CHECK_THROWS_AS(optimizer.scale_lr(bad), Error);
  CHECK_THROWS_AS(optimizer.initial_lr(2), Error);
  // If all options have one rate, set_lr may change it.
  AdamW even({{{{"w", w}}, {.lr = 0.1}}, {{{"b", b}}, {.lr = 0.1, .weight_decay = 0}}});
  even.set_lr(0.5);
  CHECK(even.lr(1) == 0.5);
}

TEST_CASE("names of two models that clash get prefixes") {
  Tensor w = tensor({1}).requires_grad_(), b = tensor({1}).requires_grad_();
  const TensorDict encoder{{"weight", w}}, decoder{{"weight", b}};
  CHECK_THROWS_WITH_AS(AdamW({{encoder, {}}, {decoder, {}}}),
                       "[adamw] two parameters have the name 'weight': give those of each model "
                       "names of their own, as prefixed(\"encoder.\", encoder.named_parameters()) "
                       "does",
                       Error);
  TensorDict all = prefixed("encoder.", encoder);
  all.add(prefixed("decoder.", decoder));
  AdamW optimizer(all);
  for (Tensor* p : {&w, &b}) p->set_grad(ones({1}));
  optimizer.step();
  CHECK(optimizer.state_dict().contains("encoder.weight.exp_avg"));
  CHECK(optimizer.state_dict().contains("decoder.weight.exp_avg"));
  CHECK_THROWS_AS(all.add(prefixed("decoder.", decoder)), Error);
}

/// The largest relative error of what an f32 optimiser adds to its weights in `steps` steps,
/// relative to the same in f64.
template <class O, class Options>
double error_of_f32(const Options& options, int steps) {
  std::vector<Tensor> moved;
  for (const DType dtype : {f32, f64}) {
    Tensor w = zeros({4, 2}, dtype).requires_grad_();
    O optimizer({{"w", w}}, options);
    for (int step = 0; step < steps; ++step) {
      const double size = 1 + 0.5 * std::sin(step);
      w.set_grad(reshape(linspace(-2, 1, 8, dtype), {4, 2}) * size);
      optimizer.step();
    }
    moved.push_back(to(w.detach(), f64));
  }
  return max(abs(moved[0] / moved[1] - 1)).item();
}

TEST_CASE("constants near 1 are as exact in f32 as in f64") {
  // Of β = 0.99999 a float keeps 1 − β to three digits: Adam's first step was off by 6.8e-4.
  const double most = 3e-6;
  for (const int steps : {1, 2, 300}) {
    CAPTURE(steps);
    CHECK(error_of_f32<Adam>(optim::AdamOptions{.betas = {0.9, 0.99999}}, steps) < most);
    CHECK(error_of_f32<AdamW>(optim::AdamWOptions{.betas = {0.99999, 0.9}}, steps) < most);
    CHECK(error_of_f32<SGD>(optim::SGDOptions{.momentum = 0.99999, .dampening = 0.99999}, steps) <
          most);
    CHECK(error_of_f32<optim::RMSprop>(optim::RMSpropOptions{.alpha = 0.99999}, steps) < most);
    CHECK(error_of_f32<optim::Muon>(optim::MuonOptions{.momentum = 0.99999}, steps) < 1e-3);
  }
  // Long after the beginning β itself must be right: with 1 − β and a rounded β the mean of squares
  // would be off by 1.3e-4.
  std::vector<double> squares[2];
  for (const DType dtype : {f32, f64}) {
    Generator generator(3);
    Tensor w = zeros({64}, dtype).requires_grad_();
    Adam adam({{"w", w}}, {.betas = {0.9, 0.9999}});
    for (int step = 0; step < 20'000; ++step) {
      w.set_grad(to(rand({64}, f32, generator) - 0.5, dtype));
      adam.step();
    }
    squares[dtype == f64] = adam.state_dict()["w.exp_avg_sq"].to_vector();
  }
  for (size_t i = 0; i < 64; ++i) CHECK(std::abs(squares[0][i] / squares[1][i] - 1) < 2e-5);
}

TEST_CASE("a small weight decay is exact") {
  // lr·weight_decay = 1e-6: as a factor of f32, 1 − 1e-6 is 1 − 1.013e-6. Single weights round,
  // their mean does not.
  const auto shrinks = [](auto make) {
    Generator generator(5);
    Tensor w = (rand({100'000}, f32, generator) + 1).requires_grad_();
    const Tensor before = to(clone(w.detach()), f64);
    w.set_grad(zeros({100'000}));
    make(TensorDict{{"w", w}})->step();
    return mean(1 - to(w.detach(), f64) / before).item() / 1e-6;
  };
  const double adamw = shrinks([](const TensorDict& p) {
    return std::make_unique<AdamW>(p, optim::AdamWOptions{.lr = 1e-4, .weight_decay = 1e-2});
  });
  const double lion = shrinks([](const TensorDict& p) {
    return std::make_unique<optim::Lion>(p, optim::LionOptions{.lr = 1e-4, .weight_decay = 1e-2});
  });
  CHECK(std::abs(adamw - 1) < 3e-3);
  CHECK(std::abs(lion - 1) < 3e-3);
}

TEST_CASE("a step is seen by the version counter: backward over old weights is an error") {
  Tensor w = tensor({2}).requires_grad_();
  const Tensor y = square(w);
  SGD optimizer({{"w", w}});
  w.set_grad(ones({1}));
  optimizer.step();
  CHECK_THROWS_WITH_AS(y.backward(ones({1})), doctest::Contains("sgd"), Error);
}

TEST_CASE("a state that does not fit is refused, with every reason, and nothing is changed") {
  Tensor w = tensor({1, 2}).requires_grad_(), b = tensor({4}).requires_grad_();
  AdamW optimizer({{"w", w}, {"b", b}});
  for (Tensor* p : {&w, &b}) p->set_grad(ones(p->shape()));
  optimizer.step();
  const std::vector<double> before = clone(optimizer.state_dict()["w.exp_avg"]).to_vector();
  const TensorDict wrong{{"w.step", from_vector<int64_t>({0}, {})},
                         {"w.exp_avg", zeros({3})},
                         {"c.step", from_vector<int64_t>({1}, {})}};
  std::string message;
  try {
    optimizer.load_state_dict(wrong);
  } catch (const Error& error) {
    message = error.what();
  }
  for (const char* part : {"w.step is 0", "w.exp_avg is f32 (3,) where f32 (2,) belongs",
                           "w.exp_avg_sq is missing", "c.step does not belong here"}) {
    CAPTURE(message);
    CHECK(message.find(part) != message.npos);
  }
  CHECK(optimizer.state_dict()["w.exp_avg"].to_vector() == before);
  CHECK(optimizer.state_dict()["w.step"].item() == 1);

  // What was loaded is a copy.
  const TensorDict state{{"w.step", from_vector<int64_t>({5}, {})},
                         {"w.exp_avg", zeros({2})},
                         {"w.exp_avg_sq", ones({2})}};
  optimizer.load_state_dict(state);
  CHECK(optimizer.state_dict().size() == 3);
  optimizer.step();
  CHECK(optimizer.state_dict()["w.step"].item() == 6);
  CHECK(state["w.exp_avg"].to_vector() == std::vector<double>{0, 0});
}

TEST_CASE("schedules") {
  const std::vector<double> expected = golden("optim.safetensors", "")["schedule"].to_vector();
  const optim::Schedule cosine =
      optim::warmup_cosine({.lr = 0.1, .min_lr = 0.01, .warmup_steps = 10, .decay_steps = 80});
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(cosine(static_cast<int64_t>(i)) == doctest::Approx(expected[i]).epsilon(1e-14));
  CHECK(optim::constant(0.5)(1000) == 0.5);
  // Highest where both branches meet: (d·warmup)^−½.
  const optim::Schedule noam = optim::inverse_square_root(512, 4000);
  CHECK(noam(3999) == doctest::Approx(1 / std::sqrt(512.0 * 4000)));
  CHECK(noam(1999) == doctest::Approx(noam(3999) / 2));
  CHECK(noam(15999) == doctest::Approx(noam(3999) / 2));

  CHECK_THROWS_AS(optim::constant(-1), Error);
  CHECK_THROWS_AS(optim::constant(kNaN), Error);
  CHECK_THROWS_AS(optim::warmup_cosine({.lr = 0.1, .min_lr = 0.2, .decay_steps = 5}), Error);
  CHECK_THROWS_AS(optim::warmup_cosine({.warmup_steps = 5, .decay_steps = 5}), Error);
  CHECK_THROWS_AS(optim::inverse_square_root(512, 0), Error);
}

TEST_CASE("clipping by norm and by value") {
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden("optim.safetensors", "", dtype);
    const auto parameter = [&](const char* grad) {
      const Tensor g = clone(select(numbers[grad], 0, 0));
      Tensor p = zeros(g.shape(), dtype).requires_grad_();
      p.set_grad(g);
      return p;
    };
    for (const auto& [name, max_norm] : {std::pair("clip_small", 0.5), {"clip_large", 50.0}}) {
      CAPTURE(name);
      const Tensor w = parameter("grad.w"), b = parameter("grad.b"), none = ones({2});
      const double norm = optim::clip_grad_norm_({w, b, none, w}, max_norm);
      CHECK(norm == doctest::Approx(numbers[std::string(name) + ".norm"].item()).epsilon(1e-6));
      check_close("w", w.grad(), numbers[std::string(name) + ".w"]);
      check_close("b", b.grad(), numbers[std::string(name) + ".b"]);
    }
    const Tensor w = parameter("grad.w");
    optim::clip_grad_value_({w}, 0.7);
    check_close("w", w.grad(), numbers["clip_value.w"]);
  }
}

TEST_CASE(
    "the gradient norm: exact, the same at any number of threads, with an optional finiteness "
    "check") {
  Tensor p = zeros({100003}).requires_grad_();
  p.set_grad(full({100003}, 2.0));
  const double expected = 2 * std::sqrt(100003.0);
  const Threads restore;
  Tensor noisy = zeros({100003}).requires_grad_();
  noisy.set_grad(randn({100003}));
  std::vector<double> norms;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    CHECK(optim::clip_grad_norm_({p}, INFINITY) == doctest::Approx(expected).epsilon(1e-7));
    norms.push_back(optim::clip_grad_norm_({noisy}, INFINITY));
  }
  CHECK(norms[0] == norms[1]);
  CHECK(optim::clip_grad_norm_({}, 1) == 0);

  Tensor q = zeros({2}).requires_grad_();
  q.set_grad(tensor({1, kNaN}));
  CHECK(std::isnan(optim::clip_grad_norm_({q}, 1)));
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm_({q}, 1, 2, true), doctest::Contains("nan"), Error);
  CHECK_THROWS_AS(optim::clip_grad_norm_({p}, -1), Error);
  CHECK_THROWS_AS(optim::clip_grad_norm_({p}, kNaN), Error);
  CHECK_THROWS_AS(optim::clip_grad_value_({p}, -1), Error);
}

}  // namespace
}  // namespace tarsier
