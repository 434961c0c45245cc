#include "optim/nadam.h"

#include <cmath>

#include "autograd/ops.h"
#include "optim/adam_step.h"

namespace tarsier::optim {
namespace {

/// μₜ, the momentum of step t.
double momentum(const NAdamOptions& o, double t) {
  return o.betas.first * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay));
}

}  // namespace

NAdam::NAdam(const TensorDict& parameters, const NAdamOptions& options)
    : NAdam({{parameters, options}}) {}
NAdam::NAdam(const std::vector<ParameterGroup<NAdamOptions>>& groups) : OptimizerWith("nadam") {
  add_groups(groups);
}

void NAdam::check_group(const ParameterGroup<NAdamOptions>& group) const {
  const auto& [parameters, options] = group;
  check_betas(options.betas);
  check_option("eps", options.eps);
  check_option("weight_decay", options.weight_decay);
  check_option("momentum_decay", options.momentum_decay);
}

std::vector<NAdam::Memory> NAdam::memory(const Slot& slot) const {
  const Shape& shape = slot.parameter.shape();
  return {{"mu_product", {}, 1}, {"exp_avg", shape}, {"exp_avg_sq", shape}};
}

void NAdam::begin_step(const Slot& slot) const {
  mul_(slot.state[0], momentum(options(slot), static_cast<double>(slot.steps)));
}

void NAdam::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const NAdamOptions& o = options(slot);
  const double rate = lr(slot.group), t = static_cast<double>(slot.steps);
  const double mu = momentum(o, t), mu_next = momentum(o, t + 1), product = slot.state[0].item();
  const kernels::AdamStep<double> step = {
      .beta1 = kernels::Average<double>(o.betas.first),
      .beta2 = kernels::Average<double>(o.betas.second),
      .eps = o.eps,
      .l2 = o.decoupled_weight_decay ? 0 : o.weight_decay,
      .decay = o.decoupled_weight_decay ? rate * o.weight_decay : 0,
      .step_size = rate * mu_next / (1 - product * mu_next),
      .inverse_root = 1 / std::sqrt(1 - std::pow(o.betas.second, t)),
      .maximize = o.maximize,
      .gradient_size = rate * (1 - mu) / (1 - product),
  };
  adam_step(step, grad, slot.parameter, slot.state[1], slot.state[2], {}, begin, end);
}

}  // namespace tarsier::optim
