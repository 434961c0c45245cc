// Schedules compared with PyTorch's, and their errors.
#include "optim/schedule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "optim/plateau.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using namespace optim;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kFile = "trajectories.safetensors";

TEST_CASE("schedules give PyTorch's learning rates over 100 steps") {
  const std::vector<std::pair<std::string, Schedule>> schedules = {
      {"constant", constant_lr(0.1)},
      {"constant_half", constant_lr(0.1, 0.5, 33)},
      {"linear", linear_lr(0.1)},
      {"linear_down", linear_lr(0.1, 0.9, 0.2, 70)},
      {"step", step_lr(0.1, 15)},
      {"step_half", step_lr(0.1, 7, 0.5)},
      {"multi_step", multi_step_lr(0.1, {30, 12, 30, 80}, 0.3)},
      {"exponential", exponential_lr(0.1, 0.97)},
      {"cosine", cosine_annealing_lr(0.1, 30, 0.01)},
      {"restarts", cosine_annealing_warm_restarts(0.1, 13)},
      {"restarts_longer", cosine_annealing_warm_restarts(0.1, 7, 2, 0.02)},
      {"one_cycle", one_cycle_lr({.max_lr = 0.3, .total_steps = 101})},
      {"one_cycle_linear", one_cycle_lr({.max_lr = 0.3,
                                         .total_steps = 101,
                                         .pct_start = 0.2,
                                         .anneal_strategy = "linear",
                                         .div_factor = 10,
                                         .final_div_factor = 50})},
      {"one_cycle_down", one_cycle_lr({.max_lr = 0.3, .total_steps = 101, .pct_start = 0.005})},
      {"one_cycle_three",
       one_cycle_lr({.max_lr = 0.3, .total_steps = 101, .pct_start = 0.4, .three_phase = true})},
      {"noam", inverse_square_root(64, 20, 2)},
      {"chained",
       chained(0.1, {linear_lr(1, 0.1, 1, 20), exponential_lr(1, 0.98), step_lr(1, 40, 0.5)})},
      {"sequential", sequential({linear_lr(0.1, 0.1, 1, 20), cosine_annealing_lr(0.1, 50, 0.01),
                                 exponential_lr(0.1, 0.9)},
                                {20, 60})},
  };
  const TensorDict numbers = golden(kFile, "schedule.");
  CHECK(numbers.size() == schedules.size());
  for (const auto& [name, schedule] : schedules) {
    const std::vector<double> expected = numbers[name].to_vector();
    for (size_t t = 0; t < expected.size(); ++t) {
      CAPTURE(name);
      CAPTURE(t);
      // PyTorch multiplies from step to step, which accumulates roundings.
      CHECK(std::abs(schedule(static_cast<int64_t>(t)) - expected[t]) <= 1e-13);
    }
  }
}

TEST_CASE("schedules at their ends") {
  const Schedule cycle = one_cycle_lr({.max_lr = 0.3, .total_steps = 10, .pct_start = 0.5});
  CHECK(cycle(4) == 0.3);
  CHECK(cycle(9) == 0.3 / 25 / 1e4);
  CHECK(cycle(1000000) == cycle(9));  // stays
  for (const double pct_start : {0.0, 0.05, 0.1, 1.0}) {
    CAPTURE(pct_start);
    const Schedule odd = one_cycle_lr({.max_lr = 1, .total_steps = 10, .pct_start = pct_start});
    for (int64_t t = 0; t < 12; ++t) CHECK((odd(t) > 0 && odd(t) <= 1));
  }
  CHECK(one_cycle_lr({.max_lr = 1, .total_steps = 1})(0) > 0);
  // Long after: no loop over the steps, and no overflow.
  constexpr int64_t far = std::numeric_limits<int64_t>::max();
  CHECK(cosine_annealing_warm_restarts(1, 1)(far) == 1);
  CHECK(std::isfinite(cosine_annealing_warm_restarts(1, 3, far)(far)));
  CHECK(exponential_lr(1, 0.5)(far) == 0);
  CHECK(linear_lr(2, 0.5, 0.25, 4)(far) == 0.5);
}

TEST_CASE("schedules differ from PyTorch's where their comments say so") {
  // A chain with a cosine is a product in PyTorch as well, up to T_max; from there it is not.
  const Schedule chain = chained(1, {cosine_annealing_lr(1, 4), exponential_lr(1, 0.9)});
  const double theirs[] = {1, 0.7681980515339464, 0.405, 0.10675957825750346, 0};
  for (int64_t t = 0; t < 5; ++t) CHECK(std::abs(chain(t) - theirs[t]) <= 1e-13);
  CHECK(chain(6) == doctest::Approx(0.5 * std::pow(0.9, 6)));  // PyTorch: 0.405, or 0.45
  // In PyTorch restarts overwrite what came before in the chain; here they are a factor.
  const Schedule restarts =
      chained(1, {exponential_lr(1, 0.9), cosine_annealing_warm_restarts(1, 4)});
  CHECK(restarts(4) == doctest::Approx(std::pow(0.9, 4)));  // PyTorch: 1
  // Zero steps with the factor: PyTorch keeps it forever. And a factor of 0 ends.
  CHECK(constant_lr(1, 0.5, 0)(0) == 1);
  CHECK(constant_lr(1, 0, 3)(2) == 0);
  CHECK(constant_lr(1, 0, 3)(3) == 1);
  // PyTorch's would be −0.286 at step 5, and throw at 6.
  const Schedule cycle = one_cycle_lr({.max_lr = 1, .total_steps = 5, .anneal_strategy = "linear"});
  CHECK(cycle(3) == doctest::Approx(0.2857171428571429));
  for (const int64_t t : {4, 5, 6}) CHECK(cycle(t) / 4e-6 == doctest::Approx(1));
}

TEST_CASE("schedules refuse invalid arguments") {
  for (const double bad : {-1.0, kNaN, kInfinity}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(constant(bad), Error);
    CHECK_THROWS_AS(constant_lr(bad), Error);
    CHECK_THROWS_AS(constant_lr(1, bad), Error);
    CHECK_THROWS_AS(linear_lr(bad), Error);
    CHECK_THROWS_AS(linear_lr(1, bad), Error);
    CHECK_THROWS_AS(linear_lr(1, 1, bad), Error);
    CHECK_THROWS_AS(step_lr(bad, 1), Error);
    CHECK_THROWS_AS(step_lr(1, 1, bad), Error);
    CHECK_THROWS_AS(multi_step_lr(bad, {1}), Error);
    CHECK_THROWS_AS(multi_step_lr(1, {1}, bad), Error);
    CHECK_THROWS_AS(exponential_lr(bad, 1), Error);
    CHECK_THROWS_AS(exponential_lr(1, bad), Error);
    CHECK_THROWS_AS(cosine_annealing_lr(bad, 1), Error);
    CHECK_THROWS_AS(cosine_annealing_lr(1, 1, bad), Error);
    CHECK_THROWS_AS(cosine_annealing_warm_restarts(bad, 1), Error);
    CHECK_THROWS_AS(cosine_annealing_warm_restarts(1, 1, 1, bad), Error);
    CHECK_THROWS_AS(one_cycle_lr({.max_lr = bad, .total_steps = 9}), Error);
    CHECK_THROWS_AS(one_cycle_lr({.total_steps = 9, .pct_start = bad}), Error);
    CHECK_THROWS_AS(one_cycle_lr({.total_steps = 9, .div_factor = bad}), Error);
    CHECK_THROWS_AS(one_cycle_lr({.total_steps = 9, .final_div_factor = bad}), Error);
    CHECK_THROWS_AS(chained(bad, {constant(1)}), Error);
    CHECK_THROWS_AS(inverse_square_root(4, 4, bad), Error);
    CHECK_THROWS_AS(warmup_cosine({.lr = bad, .decay_steps = 5}), Error);
    CHECK_THROWS_AS(warmup_linear({.lr = bad, .decay_steps = 5}), Error);
    CHECK_THROWS_AS(warmup_inverse_square_root(bad, 5), Error);
    CHECK_THROWS_AS(warmup_constant(bad, 5), Error);
  }
  CHECK_THROWS_AS(constant_lr(1, 1, -1), Error);
  CHECK_THROWS_AS(linear_lr(1, 0), Error);
  CHECK_THROWS_AS(linear_lr(1, 1, 1, 0), Error);
  CHECK_THROWS_AS(step_lr(1, 0), Error);
  CHECK_THROWS_AS(multi_step_lr(1, {3, -1}), Error);
  CHECK_THROWS_AS(cosine_annealing_lr(1, 0), Error);
  CHECK_THROWS_AS(cosine_annealing_warm_restarts(1, 0), Error);
  CHECK_THROWS_AS(cosine_annealing_warm_restarts(1, 1, 0), Error);
  CHECK_THROWS_AS(one_cycle_lr({}), Error);
  CHECK_THROWS_AS(one_cycle_lr({.total_steps = 9, .anneal_strategy = "cosine"}), Error);
  CHECK_THROWS_AS(one_cycle_lr({.total_steps = 9, .pct_start = 0.6, .three_phase = true}), Error);
  CHECK_THROWS_AS(chained(1, {}), Error);
  CHECK_THROWS_AS(chained(1, {Schedule()}), Error);
  CHECK_THROWS_AS(sequential({}, {}), Error);
  CHECK_THROWS_AS(sequential({Schedule()}, {}), Error);
  CHECK_THROWS_AS(sequential({constant(1), constant(2)}, {}), Error);
  CHECK_THROWS_AS(sequential({constant(1), constant(2)}, {0}), Error);
  CHECK_THROWS_AS(sequential({constant(1), constant(2), constant(3)}, {5, 5}), Error);
  CHECK_THROWS_WITH_AS(step_lr(1, 1)(-1), "[step_lr] step is -1: the first is 0", Error);
  CHECK_THROWS_AS(sequential({constant(1), constant(2)}, {3})(-1), Error);
}

// --------------------------------------------------------------------------------------- plateau

std::vector<std::pair<std::string, PlateauOptions>> plateaus() {
  return {{"defaults", {.lr = 0.1}},
          {"all",
           {.lr = 0.1,
            .factor = 0.5,
            .patience = 3,
            .threshold = 0.05,
            .threshold_mode = "abs",
            .cooldown = 4,
            .min_lr = 0.004,
            .eps = 1e-3}},
          {"max", {.lr = 0.1, .mode = "max", .factor = 0.7, .patience = 2, .threshold = 0.01}},
          {"max_abs",
           {.lr = 0.1, .mode = "max", .patience = 5, .threshold = 0.1, .threshold_mode = "abs"}}};
}

TEST_CASE("a plateau lowers the rate when PyTorch's does, across a save and a restore") {
  const TensorDict numbers = golden(kFile, "plateau.");
  const std::vector<double> metric = numbers["metric"].to_vector();
  for (const auto& [name, options] : plateaus()) {
    const std::vector<double> expected = numbers[name].to_vector();
    for (size_t broken_at = 0; broken_at < metric.size(); ++broken_at) {
      ReduceLROnPlateau plateau(options);
      for (size_t t = 0; t < metric.size(); ++t) {
        CAPTURE(name);
        CAPTURE(t);
        if (t == broken_at) {
          const TensorDict state = plateau.state_dict();
          plateau = ReduceLROnPlateau(options);
          plateau.load_state_dict(state);
        }
        const double rate = plateau.step(options.mode == "max" ? 4 - metric[t] : metric[t]);
        CHECK(std::abs(rate - expected[t]) <= 1e-13);
        CHECK(plateau.lr() == rate);
      }
    }
  }
}

TEST_CASE("a plateau notices that a negative metric does not improve") {
  // PyTorch's best·(1 − threshold) is −0.9999 after −1, so −1 counts as better every time.
  for (const char* mode : {"min", "max"})
    for (const double best : {-1.0, 1.0, -1e6, 0.0}) {
      CAPTURE(mode);
      CAPTURE(best);
      ReduceLROnPlateau plateau({.lr = 1, .mode = mode, .patience = 2});
      for (int i = 0; i < 3; ++i) CHECK(plateau.step(best) == 1);
      CHECK(plateau.step(best) == 0.1);
      const double gain = best == 0 ? 1e-9 : 2e-4 * std::abs(best);
      const double better = std::string(mode) == "min" ? best - gain : best + gain;
      for (int i = 0; i < 3; ++i) CHECK(plateau.step(better) == 0.1);  // the first improves
      CHECK(plateau.step(better) == doctest::Approx(0.01));
    }
  // A little worse at every step, by less than the threshold.
  ReduceLROnPlateau plateau({.lr = 1, .patience = 5});
  double metric = -1;
  for (int i = 0; i < 7; ++i) plateau.step(metric *= 0.99999);
  CHECK(plateau.lr() == 0.1);
}

TEST_CASE("a plateau takes NaN for no progress, and refuses wrong options and states") {
  ReduceLROnPlateau plateau({.lr = 1, .patience = 1});
  plateau.step(5);
  CHECK(plateau.step(kNaN) == 1);
  CHECK(plateau.step(kNaN) == 0.1);

  for (const double bad : {-1.0, kNaN, kInfinity}) {
    CHECK_THROWS_AS(ReduceLROnPlateau({.lr = bad}), Error);
    CHECK_THROWS_AS(ReduceLROnPlateau({.factor = bad}), Error);
    CHECK_THROWS_AS(ReduceLROnPlateau({.threshold = bad}), Error);
    CHECK_THROWS_AS(ReduceLROnPlateau({.min_lr = bad}), Error);
    CHECK_THROWS_AS(ReduceLROnPlateau({.eps = bad}), Error);
  }
  CHECK_THROWS_AS(ReduceLROnPlateau({.factor = 1}), Error);
  CHECK_THROWS_AS(ReduceLROnPlateau({.patience = -1}), Error);
  CHECK_THROWS_AS(ReduceLROnPlateau({.cooldown = -1}), Error);
  CHECK_THROWS_AS(ReduceLROnPlateau({.mode = "least"}), Error);
  CHECK_THROWS_AS(ReduceLROnPlateau({.threshold_mode = "relative"}), Error);

  const auto with = [&](const std::string& changed, const Tensor& value) {
    TensorDict state;
    for (const auto& [name, number] : plateau.state_dict())
      if (name != changed) state.add(name, number);
    if (value.defined()) state.add(changed, value);
    return state;
  };
  CHECK_THROWS_AS(plateau.load_state_dict(with("best", {})), Error);
  CHECK_THROWS_AS(plateau.load_state_dict(with("best", scalar(kNaN, f64))), Error);
  CHECK_THROWS_AS(plateau.load_state_dict(with("lr", scalar(-1, f64))), Error);
  CHECK_THROWS_AS(plateau.load_state_dict(with("lr", scalar(1, f32))), Error);
  CHECK_THROWS_AS(plateau.load_state_dict(with("num_bad_epochs", zeros({2}, i64))), Error);
  CHECK_THROWS_AS(plateau.load_state_dict(with("cooldown_counter", full({}, -1, i64))), Error);
  CHECK(plateau.lr() == 0.1);
}

TEST_CASE("after the warm-up: a cosine, a straight line, the root of the steps, or nothing") {
  const WarmupOptions options{.lr = 1, .min_lr = 0.2, .warmup_steps = 9, .decay_steps = 109};
  const Schedule cosine = warmup_cosine(options), linear = warmup_linear(options),
                 root = warmup_inverse_square_root(1, 9), flat = warmup_constant(1, 9);
  for (const Schedule& schedule : {cosine, linear, root, flat}) {
    for (int64_t t = 0; t < 9; ++t)
      CHECK(schedule(t) == doctest::Approx(static_cast<double>(t + 1) / 10));
    CHECK(schedule(9) == doctest::Approx(1));
    CHECK_THROWS_AS(schedule(-1), Error);
  }
  CHECK(linear(34) == doctest::Approx(0.8));  // a quarter of the way
  CHECK(cosine(34) == doctest::Approx(0.2 + 0.4 * (1 + std::sqrt(0.5))));
  for (const int64_t t : {109, 110, 1000}) {
    CHECK(cosine(t) == 0.2);
    CHECK(linear(t) == doctest::Approx(0.2));
  }
  CHECK(root(89) == doctest::Approx(1.0 / 3));
  CHECK(flat(1000) == 1);
  CHECK_THROWS_AS(warmup_linear({.lr = 0.1, .min_lr = 0.2, .decay_steps = 5}), Error);
  CHECK_THROWS_AS(warmup_linear({.warmup_steps = 5, .decay_steps = 5}), Error);
  CHECK_THROWS_AS(warmup_constant(1, -1), Error);
}

}  // namespace
}  // namespace tarsier
