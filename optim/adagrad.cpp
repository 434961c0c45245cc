#include "optim/adagrad.h"
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

namespace tarsier::optim {

Adagrad::Adagrad(const TensorDict& parameters, const AdagradOptions& options)
    : Adagrad({{parameters, options}}) {}
Adagrad::Adagrad(const std::vector<ParameterGroup<AdagradOptions>>& groups)
    : OptimizerWith("adagrad") {
  add_groups(groups);
}

void Adagrad::check_group(const ParameterGroup<AdagradOptions>& group) const {
  const auto& [parameters, options] = group;
  check_option("lr_decay", options.lr_decay);
  check_option("weight_decay", options.weight_decay);
  check_option("initial_accumulator_value", options.initial_accumulator_value);
  check_option("eps", options.eps);
}

std::vector<Adagrad::Memory> Adagrad::memory(const Slot& slot) const {
  const AdagradOptions& o = options(slot);
  return {{"sum", slot.parameter.shape(), o.initial_accumulator_value}};
}

void Adagrad::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const AdagradOptions& o = options(slot);
  const double t = static_cast<double>(slot.steps);
  dispatch_floating(slot.parameter.dtype(), "adagrad", [&]<class T>() {
    const kernels::AdagradStep<T> step = {
        .lr = static_cast<T>(lr(slot.group) / (1 + (t - 1) * o.lr_decay)),
        .eps = static_cast<T>(o.eps),
        .l2 = static_cast<T>(o.weight_decay),
        .maximize = o.maximize,
    };
    kernels::active<kernels::OptimKernels<T>>().adagrad(end - begin, step, grad.data<T>() + begin,
                                                        slot.parameter.data<T>() + begin,
                                                        slot.state[0].data<T>() + begin);
  });
}

}  // namespace tarsier::optim
