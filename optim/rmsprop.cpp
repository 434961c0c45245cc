#include "optim/rmsprop.h"
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

namespace tarsier::optim {

RMSprop::RMSprop(const TensorDict& parameters, const RMSpropOptions& options)
    : RMSprop({{parameters, options}}) {}
RMSprop::RMSprop(const std::vector<ParameterGroup<RMSpropOptions>>& groups)
    : OptimizerWith("rmsprop") {
  add_groups(groups);
}

void RMSprop::check_group(const ParameterGroup<RMSpropOptions>& group) const {
  const auto& [parameters, options] = group;
  check_option("alpha", options.alpha, 0, 1);
  check_option("eps", options.eps);
  check_option("weight_decay", options.weight_decay);
  check_option("momentum", options.momentum);
}

std::vector<RMSprop::Memory> RMSprop::memory(const Slot& slot) const {
  const RMSpropOptions& o = options(slot);
  const Shape& shape = slot.parameter.shape();
  std::vector<Memory> out = {{"square_avg", shape}};
  if (o.centered) out.push_back({"grad_avg", shape});
  if (o.momentum > 0) out.push_back({"momentum_buffer", shape});
  return out;
}

void RMSprop::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const RMSpropOptions& o = options(slot);
  dispatch_floating(slot.parameter.dtype(), "rmsprop", [&]<class T>() {
    const kernels::RmspropStep<T> step = {
        .lr = static_cast<T>(lr(slot.group)),
        .alpha = kernels::Average<T>(o.alpha),
        .eps = static_cast<T>(o.eps),
        .l2 = static_cast<T>(o.weight_decay),
        .momentum = kernels::Factor<T>(o.momentum),
        .maximize = o.maximize,
    };
    const std::vector<Tensor>& state = slot.state;
    T* a = o.centered ? state[1].data<T>() + begin : nullptr;
    T* b = o.momentum > 0 ? state.back().data<T>() + begin : nullptr;
    kernels::active<kernels::OptimKernels<T>>().rmsprop(end - begin, step, grad.data<T>() + begin,
                                                        slot.parameter.data<T>() + begin,
                                                        state[0].data<T>() + begin, a, b);
  });
}

}  // namespace tarsier::optim
