#include "optim/adadelta.h"

#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

namespace tarsier::optim {

Adadelta::Adadelta(const TensorDict& parameters, const AdadeltaOptions& options)
    : Adadelta({{parameters, options}}) {}
Adadelta::Adadelta(const std::vector<ParameterGroup<AdadeltaOptions>>& groups)
    : OptimizerWith("adadelta") {
  add_groups(groups);
}

void Adadelta::check_group(const ParameterGroup<AdadeltaOptions>& group) const {
  const auto& [parameters, options] = group;
  check(options.rho >= 0 && options.rho <= 1, tag(), "rho is ", options.rho,
        ": it must be 0 or more, and not above 1");
  check_option("eps", options.eps);
  check_option("weight_decay", options.weight_decay);
}

std::vector<Adadelta::Memory> Adadelta::memory(const Slot& slot) const {
  const Shape& shape = slot.parameter.shape();
  return {{"square_avg", shape}, {"acc_delta", shape}};
}

void Adadelta::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const AdadeltaOptions& o = options(slot);
  dispatch_floating(slot.parameter.dtype(), "adadelta", [&]<class T>() {
    const kernels::AdadeltaStep<T> step = {
        .lr = static_cast<T>(lr(slot.group)),
        .rho = kernels::Average<T>(o.rho),
        .eps = static_cast<T>(o.eps),
        .l2 = static_cast<T>(o.weight_decay),
        .maximize = o.maximize,
    };
    kernels::active<kernels::OptimKernels<T>>().adadelta(
        end - begin, step, grad.data<T>() + begin, slot.parameter.data<T>() + begin,
        slot.state[0].data<T>() + begin, slot.state[1].data<T>() + begin);
  });
}

}  // namespace tarsier::optim
