#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/error.h"

namespace tarsier::optim {

Schedule constant(double lr) {
  check(lr >= 0, "constant", "lr is ", lr, ": it must not be negative");
  return [lr](int64_t) { return lr; };
}

Schedule warmup_cosine(const WarmupCosineOptions& options) {
  const auto [lr, min_lr, warmup, decay] = options;
  check(min_lr >= 0 && min_lr <= lr, "warmup_cosine", "lr is ", lr, " and min_lr ", min_lr,
        ": 0 <= min_lr <= lr must hold");
  check(warmup >= 0 && warmup < decay, "warmup_cosine", "warmup_steps is ", warmup,
        " and decay_steps ", decay, ": 0 <= warmup_steps < decay_steps must hold");
  return [=, lr = lr, min_lr = min_lr, warmup = warmup, decay = decay](int64_t step) {
    if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
    if (step > decay) return min_lr;
    const double ratio = static_cast<double>(step - warmup) / static_cast<double>(decay - warmup);
    return min_lr + 0.5 * (1 + std::cos(std::numbers::pi * ratio)) * (lr - min_lr);
  };
}

Schedule inverse_square_root(int64_t d_model, int64_t warmup_steps, double factor) {
  check(d_model > 0 && warmup_steps > 0, "inverse_square_root", "d_model is ", d_model,
        " and warmup_steps ", warmup_steps, ": both must be positive");
  return [=](int64_t step) {
    const double t = static_cast<double>(step + 1), warmup = static_cast<double>(warmup_steps);
    return factor / std::sqrt(static_cast<double>(d_model)) *
           std::min(1 / std::sqrt(t), t / (warmup * std::sqrt(warmup)));
  };
}

}  // namespace tarsier::optim
