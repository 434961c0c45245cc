#include "optim/optim.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/simd.h"

// The loops here handle whole registers only; at_any_length() gives them a padded copy of the end
// of a row. With a separate loop for the end, as in other kernels, the compiler may fuse different
// products with a sum (in β₁m + (1 − β₁)g there are two). Then the last bit of a weight would
// depend on its position, and so on the other parameters.

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// A loop over n elements, a multiple of the register width; `rows` are the weights and the
/// optimiser state.
template <class T, class Step>
using Pass = void (*)(int64_t n, const Step& step, const T* g, T* const* rows);

/// Runs `pass` over n elements: in place, and the tail in a padded copy. Rows may be null.
template <class T, class Step, int count>
void at_any_length(Pass<T, Step> pass, int64_t n, const Step& step, const T* g,
                   T* const (&rows)[count]) {
  constexpr int64_t width = Simd<T>::width;
  const int64_t rest = n % width, whole = n - rest;
  pass(whole, step, g, rows);
  if (rest == 0) return;
  T copy_of_g[width] = {}, copies[count][width] = {};
  T* copied_rows[count];
  for (int64_t i = 0; i < rest; ++i) copy_of_g[i] = g[whole + i];
  for (int r = 0; r < count; ++r) {
    copied_rows[r] = rows[r] == nullptr ? nullptr : copies[r];
    for (int64_t i = 0; i < rest && rows[r] != nullptr; ++i) copies[r][i] = rows[r][whole + i];
  }
  pass(width, step, copy_of_g, copied_rows);
  for (int r = 0; r < count; ++r)
    for (int64_t i = 0; i < rest && rows[r] != nullptr; ++i) rows[r][whole + i] = copies[r][i];
}

/// Reads a gradient, or with `maximize` its negative.
template <class T>
class Gradient {
 public:
  /// −0 in all lanes is the sign bit alone: flipping it costs less than a branch.
  TARSIER_INLINE Gradient(const T* g, bool maximize)
      : g_(g), flip_(bit_cast<Bits>(Simd<T>(maximize ? T(-0.0) : T(0)))) {}
  TARSIER_INLINE Simd<T> operator[](int64_t i) const {
    return bit_cast<T>(bit_cast<Bits>(Simd<T>::load(g_ + i)) ^ flip_);
  }

 private:
  using Bits = typename Simd<T>::Int::Lane;
  const T* g_;
  Simd<Bits> flip_;
};

/// βa + y, rounded once: the small terms are added first.
template <class T>
class Times {
 public:
  TARSIER_INLINE explicit Times(Factor<T> beta) : high_(beta.high), low_(beta.low) {}
  TARSIER_INLINE Simd<T> plus(Simd<T> a, Simd<T> y) const { return fma(high_, a, fma(low_, a, y)); }

 private:
  Simd<T> high_, low_;
};

/// βa + (1 − β)x, and βa + (1 − β)x².
template <class T>
class Mix {
 public:
  TARSIER_INLINE explicit Mix(Average<T> average) : beta_(average.beta), rest_(average.rest) {}
  TARSIER_INLINE Simd<T> operator()(Simd<T> a, Simd<T> x) const { return beta_.plus(a, rest_ * x); }
  /// At most the largest finite number: an infinite average, and so the weight, would never change.
  TARSIER_INLINE Simd<T> squared(Simd<T> a, Simd<T> x) const {
    return min(Simd<T>(kLargest), beta_.plus(a, rest_ * x * x));  // the sum, if it is NaN
  }

 private:
  static constexpr T kLargest = sizeof(T) == 4 ? T(__FLT_MAX__) : T(__DBL_MAX__);
  Times<T> beta_;
  Simd<T> rest_;
};

/// −1, 0 or 1; NaN where x is NaN.
template <class T>
TARSIER_INLINE Simd<T> sign(Simd<T> x) {
  const Simd<T> zero(T(0));
  return select(x > zero, Simd<T>(T(1)), select(x < zero, Simd<T>(T(-1)), x));
}

template <class T>
[[gnu::noinline]] void adam_pass(int64_t n, const AdamStep<T>& step, const T* g, T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *m = rows[1], *v = rows[2], *v_max = rows[3];
  const Mix<T> mix1(step.beta1), mix2(step.beta2);
  const V l2(step.l2), decay(step.decay), step_size(step.step_size);
  const V inverse_root(step.inverse_root), eps(step.eps), gradient_size(step.gradient_size);
  const bool nesterov = step.gradient_size != 0;
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V w0 = V::load(w + i);
    const V gi = fma(l2, w0, gradient[i]);
    const V mi = mix1(V::load(m + i), gi);
    V vi = mix2.squared(V::load(v + i), gi);
    mi.store(m + i);
    vi.store(v + i);
    if (v_max != nullptr) {
      vi = max(V::load(v_max + i), vi);  // vi, if it is NaN
      vi.store(v_max + i);
    }
    V up = step_size * mi;
    if (nesterov) up = fma(gradient_size, gi, up);
    (w0 - fma(decay, w0, up / fma(sqrt(vi), inverse_root, eps))).store(w + i);
  }
}
template <class T>
void adam(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v, T* v_max) {
  at_any_length(adam_pass<T>, n, step, g, {w, m, v, v_max});
}

template <class T>
[[gnu::noinline]] void sgd_pass(int64_t n, const SgdStep<T>& step, const T* g, T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *b = rows[1];
  const V lr(step.lr), rest(step.rest), l2(step.l2);
  const Times<T> momentum(step.momentum);
  const bool first = step.first, nesterov = step.nesterov;
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V w0 = V::load(w + i);
    V gi = fma(l2, w0, gradient[i]);
    if (b != nullptr) {
      const V bi = first ? gi : momentum.plus(V::load(b + i), rest * gi);
      bi.store(b + i);
      gi = nesterov ? momentum.plus(bi, gi) : bi;
    }
    (w0 - lr * gi).store(w + i);
  }
}
template <class T>
void sgd(int64_t n, const SgdStep<T>& step, const T* g, T* w, T* b) {
  at_any_length(sgd_pass<T>, n, step, g, {w, b});
}

template <class T>
[[gnu::noinline]] void adagrad_pass(int64_t n, const AdagradStep<T>& step, const T* g,
                                    T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *s = rows[1];
  const V lr(step.lr), eps(step.eps), l2(step.l2);
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V w0 = V::load(w + i);
    const V gi = fma(l2, w0, gradient[i]);
    const V si = fma(gi, gi, V::load(s + i));
    si.store(s + i);
    (w0 - lr * gi / (sqrt(si) + eps)).store(w + i);
  }
}
template <class T>
void adagrad(int64_t n, const AdagradStep<T>& step, const T* g, T* w, T* s) {
  at_any_length(adagrad_pass<T>, n, step, g, {w, s});
}

template <class T>
[[gnu::noinline]] void adadelta_pass(int64_t n, const AdadeltaStep<T>& step, const T* g,
                                     T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *v = rows[1], *a = rows[2];
  const V lr(step.lr), eps(step.eps), l2(step.l2);
  const Mix<T> mix(step.rho);
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V w0 = V::load(w + i), ai = V::load(a + i);
    const V gi = fma(l2, w0, gradient[i]);
    const V vi = mix.squared(V::load(v + i), gi);
    vi.store(v + i);
    const V di = sqrt(ai + eps) / sqrt(vi + eps) * gi;
    mix.squared(ai, di).store(a + i);
    (w0 - lr * di).store(w + i);
  }
}
template <class T>
void adadelta(int64_t n, const AdadeltaStep<T>& step, const T* g, T* w, T* v, T* a) {
  at_any_length(adadelta_pass<T>, n, step, g, {w, v, a});
}

template <class T>
[[gnu::noinline]] void rmsprop_pass(int64_t n, const RmspropStep<T>& step, const T* g,
                                    T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *v = rows[1], *a = rows[2], *b = rows[3];
  const V lr(step.lr), eps(step.eps), l2(step.l2), zero(T(0));
  const Mix<T> mix(step.alpha);
  const Times<T> momentum(step.momentum);
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V w0 = V::load(w + i);
    const V gi = fma(l2, w0, gradient[i]);
    V vi = mix.squared(V::load(v + i), gi);
    vi.store(v + i);
    if (a != nullptr) {
      const V ai = mix(V::load(a + i), gi);
      ai.store(a + i);
      // A variance of nearly equal gradients may come out below 0 by rounding. (NaN stays NaN.)
      vi = max(zero, vi - ai * ai);
    }
    V ui = gi / (sqrt(vi) + eps);
    if (b != nullptr) {
      ui = momentum.plus(V::load(b + i), ui);
      ui.store(b + i);
    }
    (w0 - lr * ui).store(w + i);
  }
}
template <class T>
void rmsprop(int64_t n, const RmspropStep<T>& step, const T* g, T* w, T* v, T* a, T* b) {
  at_any_length(rmsprop_pass<T>, n, step, g, {w, v, a, b});
}

template <class T>
[[gnu::noinline]] void lion_pass(int64_t n, const LionStep<T>& step, const T* g, T* const* rows) {
  using V = Simd<T>;
  T *w = rows[0], *m = rows[1];
  const V lr(step.lr), decay(step.decay);
  const Mix<T> mix1(step.beta1), mix2(step.beta2);
  const Gradient<T> gradient(g, step.maximize);
  for (int64_t i = 0; i < n; i += V::width) {
    const V gi = gradient[i], mi = V::load(m + i);
    const V w0 = V::load(w + i), direction = sign(mix1(mi, gi));
    (w0 - fma(decay, w0, lr * direction)).store(w + i);
    mix2(mi, gi).store(m + i);
  }
}
template <class T>
void lion(int64_t n, const LionStep<T>& step, const T* g, T* w, T* m) {
  at_any_length(lion_pass<T>, n, step, g, {w, m});
}

}  // namespace

template <class T>
OptimKernels<T> optim_kernels() {
  return {adam<T>, sgd<T>, adagrad<T>, rmsprop<T>, lion<T>, adadelta<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
OptimKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::optim_kernels<float>();
}
template <>
OptimKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::optim_kernels<double>();
}

}  // namespace tarsier::kernels
