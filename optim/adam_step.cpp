#include "optim/adam_step.h"

#include "autograd/simd/dispatch.h"

namespace tarsier::optim {

void adam_step(const kernels::AdamStep<double>& step, const Tensor& grad, const Tensor& w,
               const Tensor& m, const Tensor& v, const Tensor& v_max, int64_t begin, int64_t end) {
  dispatch_floating(w.dtype(), "adam", [&]<class T>() {
    const kernels::AdamStep<T> rounded = {
        .beta1 = kernels::Average<T>(step.beta1.beta.high),
        .beta2 = kernels::Average<T>(step.beta2.beta.high),
        .eps = static_cast<T>(step.eps),
        .l2 = static_cast<T>(step.l2),
        .decay = static_cast<T>(step.decay),
        .step_size = static_cast<T>(step.step_size),
        .inverse_root = static_cast<T>(step.inverse_root),
        .maximize = step.maximize,
        .gradient_size = static_cast<T>(step.gradient_size),
    };
    kernels::active<kernels::OptimKernels<T>>().adam(
        end - begin, rounded, grad.data<T>() + begin, w.data<T>() + begin, m.data<T>() + begin,
        v.data<T>() + begin, v_max.defined() ? v_max.data<T>() + begin : nullptr);
  });
}

}  // namespace tarsier::optim
