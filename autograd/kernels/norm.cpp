#include "autograd/kernels/norm.h"

#include "autograd/kernels/fold.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// weight[j …], or 1 where there is no weight.
template <class T>
TARSIER_INLINE Simd<T> load_or(const T* p, int64_t j, int64_t lanes, T otherwise) {
  return p != nullptr ? load(p + j, lanes) : Simd<T>(otherwise);
}

template <class T>
void layer_norm(int64_t rows, int64_t n, const T* x, const T* weight, const T* bias, T eps, T* y,
                T* mean, T* rstd) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    mean[i] = sum_of<T>(n, [&](int64_t j, int64_t lanes) { return load(x + j, lanes); }) / T(n);
    const Simd<T> m(mean[i]);
    const T variance = sum_of<T>(n,
                                 [&](int64_t j, int64_t lanes) {
                                   const Simd<T> d = load(x + j, lanes) - m;
                                   return d * d;
                                 }) /
                       T(n);
    rstd[i] = 1 / sqrt_lane(variance + eps);
    const Simd<T> r(rstd[i]);
    each<T>(n, [&](int64_t j, int64_t lanes) {
      const Simd<T> xhat = (load(x + j, lanes) - m) * r;
      store(y + j, fma(xhat, load_or(weight, j, lanes, T(1)), load_or(bias, j, lanes, T(0))),
            lanes);
    });
  }
}

/// dw = Σᵢ dyᵢ·x̂ᵢ and db = Σᵢ dyᵢ with x̂ᵢ = (xᵢ − meanᵢ)·rstdᵢ, or xᵢ·rstdᵢ where mean is null.
template <class T>
void weight_grad(int64_t rows, int64_t n, const T* x, const T* mean, const T* rstd, const T* dy,
                 T* dw, T* db) {
  each<T>(n, [&](int64_t j, int64_t lanes) {
    Simd<T> w(T(0)), b(T(0));
    for (int64_t i = 0; i < rows; ++i) {
      const Simd<T> m(mean != nullptr ? mean[i] : T(0)), g = load(dy + i * n + j, lanes);
      w += g * (load(x + i * n + j, lanes) - m) * Simd<T>(rstd[i]);
      b += g;
    }
    if (dw != nullptr) store(dw + j, w, lanes);
    if (db != nullptr) store(db + j, b, lanes);
  });
}

template <class T>
void layer_norm_grad(int64_t rows, int64_t n, const T* x, const T* weight, const T* mean,
                     const T* rstd, const T* dy, T* dx, T* dw, T* db) {
  if (dw != nullptr || db != nullptr) weight_grad(rows, n, x, mean, rstd, dy, dw, db);
  if (dx == nullptr) return;
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n, dx += n) {
    const Simd<T> m(mean[i]), r(rstd[i]);
    const auto xhat = [&](int64_t j, int64_t lanes) { return (load(x + j, lanes) - m) * r; };
    // g is kept in dx and not computed twice: rounded in one place and not in the other, it would
    // not cancel against its mean.
    const Sums<T> sums = sums_of<T>(n, [&](int64_t j, int64_t lanes) {
      const Simd<T> g = load(dy + j, lanes) * load_or(weight, j, lanes, T(1));
      store(dx + j, g, lanes);
      return SimdPair<T>(g, g * xhat(j, lanes));
    });
    const Simd<T> g_mean(sums.a / T(n)), gx_mean(sums.b / T(n));
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(dx + j, r * (load(dx + j, lanes) - g_mean - xhat(j, lanes) * gx_mean), lanes);
    });
  }
}

template <class T>
void rms_norm(int64_t rows, int64_t n, const T* x, const T* weight, T eps, T* y, T* rstd) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    const T mean_square = sum_of<T>(n,
                                    [&](int64_t j, int64_t lanes) {
                                      const Simd<T> v = load(x + j, lanes);
                                      return v * v;
                                    }) /
                          T(n);
    rstd[i] = 1 / sqrt_lane(mean_square + eps);
    const Simd<T> r(rstd[i]);
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(y + j, load(x + j, lanes) * r * load_or(weight, j, lanes, T(1)), lanes);
    });
  }
}

template <class T>
void rms_norm_grad(int64_t rows, int64_t n, const T* x, const T* weight, const T* rstd, const T* dy,
                   T* dx, T* dw) {
  if (dw != nullptr) weight_grad<T>(rows, n, x, nullptr, rstd, dy, dw, nullptr);
  if (dx == nullptr) return;
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n, dx += n) {
    const Simd<T> r(rstd[i]);
    const auto xhat = [&](int64_t j, int64_t lanes) { return load(x + j, lanes) * r; };
    const Simd<T> gx_mean(sum_of<T>(n,
                                    [&](int64_t j, int64_t lanes) {
                                      const Simd<T> g =
                                          load(dy + j, lanes) * load_or(weight, j, lanes, T(1));
                                      store(dx + j, g, lanes);
                                      return g * xhat(j, lanes);
                                    }) /
                          T(n));
    each<T>(n, [&](int64_t j, int64_t lanes) {
      store(dx + j, r * (load(dx + j, lanes) - xhat(j, lanes) * gx_mean), lanes);
    });
  }
}

}  // namespace

template <class T>
NormKernels<T> norm_kernels() {
  return {layer_norm<T>, layer_norm_grad<T>, rms_norm<T>, rms_norm_grad<T>};
}
template NormKernels<float> norm_kernels();
template NormKernels<double> norm_kernels();

}  // namespace tarsier::kernels::TARSIER_ISA
