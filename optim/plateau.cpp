#include "optim/plateau.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/ops.h"

namespace tarsier::optim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
T number(const TensorDict& state, const char* name, DType dtype) {
  const Tensor* found = state.find(name);
  check(found != nullptr, "plateau", "the state has no '", name, "'");
  check(found->dtype() == dtype && found->numel() == 1, "plateau", "'", name, "' is ",
        found->dtype(), " ", found->shape(), ": it must be one number, ", dtype);
  return found->item<T>();
}

}  // namespace

ReduceLROnPlateau::ReduceLROnPlateau(PlateauOptions options)
    : options_(std::move(options)),
      lr_(options_.lr),
      best_(options_.mode == "max" ? -kInfinity : kInfinity) {
  const PlateauOptions& o = options_;
  check(o.mode == "min" || o.mode == "max", "plateau", "mode is '", o.mode,
        "': use 'min' or 'max'");
  check(o.threshold_mode == "rel" || o.threshold_mode == "abs", "plateau", "threshold_mode is '",
        o.threshold_mode, "': use 'rel' or 'abs'");
  check(o.factor >= 0 && o.factor < 1, "plateau", "factor is ", o.factor,
        ": it must be 0 or more, and less than 1");
  for (const auto& [name, value] : {std::pair("lr", o.lr),
                                    {"patience", static_cast<double>(o.patience)},
                                    {"threshold", o.threshold},
                                    {"cooldown", static_cast<double>(o.cooldown)},
                                    {"min_lr", o.min_lr},
                                    {"eps", o.eps}})
    check(value >= 0 && value < kInfinity, "plateau", name, " is ", value,
          ": it must be finite and not negative");
}

bool ReduceLROnPlateau::is_better(double metric) const {
  double least = options_.threshold;  // the smallest improvement that counts
  if (options_.threshold_mode == "rel") least *= std::abs(best_);
  if (std::isinf(best_)) least = 0;  // nothing to compare with yet
  return options_.mode == "min" ? metric < best_ - least : metric > best_ + least;
}

double ReduceLROnPlateau::step(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    num_bad_epochs_ = 0;
  } else {
    ++num_bad_epochs_;
  }
  if (cooldown_counter_ > 0) {
    --cooldown_counter_;
    num_bad_epochs_ = 0;
  }
  if (num_bad_epochs_ > options_.patience) {
    const double reduced = std::max(lr_ * options_.factor, options_.min_lr);
    if (lr_ - reduced > options_.eps) lr_ = reduced;
    cooldown_counter_ = options_.cooldown;
    num_bad_epochs_ = 0;
  }
  return lr_;
}

TensorDict ReduceLROnPlateau::state_dict() const {
  return {{"lr", from_vector<double>({lr_}, {})},
          {"best", from_vector<double>({best_}, {})},
          {"num_bad_epochs", from_vector<int64_t>({num_bad_epochs_}, {})},
          {"cooldown_counter", from_vector<int64_t>({cooldown_counter_}, {})}};
}

void ReduceLROnPlateau::load_state_dict(const TensorDict& state) {
  const double lr = number<double>(state, "lr", f64), best = number<double>(state, "best", f64);
  const auto bad = number<int64_t>(state, "num_bad_epochs", i64);
  const auto cooldown = number<int64_t>(state, "cooldown_counter", i64);
  check(lr >= 0 && lr < kInfinity && !std::isnan(best) && bad >= 0 && cooldown >= 0, "plateau",
        "lr ", lr, ", best ", best, ", num_bad_epochs ", bad, ", cooldown_counter ", cooldown,
        " are not a valid state: a number is NaN or negative");
  lr_ = lr;
  best_ = best;
  num_bad_epochs_ = bad;
  cooldown_counter_ = cooldown;
}

}  // namespace tarsier::optim
