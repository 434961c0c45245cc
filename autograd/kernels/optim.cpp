#include "autograd/kernels/optim.h"

#include "autograd/kernels/fold.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// Reads a gradient, or with `maximize` its negative.
template <class T>
class Gradient {
 public:
  /// −0 in all lanes is the sign bit alone: flipping it costs less than a branch.
  Gradient(const T* g, bool maximize)
      : g_(g), flip_(bit_cast<Bits>(Simd<T>(maximize ? T(-0.0) : T(0)))) {}
  TARSIER_INLINE Simd<T> operator()(int64_t i, int64_t lanes) const {
    return bit_cast<T>(bit_cast<Bits>(load(g_ + i, lanes)) ^ flip_);
  }

 private:
  using Bits = typename Simd<T>::Int::Lane;
  const T* g_;
  Simd<Bits> flip_;
};

/// −1, 0 or 1; NaN where x is NaN.
template <class T>
TARSIER_INLINE Simd<T> sign(Simd<T> x) {
  const Simd<T> zero(T(0));
  return select(x > zero, Simd<T>(T(1)), select(x < zero, Simd<T>(T(-1)), x));
}

template <class T, bool amsgrad>
void adam_pass(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v, T* v_max) {
  using V = Simd<T>;
  const V beta1(step.beta1), rest1(1 - step.beta1), beta2(step.beta2), rest2(1 - step.beta2);
  const V l2(step.l2), shrink(step.shrink), step_size(step.step_size);
  const V inverse_root(step.inverse_root), eps(step.eps);
  const Gradient<T> gradient(g, step.maximize);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    const V gi = fma(l2, w0, gradient(i, lanes));
    const V mi = fma(beta1, load(m + i, lanes), rest1 * gi);
    V vi = fma(beta2, load(v + i, lanes), rest2 * gi * gi);
    store(m + i, mi, lanes);
    store(v + i, vi, lanes);
    if constexpr (amsgrad) {
      vi = max(load(v_max + i, lanes), vi);  // vi where one of them is NaN
      store(v_max + i, vi, lanes);
    }
    store(w + i, shrink * w0 - step_size * mi / fma(sqrt(vi), inverse_root, eps), lanes);
  });
}

template <class T>
void adam(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v, T* v_max) {
  (v_max == nullptr ? adam_pass<T, false> : adam_pass<T, true>)(n, step, g, w, m, v, v_max);
}

template <class T>
void sgd(int64_t n, const SgdStep<T>& step, const T* g, T* w, T* b) {
  using V = Simd<T>;
  const V lr(step.lr), momentum(step.momentum), rest(1 - step.dampening), l2(step.l2);
  const Gradient<T> gradient(g, step.maximize);
  each<T>(n, [=, first = step.first, nesterov = step.nesterov](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    V gi = fma(l2, w0, gradient(i, lanes));
    if (b != nullptr) {
      const V bi = first ? gi : fma(momentum, load(b + i, lanes), rest * gi);
      store(b + i, bi, lanes);
      gi = nesterov ? fma(momentum, bi, gi) : bi;
    }
    store(w + i, w0 - lr * gi, lanes);
  });
}

template <class T>
void adagrad(int64_t n, const AdagradStep<T>& step, const T* g, T* w, T* s) {
  using V = Simd<T>;
  const V lr(step.lr), eps(step.eps), l2(step.l2);
  const Gradient<T> gradient(g, step.maximize);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    const V gi = fma(l2, w0, gradient(i, lanes));
    const V si = fma(gi, gi, load(s + i, lanes));
    store(s + i, si, lanes);
    store(w + i, w0 - lr * gi / (sqrt(si) + eps), lanes);
  });
}

template <class T>
void rmsprop(int64_t n, const RmspropStep<T>& step, const T* g, T* w, T* v, T* a, T* b) {
  using V = Simd<T>;
  const V lr(step.lr), alpha(step.alpha), rest(1 - step.alpha), eps(step.eps), l2(step.l2);
  const V momentum(step.momentum), zero(T(0));
  const Gradient<T> gradient(g, step.maximize);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V w0 = load(w + i, lanes);
    const V gi = fma(l2, w0, gradient(i, lanes));
    V vi = fma(alpha, load(v + i, lanes), rest * gi * gi);
    store(v + i, vi, lanes);
    if (a != nullptr) {
      const V ai = fma(alpha, load(a + i, lanes), rest * gi);
      store(a + i, ai, lanes);
      // A variance of nearly equal gradients may come out below 0 by rounding. (NaN stays NaN.)
      vi = max(zero, vi - ai * ai);
    }
    V ui = gi / (sqrt(vi) + eps);
    if (b != nullptr) {
      ui = fma(momentum, load(b + i, lanes), ui);
      store(b + i, ui, lanes);
    }
    store(w + i, w0 - lr * ui, lanes);
  });
}

template <class T>
void lion(int64_t n, const LionStep<T>& step, const T* g, T* w, T* m) {
  using V = Simd<T>;
  const V lr(step.lr), beta1(step.beta1), rest1(1 - step.beta1);
  const V beta2(step.beta2), rest2(1 - step.beta2), shrink(step.shrink);
  const Gradient<T> gradient(g, step.maximize);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V gi = gradient(i, lanes), mi = load(m + i, lanes);
    const V direction = sign(fma(beta1, mi, rest1 * gi));
    store(w + i, shrink * load(w + i, lanes) - lr * direction, lanes);
    store(m + i, fma(beta2, mi, rest2 * gi), lanes);
  });
}

}  // namespace

template <class T>
OptimKernels<T> optim_kernels() {
  return {adam<T>, sgd<T>, adagrad<T>, rmsprop<T>, lion<T>};
}
template OptimKernels<float> optim_kernels();
template OptimKernels<double> optim_kernels();

}  // namespace tarsier::kernels::TARSIER_ISA
