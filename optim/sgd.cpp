#include "optim/sgd.h"
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

namespace tarsier::optim {

SGD::SGD(const TensorDict& parameters, const SGDOptions& options) : SGD({{parameters, options}}) {}
SGD::SGD(const std::vector<ParameterGroup<SGDOptions>>& groups) : OptimizerWith("sgd") {
  add_groups(groups);
}

void SGD::check_group(const ParameterGroup<SGDOptions>& group) const {
  const auto& [parameters, options] = group;
  check_option("momentum", options.momentum);
  check_option("dampening", options.dampening);
  check_option("weight_decay", options.weight_decay);
  check(!options.nesterov || (options.momentum > 0 && options.dampening == 0), "sgd",
        "nesterov needs momentum > 0 and dampening 0, but they are ", options.momentum, " and ",
        options.dampening);
}

std::vector<SGD::Memory> SGD::memory(const Slot& slot) const {
  if (options(slot).momentum == 0) return {};
  return {{"momentum_buffer", slot.parameter.shape()}};
}

void SGD::update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const {
  const SGDOptions& o = options(slot);
  dispatch_floating(slot.parameter.dtype(), "sgd", [&]<class T>() {
    const kernels::SgdStep<T> step = {
        .lr = static_cast<T>(lr(slot.group)),
        .momentum = kernels::Factor<T>(o.momentum),
        .rest = static_cast<T>(1 - o.dampening),
        .l2 = static_cast<T>(o.weight_decay),
        .nesterov = o.nesterov,
        .first = slot.steps == 1,
        .maximize = o.maximize,
    };
    T* buffer = slot.state.empty() ? nullptr : slot.state[0].data<T>() + begin;
    kernels::active<kernels::OptimKernels<T>>().sgd(end - begin, step, grad.data<T>() + begin,
                                                    slot.parameter.data<T>() + begin, buffer);
  });
}

}  // namespace tarsier::optim
