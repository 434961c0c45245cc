#include "autograd/ops/softmax/softmax.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// The largest element. A NaN may get lost here, but exp propagates it to the sum.
template <class T>
TARSIER_INLINE T row_max(int64_t n, const T* x) {
  return reduce<MaxNumberOp<T>, T>(n, [x](int64_t j, int64_t lanes) { return load(x + j, lanes); });
}

/// Σ exp(x_j − m)
template <class T>
TARSIER_INLINE T sum_exp(int64_t n, const T* x, T m) {
  return sum_of<T>(n,
                   [&](int64_t j, int64_t lanes) { return exp(load(x + j, lanes) - Simd<T>(m)); });
}

template <class T>
void softmax(int64_t rows, int64_t n, const T* x, T* y) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    const Simd<T> m(row_max(n, x));
    const T sum = sum_of<T>(n, [&](int64_t j, int64_t lanes) {
      const Simd<T> e = exp(load(x + j, lanes) - m);
      store(y + j, e, lanes);
      return e;
    });
    const Simd<T> scale(1 / sum);
    each<T>(n, [&](int64_t j, int64_t lanes) { store(y + j, load(y + j, lanes) * scale, lanes); });
  }
}

template <class T>
void softmax_grad(int64_t rows, int64_t n, const T* y, const T* dy, T* dx) {
  for (int64_t i = 0; i < rows; ++i, y += n, dy += n, dx += n) {
    const Simd<T> dot(sum_of<T>(
        n, [&](int64_t j, int64_t lanes) { return load(y + j, lanes) * load(dy + j, lanes); }));
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(dx + j, load(y + j, lanes) * (load(dy + j, lanes) - dot), lanes);
    });
  }
}

template <class T>
void log_softmax(int64_t rows, int64_t n, const T* x, T* y) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    const T max = row_max(n, x);
    const Simd<T> m(max), log_sum = log(Simd<T>(sum_exp(n, x, max)));
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(y + j, load(x + j, lanes) - m - log_sum, lanes);
    });
  }
}

template <class T>
void log_softmax_grad(int64_t rows, int64_t n, const T* y, const T* dy, T* dx) {
  for (int64_t i = 0; i < rows; ++i, y += n, dy += n, dx += n) {
    const Simd<T> sum(sum_of<T>(n, [&](int64_t j, int64_t lanes) { return load(dy + j, lanes); }));
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(dx + j, load(dy + j, lanes) - exp(load(y + j, lanes)) * sum, lanes);
    });
  }
}

template <class T>
void logsumexp(int64_t rows, int64_t n, const T* x, T* y) {
  constexpr T infinity = static_cast<T>(__builtin_inf());
  for (int64_t i = 0; i < rows; ++i, x += n) {
    T m = row_max(n, x);
    if (m == infinity || m == -infinity) m = 0;  // ∞ − ∞ would be NaN; exp does not overflow here
    y[i] = m + log(Simd<T>(sum_exp(n, x, m)))[0];
  }
}

}  // namespace

template <class T>
SoftmaxKernels<T> softmax_kernels() {
  return {softmax<T>, softmax_grad<T>, log_softmax<T>, log_softmax_grad<T>, logsumexp<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
SoftmaxKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::softmax_kernels<float>();
}
template <>
SoftmaxKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::softmax_kernels<double>();
}

}  // namespace tarsier::kernels
