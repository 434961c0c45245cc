#include "autograd/kernels/optim.h"

#include "autograd/kernels/fold.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

template <class T>
void adam(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v) {
  using V = Simd<T>;
  const V beta1(step.beta1), rest1(1 - step.beta1), beta2(step.beta2), rest2(1 - step.beta2);
  const V l2(step.l2), shrink(step.shrink), step_size(step.step_size);
  const V inverse_root(step.inverse_root), eps(step.eps);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    const V gi = fma(l2, w0, load(g + i, lanes));
    const V mi = fma(beta1, load(m + i, lanes), rest1 * gi);
    const V vi = fma(beta2, load(v + i, lanes), rest2 * gi * gi);
    store(m + i, mi, lanes);
    store(v + i, vi, lanes);
    store(w + i, shrink * w0 - step_size * mi / fma(sqrt(vi), inverse_root, eps), lanes);
  });
}

template <class T>
void sgd(int64_t n, const SgdStep<T>& step, const T* g, T* w, T* b) {
  using V = Simd<T>;
  const V lr(step.lr), momentum(step.momentum), rest(1 - step.dampening), l2(step.l2);
  each<T>(n, [=, first = step.first, nesterov = step.nesterov](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    V gi = fma(l2, w0, load(g + i, lanes));
    if (b != nullptr) {
      const V bi = first ? gi : fma(momentum, load(b + i, lanes), rest * gi);
      store(b + i, bi, lanes);
      gi = nesterov ? fma(momentum, bi, gi) : bi;
    }
    store(w + i, w0 - lr * gi, lanes);
  });
}

}  // namespace

template <class T>
OptimKernels<T> optim_kernels() {
  return {adam<T>, sgd<T>};
}
template OptimKernels<float> optim_kernels();
template OptimKernels<double> optim_kernels();

}  // namespace tarsier::kernels::TARSIER_ISA
