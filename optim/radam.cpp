#include "optim/radam.h"

#include <cmath>

#include "optim/adam_step.h"

namespace tarsier::optim {

RAdam::RAdam(const TensorDict& parameters, const RAdamOptions& options)
    : RAdam({{parameters, options}}) {}
RAdam::RAdam(const std::vector<ParameterGroup<RAdamOptions>>& groups) : OptimizerWith("radam") {
  add_groups(groups);
}

void RAdam::check_group(const ParameterGroup<RAdamOptions>& group) const {
  const auto& [parameters, options] = group;
  check_betas(options.betas);
  check_option("eps", options.eps);
  check_option("weight_decay", options.weight_decay);
}

std::vector<RAdam::Memory> RAdam::memory(const Slot& slot) const {
  const Shape& shape = slot.parameter.shape();
  return {{"exp_avg", shape}, {"exp_avg_sq", shape}};
}

void RAdam::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const RAdamOptions& o = options(slot);
  const double rate = lr(slot.group), t = static_cast<double>(slot.steps);
  const double beta2_t = std::pow(o.betas.second, t);
  const double longest = 2 / (1 - o.betas.second) - 1;  // ρ∞
  const double rho = longest - 2 * t * beta2_t / (1 - beta2_t);
  const bool trusted = rho > 5;
  double factor = 1;  // r·√(1 − β₂ᵗ)
  if (trusted)
    factor = std::sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho) *
                       (1 - beta2_t));
  const kernels::AdamStep<double> step = {
      .beta1 = kernels::Average<double>(o.betas.first),
      .beta2 = kernels::Average<double>(o.betas.second),
      .eps = trusted ? o.eps : 1,
      .l2 = o.decoupled_weight_decay ? 0 : o.weight_decay,
      .decay = o.decoupled_weight_decay ? rate * o.weight_decay : 0,
      .step_size = factor * rate / (1 - std::pow(o.betas.first, t)),
      .inverse_root = trusted ? 1.0 : 0.0,  // otherwise the denominator is √v·0 + 1
      .maximize = o.maximize,
  };
  adam_step(step, grad, slot.parameter, slot.state[0], slot.state[1], {}, begin, end);
}

}  // namespace tarsier::optim
