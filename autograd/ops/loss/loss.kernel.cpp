#include "autograd/ops/loss/loss.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

template <class T>
TARSIER_INLINE Simd<T> class_weight(const CrossEntropy<T>& c, int64_t j, int64_t lanes) {
  return c.weight != nullptr ? load(c.weight + j, lanes) : Simd<T>(T(1));
}

/// factor · y, and 0 where the factor is 0 and y infinite: a class of logit −∞ that does not count.
template <class T>
TARSIER_INLINE Simd<T> counted(Simd<T> factor, Simd<T> y) {
  const Simd<T> zero = T(0), infinity = T(__builtin_inf());
  return select((factor == zero) & (abs(y) == infinity), zero, factor * y);
}

template <class T>
void cross_entropy(const CrossEntropy<T>& c, T* loss, T* stats) {
  const int64_t n = c.classes;
  for (int64_t i = 0; i < c.rows; ++i) {
    const T* x = c.logits + i * n;
    const int64_t t = c.target[i];
    if (t == c.ignore_index) {
      loss[i] = stats[2 * i] = stats[2 * i + 1] = 0;
      continue;
    }
    const T max =
        reduce<MaxNumberOp<T>, T>(n, [x](int64_t j, int64_t lanes) { return load(x + j, lanes); });
    const Simd<T> m(max);
    const T sum =
        sum_of<T>(n, [&](int64_t j, int64_t lanes) { return exp(load(x + j, lanes) - m); });
    const Simd<T> log_sum = log(Simd<T>(sum));
    stats[2 * i] = max;
    stats[2 * i + 1] = log_sum[0];
    // −log p = log Σ exp(x − m) − (x − m)
    const T weight = c.weight != nullptr ? c.weight[t] : T(1);
    const Simd<T> factor((1 - c.label_smoothing) * weight);
    loss[i] = counted(factor, log_sum - (Simd<T>(x[t]) - m))[0];
    if (c.label_smoothing != 0)
      loss[i] += c.label_smoothing / T(n) * sum_of<T>(n, [&](int64_t j, int64_t lanes) {
                   return counted(class_weight(c, j, lanes), log_sum - (load(x + j, lanes) - m));
                 });
  }
}

template <class T>
void cross_entropy_grad(const CrossEntropy<T>& c, const T* stats, const T* dloss, T* dlogits) {
  const int64_t n = c.classes;
  const T smooth = c.label_smoothing / T(n);
  const T smooth_sum = c.weight == nullptr ? c.label_smoothing
                                           : smooth * sum_of<T>(n, [&](int64_t j, int64_t lanes) {
                                               return class_weight(c, j, lanes);
                                             });
  for (int64_t i = 0; i < c.rows; ++i) {
    const T* x = c.logits + i * n;
    T* dx = dlogits + i * n;
    const int64_t t = c.target[i];
    if (t == c.ignore_index) {
      each<T>(n, [&](int64_t j, int64_t lanes) { store(dx + j, Simd<T>(T(0)), lanes); });
      continue;
    }
    const T a = (1 - c.label_smoothing) * (c.weight != nullptr ? c.weight[t] : T(1));
    const Simd<T> m(stats[2 * i]), log_sum(stats[2 * i + 1]);
    const Simd<T> gp(dloss[i] * (a + smooth_sum)), gb(dloss[i] * smooth);
    each<T>(n, [&](int64_t j, int64_t lanes) {
      const Simd<T> p = exp(load(x + j, lanes) - m - log_sum);
      store(dx + j, gp * p - gb * class_weight(c, j, lanes), lanes);
    });
    dx[t] -= dloss[i] * a;
  }
}

template <class T>
void logits(int64_t n, const T* x, const T* t, T* y) {
  const Simd<T> zero = T(0), one = T(1);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const Simd<T> v = load(x + i, lanes), p = load(t + i, lanes), size = abs(v);
    const Simd<T> wrong = select(v >= zero, one - p, p);
    const Simd<T> line = select(wrong == zero, zero, wrong * size);
    store(y + i, line + log1p(exp_flush(-size)), lanes);
  });
}

template <class T>
void logits_grad(int64_t n, const T* x, const T* t, const T* dy, T* dx) {
  const Simd<T> zero = T(0), one = T(1);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const Simd<T> v = load(x + i, lanes), p = load(t + i, lanes);
    const Simd<T> e = exp_flush(-abs(v)), small = e / (one + e);
    const Simd<T> slope = select(v >= zero, (one - p) - small, small - p);
    store(dx + i, load(dy + i, lanes) * slope, lanes);
  });
}

}  // namespace

template <class T>
LossKernels<T> loss_kernels() {
  return {cross_entropy<T>, cross_entropy_grad<T>, logits<T>, logits_grad<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
LossKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::loss_kernels<float>();
}
template <>
LossKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::loss_kernels<double>();
}

}  // namespace tarsier::kernels
