#include "optim/adam.h"

#include <cmath>

#include "optim/adam_step.h"

namespace tarsier::optim {
namespace {

std::vector<ParameterGroup<AdamOptions>> as_adam(
    const std::vector<ParameterGroup<AdamWOptions>>& groups) {
  std::vector<ParameterGroup<AdamOptions>> out;
  for (const auto& [parameters, o] : groups)
    out.push_back({parameters, {o.lr, o.betas, o.eps, o.weight_decay, o.amsgrad, o.maximize}});
  return out;
}

}  // namespace

Adam::Adam(const TensorDict& parameters, const AdamOptions& options)
    : Adam({{parameters, options}}) {}
Adam::Adam(const std::vector<ParameterGroup<AdamOptions>>& groups) : Adam("adam", groups, false) {}

AdamW::AdamW(const TensorDict& parameters, const AdamWOptions& options)
    : AdamW({{parameters, options}}) {}
AdamW::AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups)
    : Adam("adamw", as_adam(groups), true) {}
void AdamW::add_param_group(const ParameterGroup<AdamWOptions>& group) {
  Adam::add_param_group(as_adam({group})[0]);
}

Adam::Adam(const char* tag, const std::vector<ParameterGroup<AdamOptions>>& groups, bool decoupled)
    : OptimizerWith(tag), decoupled_(decoupled) {
  add_groups(groups);
}

void Adam::check_group(const ParameterGroup<AdamOptions>& group) const {
  const auto& [parameters, options] = group;
  check_betas(options.betas);
  check_option("eps", options.eps);
  check_option("weight_decay", options.weight_decay);
}

std::vector<Adam::Memory> Adam::memory(const Slot& slot) const {
  const Shape& shape = slot.parameter.shape();
  std::vector<Memory> out = {{"exp_avg", shape}, {"exp_avg_sq", shape}};
  if (options(slot).amsgrad) out.push_back({"max_exp_avg_sq", shape});
  return out;
}

void Adam::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const AdamOptions& o = options(slot);
  const double rate = lr(slot.group), t = static_cast<double>(slot.steps);
  const kernels::AdamStep<double> step = {
      .beta1 = kernels::Average<double>(o.betas.first),
      .beta2 = kernels::Average<double>(o.betas.second),
      .eps = o.eps,
      .l2 = decoupled_ ? 0 : o.weight_decay,
      .decay = decoupled_ ? rate * o.weight_decay : 0,
      .step_size = rate / (1 - std::pow(o.betas.first, t)),
      .inverse_root = 1 / std::sqrt(1 - std::pow(o.betas.second, t)),
      .maximize = o.maximize,
  };
  adam_step(step, grad, slot.parameter, slot.state[0], slot.state[1],
            o.amsgrad ? slot.state[2] : Tensor(), begin, end);
}

}  // namespace tarsier::optim
