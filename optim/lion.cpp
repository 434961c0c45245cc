#include "optim/lion.h"
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

namespace tarsier::optim {

Lion::Lion(const TensorDict& parameters, const LionOptions& options)
    : Lion({{parameters, options}}) {}
Lion::Lion(const std::vector<ParameterGroup<LionOptions>>& groups) : OptimizerWith("lion") {
  add_groups(groups);
}

void Lion::check_group(const ParameterGroup<LionOptions>& group) const {
  const auto& [parameters, options] = group;
  check_betas(options.betas);
  check_option("weight_decay", options.weight_decay);
}

std::vector<Lion::Memory> Lion::memory(const Slot& slot) const {
  return {{"exp_avg", slot.parameter.shape()}};
}

void Lion::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const LionOptions& o = options(slot);
  const double rate = lr(slot.group);
  dispatch_floating(slot.parameter.dtype(), "lion", [&]<class T>() {
    const kernels::LionStep<T> step = {
        .lr = static_cast<T>(rate),
        .beta1 = kernels::Average<T>(o.betas.first),
        .beta2 = kernels::Average<T>(o.betas.second),
        .decay = static_cast<T>(rate * o.weight_decay),
        .maximize = o.maximize,
    };
    kernels::active<kernels::OptimKernels<T>>().lion(end - begin, step, grad.data<T>() + begin,
                                                     slot.parameter.data<T>() + begin,
                                                     slot.state[0].data<T>() + begin);
  });
}

}  // namespace tarsier::optim
