#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/base/error.h"

namespace tarsier::optim {
namespace {

/// The function `rate` of t = 0., 1., … as a schedule, with a check for negative steps.
template <class Rate>
Schedule schedule(const char* name, Rate rate) {
  return [=](int64_t step) {
    check(step >= 0, name, "step is ", step, ": the first is 0");
    return rate(static_cast<double>(step));
  };
}

void check_not_negative(const char* name, const char* what, double value) {
  check(value >= 0 && std::isfinite(value), name, what, " is ", value,
        ": it must be finite and not negative");
}

void check_positive(const char* name, const char* what, double value) {
  check(value > 0 && std::isfinite(value), name, what, " is ", value,
        ": it must be finite and above 0");
}

void check_fraction(const char* name, const char* what, double value) {
  check(value >= 0 && value <= 1, name, what, " is ", value, ": it must be between 0 and 1");
}

/// Half a cosine from `start` at part 0 to `end` at part 1.
double cosine(double start, double end, double part) {
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * part));
}

}  // namespace

// ------------------------------------------------------------------------ constant, linear, steps

Schedule constant(double lr) {
  check_not_negative("constant", "lr", lr);
  return schedule("constant", [=](double) { return lr; });
}

Schedule constant_lr(double lr, double factor, int64_t total_iters) {
  check_not_negative("constant_lr", "lr", lr);
  check_fraction("constant_lr", "factor", factor);
  check_not_negative("constant_lr", "total_iters", static_cast<double>(total_iters));
  return schedule("constant_lr", [lr, factor, total = static_cast<double>(total_iters)](double t) {
    return t < total ? lr * factor : lr;
  });
}

Schedule linear_lr(double lr, double start_factor, double end_factor, int64_t total_iters) {
  check_not_negative("linear_lr", "lr", lr);
  check_positive("linear_lr", "start_factor", start_factor);
  check_fraction("linear_lr", "start_factor", start_factor);
  check_fraction("linear_lr", "end_factor", end_factor);
  check_positive("linear_lr", "total_iters", static_cast<double>(total_iters));
  return schedule("linear_lr", [=](double t) {
    const double part = std::min(t / static_cast<double>(total_iters), 1.0);
    return lr * (start_factor + (end_factor - start_factor) * part);
  });
}

Schedule step_lr(double lr, int64_t step_size, double gamma) {
  check_not_negative("step_lr", "lr", lr);
  check_positive("step_lr", "step_size", static_cast<double>(step_size));
  check_not_negative("step_lr", "gamma", gamma);
  return schedule("step_lr", [=](double t) {
    return lr * std::pow(gamma, std::floor(t / static_cast<double>(step_size)));
  });
}

Schedule multi_step_lr(double lr, std::vector<int64_t> milestones, double gamma) {
  check_not_negative("multi_step_lr", "lr", lr);
  check_not_negative("multi_step_lr", "gamma", gamma);
  for (const int64_t milestone : milestones)
    check_not_negative("multi_step_lr", "a milestone", static_cast<double>(milestone));
  return schedule("multi_step_lr", [=](double t) {
    const auto passed = std::count_if(milestones.begin(), milestones.end(),
                                      [&](int64_t m) { return static_cast<double>(m) <= t; });
    return lr * std::pow(gamma, static_cast<double>(passed));
  });
}

Schedule exponential_lr(double lr, double gamma) {
  check_not_negative("exponential_lr", "lr", lr);
  check_not_negative("exponential_lr", "gamma", gamma);
  return schedule("exponential_lr", [=](double t) { return lr * std::pow(gamma, t); });
}

// --------------------------------------------------------------------------------------- cosines

Schedule cosine_annealing_lr(double lr, int64_t T_max, double eta_min) {
  check_not_negative("cosine_annealing_lr", "lr", lr);
  check_positive("cosine_annealing_lr", "T_max", static_cast<double>(T_max));
  check_not_negative("cosine_annealing_lr", "eta_min", eta_min);
  return schedule("cosine_annealing_lr",
                  [=](double t) { return cosine(lr, eta_min, t / static_cast<double>(T_max)); });
}

Schedule cosine_annealing_warm_restarts(double lr, int64_t T_0, int64_t T_mult, double eta_min) {
  constexpr const char* name = "cosine_annealing_warm_restarts";
  check_not_negative(name, "lr", lr);
  check_positive(name, "T_0", static_cast<double>(T_0));
  check_positive(name, "T_mult", static_cast<double>(T_mult));
  check_not_negative(name, "eta_min", eta_min);
  return schedule(name, [=](double t) {
    double period = static_cast<double>(T_0), s = t;
    if (T_mult == 1) {
      s = std::fmod(t, period);
    } else {
      for (; s >= period; period *= static_cast<double>(T_mult)) s -= period;
    }
    return cosine(lr, eta_min, s / period);
  });
}

Schedule one_cycle_lr(const OneCycleOptions& o) {
  constexpr const char* name = "one_cycle_lr";
  check_not_negative(name, "max_lr", o.max_lr);
  check_positive(name, "total_steps", static_cast<double>(o.total_steps));
  check_fraction(name, "pct_start", o.pct_start);
  check(!o.three_phase || o.pct_start <= 0.5, name, "pct_start is ", o.pct_start,
        ": with three_phase it must not be above 0.5, because the rate falls for as long as it "
        "rises");
  check_positive(name, "div_factor", o.div_factor);
  check_positive(name, "final_div_factor", o.final_div_factor);
  check(o.anneal_strategy == "cos" || o.anneal_strategy == "linear", name, "anneal_strategy is '",
        o.anneal_strategy, "': use 'cos' or 'linear'");

  struct Phase {
    double end;  // the step at which it has reached `to`
    double from, to;
  };
  const double initial = o.max_lr / o.div_factor, last = initial / o.final_div_factor;
  const double top = o.pct_start * static_cast<double>(o.total_steps) - 1;
  const double end = static_cast<double>(o.total_steps - 1);
  std::vector<Phase> phases = {{top, initial, o.max_lr}};
  if (o.three_phase) phases.push_back({2 * top, o.max_lr, initial});
  phases.push_back({end, o.three_phase ? initial : o.max_lr, last});

  return schedule(name, [phases, linear = o.anneal_strategy == "linear"](double t) {
    double start = 0;
    for (const auto& [end, from, to] : phases) {
      if (t < end) {
        const double part = (t - start) / (end - start);
        return linear ? from + (to - from) * part : cosine(from, to, part);
      }
      if (t == end) return to;
      start = end;
    }
    return phases.back().to;
  });
}

// --------------------------------------------------------------------------------- combinations

Schedule chained(double lr, std::vector<Schedule> factors) {
  check_not_negative("chained", "lr", lr);
  check(!factors.empty(), "chained", "no factors");
  for (const Schedule& factor : factors) check(factor != nullptr, "chained", "a factor is empty");
  return [=](int64_t step) {
    double rate = lr;
    for (const Schedule& factor : factors) rate *= factor(step);
    return rate;
  };
}

Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones) {
  check(schedules.size() == milestones.size() + 1, "sequential", schedules.size(),
        " schedules and ", milestones.size(),
        " milestones: there must be one milestone between every two schedules");
  for (const Schedule& part : schedules)
    check(part != nullptr, "sequential", "a schedule is empty");
  for (size_t i = 0; i < milestones.size(); ++i)
    check(milestones[i] > (i == 0 ? 0 : milestones[i - 1]), "sequential", "milestone ",
          milestones[i], " does not come after ", i == 0 ? 0 : milestones[i - 1]);
  return [=](int64_t step) {
    const auto i = static_cast<size_t>(
        std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin());
    return schedules[i](i == 0 ? step : step - milestones[i - 1]);
  };
}

// ------------------------------------------------------------------------------ for Transformers

namespace {

/// Linear up to `lr` in `warmup` steps, then fall(t).
template <class Fall>
Schedule warmed_up(const char* name, double lr, int64_t warmup, Fall fall) {
  return schedule(name, [lr, fall, rise = static_cast<double>(warmup)](double t) {
    return t < rise ? lr * (t + 1) / (rise + 1) : fall(t);
  });
}

/// Warm-up, then fall(r), where r goes from 0 to 1 on the way down.
template <class Fall>
Schedule warmed_up_and_down(const char* name, const WarmupOptions& options, Fall fall) {
  const auto [lr, min_lr, warmup, decay] = options;
  check_not_negative(name, "lr", lr);
  check(min_lr >= 0 && min_lr <= lr, name, "lr is ", lr, " and min_lr ", min_lr,
        ": 0 <= min_lr <= lr must hold");
  check(warmup >= 0 && warmup < decay, name, "warmup_steps is ", warmup, " and decay_steps ", decay,
        ": 0 <= warmup_steps < decay_steps must hold");
  const double rise = static_cast<double>(warmup), end = static_cast<double>(decay);
  return warmed_up(name, lr, warmup,
                   [=](double t) { return fall(std::min((t - rise) / (end - rise), 1.0)); });
}

}  // namespace

Schedule warmup_cosine(const WarmupOptions& options) {
  return warmed_up_and_down(
      "warmup_cosine", options, [lr = options.lr, min_lr = options.min_lr](double r) {
        return min_lr + 0.5 * (1 + std::cos(std::numbers::pi * r)) * (lr - min_lr);
      });
}

Schedule warmup_linear(const WarmupOptions& options) {
  return warmed_up_and_down(
      "warmup_linear", options,
      [lr = options.lr, min_lr = options.min_lr](double r) { return lr + (min_lr - lr) * r; });
}

Schedule warmup_inverse_square_root(double lr, int64_t warmup_steps) {
  check_not_negative("warmup_inverse_square_root", "lr", lr);
  check_not_negative("warmup_inverse_square_root", "warmup_steps",
                     static_cast<double>(warmup_steps));
  return warmed_up("warmup_inverse_square_root", lr, warmup_steps, [=](double t) {
    return lr * std::sqrt(static_cast<double>(warmup_steps + 1) / (t + 1));
  });
}

Schedule warmup_constant(double lr, int64_t warmup_steps) {
  check_not_negative("warmup_constant", "lr", lr);
  check_not_negative("warmup_constant", "warmup_steps", static_cast<double>(warmup_steps));
  return warmed_up("warmup_constant", lr, warmup_steps, [=](double) { return lr; });
}

Schedule inverse_square_root(int64_t d_model, int64_t warmup_steps, double factor) {
  check(d_model > 0 && warmup_steps > 0, "inverse_square_root", "d_model is ", d_model,
        " and warmup_steps ", warmup_steps, ": both must be positive");
  check_not_negative("inverse_square_root", "factor", factor);
  return schedule("inverse_square_root", [=](double step) {
    const double t = step + 1, warmup = static_cast<double>(warmup_steps);
    return factor / std::sqrt(static_cast<double>(d_model)) *
           std::min(1 / std::sqrt(t), t / (warmup * std::sqrt(warmup)));
  });
}

}  // namespace tarsier::optim
