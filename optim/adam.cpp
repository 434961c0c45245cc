#include "optim/adam.h"
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

#include <cmath>
#include <limits>

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

Adam::Adam(const char* tag, const std::vector<ParameterGroup<AdamOptions>>& groups, bool decoupled)
    : ElementwiseOptimizer(tag, groups), decoupled_(decoupled) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [parameters, options] : groups) {
    check_option("betas.first", options.betas.first, 0, 1);
    check_option("betas.second", options.betas.second, 0, 1);
    check_option("eps", options.eps, 0, infinity);
    check_option("weight_decay", options.weight_decay, 0, infinity);
    options_.push_back(options);
  }
}

std::vector<Adam::Memory> Adam::memory(const Slot& slot) const {
  const Shape& shape = slot.parameter.shape();
  std::vector<Memory> out = {{"exp_avg", shape}, {"exp_avg_sq", shape}};
  if (options_[static_cast<size_t>(slot.group)].amsgrad) out.push_back({"max_exp_avg_sq", shape});
  return out;
}

void Adam::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const AdamOptions& o = options_[static_cast<size_t>(slot.group)];
  const double rate = lr(slot.group), t = static_cast<double>(slot.steps);
  dispatch_floating(slot.parameter.dtype(), "adam", [&]<class T>() {
    const kernels::AdamStep<T> step = {
        .beta1 = kernels::Average<T>(o.betas.first),
        .beta2 = kernels::Average<T>(o.betas.second),
        .eps = static_cast<T>(o.eps),
        .l2 = static_cast<T>(decoupled_ ? 0 : o.weight_decay),
        .decay = static_cast<T>(decoupled_ ? rate * o.weight_decay : 0),
        .step_size = static_cast<T>(rate / (1 - std::pow(o.betas.first, t))),
        .inverse_root = static_cast<T>(1 / std::sqrt(1 - std::pow(o.betas.second, t))),
        .maximize = o.maximize,
    };
    kernels::active<kernels::OptimKernels<T>>().adam(
        end - begin, step, grad.data<T>() + begin, slot.parameter.data<T>() + begin,
        slot.state[0].data<T>() + begin, slot.state[1].data<T>() + begin,
        o.amsgrad ? slot.state[2].data<T>() + begin : nullptr);
  });
}

}  // namespace tarsier::optim
