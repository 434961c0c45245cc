#include "autograd/ops/norm/norm.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// weight[j …], or 1 without weight.
template <class T>
TARSIER_INLINE Simd<T> load_or(const T* p, int64_t j, int64_t lanes, T otherwise) {
  return p != nullptr ? load(p + j, lanes) : Simd<T>(otherwise);
}

// ---- A row in plain form, and one that needs `scale` or `rest` (NormRow). `dx` converts the
// gradient with respect to the row as read to that with respect to x.

template <class T>
struct Plain {
  static constexpr bool plain = true;
  const T* x;
  TARSIER_INLINE Simd<T> operator()(int64_t j, int64_t lanes) const { return load(x + j, lanes); }
  TARSIER_INLINE static T scale() { return 1; }
  TARSIER_INLINE static Simd<T> dx(Simd<T> dz) { return dz; }
};
template <class T>
struct Scaled {
  static constexpr bool plain = false;
  const T* x;
  Simd<T> factor;
  TARSIER_INLINE Simd<T> operator()(int64_t j, int64_t lanes) const {
    return load(x + j, lanes) * factor;
  }
  TARSIER_INLINE T scale() const { return factor[0]; }
  TARSIER_INLINE Simd<T> dx(Simd<T> dz) const { return dz * factor; }
};

template <class T>
TARSIER_INLINE bool is_plain(const NormRow<T>& stats) {
  return stats.rest == 0 && stats.scale == 1;
}

/// z − mean.
template <class Row, class T>
TARSIER_INLINE Simd<T> centred(const Row& z, const NormRow<T>& stats, int64_t j, int64_t lanes) {
  const Simd<T> d = z(j, lanes) - Simd<T>(stats.mean);
  if constexpr (Row::plain)
    return d;
  else
    return d - Simd<T>(stats.rest);
}

/// Whether 1 / √(mean of squares) came from squares that are ordinary numbers, neither infinite nor
/// so small that they lost digits.
template <class T>
TARSIER_INLINE bool ordinary(T rstd) {
  constexpr bool single = sizeof(T) == sizeof(float);
  return rstd >= T(single ? 0x1p-64 : 0x1p-512) && rstd <= T(single ? 0x1p62 : 0x1p510);
}

/// The row times the power of two that brings its largest element to [1, 2); times 1 if that
/// element is 0, infinite or NaN.
template <class T>
Scaled<T> rescaled(int64_t n, const T* x) {
  constexpr bool single = sizeof(T) == sizeof(float);
  const T largest =
      reduce<MaxOp<T>, T>(n, [x](int64_t j, int64_t lanes) { return abs(load(x + j, lanes)); });
  if (!(largest > 0 && largest < T(__builtin_inf()))) return {x, Simd<T>(T(1))};
  const int lowest = single ? -126 : -1022;  // below it, the power has no inverse
  const int exponent = __builtin_ilogb(static_cast<double>(largest));
  return {x, Simd<T>(T(__builtin_ldexp(1, -(exponent < lowest ? lowest : exponent))))};
}

// ------------------------------------------------------------------------------------ layer norm

template <class T, class Row>
TARSIER_INLINE NormRow<T> layer_norm_stats(int64_t n, const Row& z, T eps) {
  const T mean = sum_of<T>(n, z) / T(n);
  const Simd<T> m(mean);
  T rest = 0;
  T variance = sum_of<T>(n,
                         [&](int64_t j, int64_t lanes) {
                           const Simd<T> d = z(j, lanes) - m;
                           return d * d;
                         }) /
               T(n);
  // Rounding the mean matters no more than rounding the elements, unless it is far from 0.
  if (mean * mean > variance) {
    rest = sum_of<T>(n, [&](int64_t j, int64_t lanes) { return z(j, lanes) - m; }) / T(n);
    variance -= rest * rest;
    if (rest * rest * 1024 > variance) [[unlikely]] {  // the differences have cancelled
      const Simd<T> r(rest);
      variance = sum_of<T>(n,
                           [&](int64_t j, int64_t lanes) {
                             const Simd<T> d = z(j, lanes) - m - r;
                             return d * d;
                           }) /
                 T(n);
    }
  }
  return {mean, rest, 1 / sqrt_lane(variance + eps * z.scale() * z.scale()), z.scale()};
}

template <class T, class Row>
TARSIER_INLINE void layer_norm_row(int64_t n, const Row& z, const NormRow<T>& stats,
                                   const T* weight, const T* bias, T* y) {
  const Simd<T> rstd(stats.rstd);
  each<T>(n, [&](int64_t j, int64_t lanes) {
    const Simd<T> xhat = centred(z, stats, j, lanes) * rstd;
    store(y + j, fma(xhat, load_or(weight, j, lanes, T(1)), load_or(bias, j, lanes, T(0))), lanes);
  });
}

template <class T>
[[gnu::noinline]] NormRow<T> layer_norm_rescaled(int64_t n, const T* x, const T* weight,
                                                 const T* bias, T eps, T* y) {
  const Scaled<T> z = rescaled(n, x);
  const NormRow<T> stats = layer_norm_stats<T>(n, z, eps);
  layer_norm_row(n, z, stats, weight, bias, y);
  return stats;
}

template <class T>
void layer_norm(int64_t rows, int64_t n, const T* x, const T* weight, const T* bias, T eps, T* y,
                NormRow<T>* stats) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    stats[i] = layer_norm_stats<T>(n, Plain<T>{x}, eps);
    if (!ordinary(stats[i].rstd)) [[unlikely]]
      stats[i] = layer_norm_rescaled(n, x, weight, bias, eps, y);
    else if (is_plain(stats[i]))
      layer_norm_row(n, Plain<T>{x}, stats[i], weight, bias, y);
    else
      layer_norm_row(n, Scaled<T>{x, Simd<T>(T(1))}, stats[i], weight, bias, y);
  }
}

template <class T, class Row>
TARSIER_INLINE void layer_norm_dx(int64_t n, const Row& z, const NormRow<T>& stats, const T* weight,
                                  const T* dy, T* dx) {
  const Simd<T> rstd(stats.rstd);
  const auto xhat = [&](int64_t j, int64_t lanes) { return centred(z, stats, j, lanes) * rstd; };
  // g is stored in dx and not computed twice: with different roundings it would not cancel against
  // its mean.
  const Sums<T> sums = sums_of<T>(n, [&](int64_t j, int64_t lanes) {
    const Simd<T> g = load(dy + j, lanes) * load_or(weight, j, lanes, T(1));
    store(dx + j, g, lanes);
    return SimdPair<T>(g, g * xhat(j, lanes));
  });
  const Simd<T> g_mean(sums.a / T(n)), gx_mean(sums.b / T(n));
  each<T>(n, [&](int64_t j, int64_t lanes) {
    const Simd<T> dz = rstd * (load(dx + j, lanes) - g_mean - xhat(j, lanes) * gx_mean);
    store(dx + j, z.dx(dz), lanes);
  });
}

// ------------------------------------------------------------------------------------- rms norm

template <class T, class Row>
TARSIER_INLINE NormRow<T> rms_norm_stats(int64_t n, const Row& z, T eps) {
  const T mean_square = sum_of<T>(n,
                                  [&](int64_t j, int64_t lanes) {
                                    const Simd<T> v = z(j, lanes);
                                    return v * v;
                                  }) /
                        T(n);
  return {0, 0, 1 / sqrt_lane(mean_square + eps * z.scale() * z.scale()), z.scale()};
}

template <class T, class Row>
TARSIER_INLINE void rms_norm_row(int64_t n, const Row& z, const NormRow<T>& stats, const T* weight,
                                 T* y) {
  const Simd<T> rstd(stats.rstd);
  each<T>(n, [&](int64_t j, int64_t lanes) {
    store(y + j, z(j, lanes) * rstd * load_or(weight, j, lanes, T(1)), lanes);
  });
}

template <class T>
[[gnu::noinline]] NormRow<T> rms_norm_rescaled(int64_t n, const T* x, const T* weight, T eps,
                                               T* y) {
  const Scaled<T> z = rescaled(n, x);
  const NormRow<T> stats = rms_norm_stats<T>(n, z, eps);
  rms_norm_row(n, z, stats, weight, y);
  return stats;
}

template <class T>
void rms_norm(int64_t rows, int64_t n, const T* x, const T* weight, T eps, T* y,
              NormRow<T>* stats) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    stats[i] = rms_norm_stats<T>(n, Plain<T>{x}, eps);
    if (ordinary(stats[i].rstd)) [[likely]]
      rms_norm_row(n, Plain<T>{x}, stats[i], weight, y);
    else
      stats[i] = rms_norm_rescaled(n, x, weight, eps, y);
  }
}

template <class T, class Row>
TARSIER_INLINE void rms_norm_dx(int64_t n, const Row& z, const NormRow<T>& stats, const T* weight,
                                const T* dy, T* dx) {
  const Simd<T> rstd(stats.rstd);
  const auto xhat = [&](int64_t j, int64_t lanes) { return z(j, lanes) * rstd; };
  const Simd<T> gx_mean(sum_of<T>(n,
                                  [&](int64_t j, int64_t lanes) {
                                    const Simd<T> g =
                                        load(dy + j, lanes) * load_or(weight, j, lanes, T(1));
                                    store(dx + j, g, lanes);
                                    return g * xhat(j, lanes);
                                  }) /
                        T(n));
  each<T>(n, [&](int64_t j, int64_t lanes) {
    const Simd<T> dz = rstd * (load(dx + j, lanes) - xhat(j, lanes) * gx_mean);
    store(dx + j, z.dx(dz), lanes);
  });
}

// ------------------------------------------------------------------------------- weight and bias

/// dw = Σᵢ dyᵢ·x̂ᵢ and db = Σᵢ dyᵢ, for so many registers of columns at once that reading a row's
/// statistics costs little.
template <class T, bool all_plain, int registers>
TARSIER_INLINE void weight_grad_columns(int64_t rows, int64_t n, int64_t lanes, const T* x,
                                        const NormRow<T>* stats, const T* dy, T* dw, T* db) {
  constexpr int64_t width = Simd<T>::width;
  Simd<T> w[registers], b[registers];
  for (int r = 0; r < registers; ++r) w[r] = b[r] = Simd<T>(T(0));
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n) {
    const Simd<T> mean(stats[i].mean), rstd(stats[i].rstd);
    for (int r = 0; r < registers; ++r) {
      const Simd<T> g = load(dy + r * width, lanes);
      Simd<T> z = load(x + r * width, lanes);
      if constexpr (all_plain)
        z = z - mean;
      else
        z = z * Simd<T>(stats[i].scale) - mean - Simd<T>(stats[i].rest);
      w[r] += g * (z * rstd);
      b[r] += g;
    }
  }
  for (int r = 0; r < registers; ++r) {
    if (dw != nullptr) store(dw + r * width, w[r], lanes);
    if (db != nullptr) store(db + r * width, b[r], lanes);
  }
}

template <class T, bool all_plain>
void weight_grad(int64_t rows, int64_t n, const T* x, const NormRow<T>* stats, const T* dy, T* dw,
                 T* db) {
  constexpr int64_t width = Simd<T>::width;
  constexpr int registers = 4;
  const auto columns = [&]<int count>(int64_t j, int64_t lanes) {
    weight_grad_columns<T, all_plain, count>(rows, n, lanes, x + j, stats, dy + j,
                                             dw != nullptr ? dw + j : nullptr,
                                             db != nullptr ? db + j : nullptr);
  };
  int64_t j = 0;
  for (; j + registers * width <= n; j += registers * width)
    columns.template operator()<registers>(j, width);
  for (; j + width <= n; j += width) columns.template operator()<1>(j, width);
  if (j < n) columns.template operator()<1>(j, n - j);
}

template <class T>
void weight_grad(int64_t rows, int64_t n, const T* x, const NormRow<T>* stats, const T* dy, T* dw,
                 T* db) {
  int64_t i = 0;
  while (i < rows && is_plain(stats[i])) ++i;
  if (i == rows)
    weight_grad<T, true>(rows, n, x, stats, dy, dw, db);
  else
    weight_grad<T, false>(rows, n, x, stats, dy, dw, db);
}

template <class T>
void layer_norm_grad(int64_t rows, int64_t n, const T* x, const T* weight, const NormRow<T>* stats,
                     const T* dy, T* dx, T* dw, T* db) {
  if (dw != nullptr || db != nullptr) weight_grad(rows, n, x, stats, dy, dw, db);
  if (dx == nullptr) return;
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n, dx += n) {
    if (is_plain(stats[i]))
      layer_norm_dx(n, Plain<T>{x}, stats[i], weight, dy, dx);
    else
      layer_norm_dx(n, Scaled<T>{x, Simd<T>(stats[i].scale)}, stats[i], weight, dy, dx);
  }
}

template <class T>
void rms_norm_grad(int64_t rows, int64_t n, const T* x, const T* weight, const NormRow<T>* stats,
                   const T* dy, T* dx, T* dw) {
  if (dw != nullptr) weight_grad<T>(rows, n, x, stats, dy, dw, nullptr);
  if (dx == nullptr) return;
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n, dx += n) {
    if (stats[i].scale == 1) [[likely]]
      rms_norm_dx(n, Plain<T>{x}, stats[i], weight, dy, dx);
    else
      rms_norm_dx(n, Scaled<T>{x, Simd<T>(stats[i].scale)}, stats[i], weight, dy, dx);
  }
}

// -------------------------------------------------------------------------------------- channels

template <class T>
void affine(int64_t n, const T* x, T w, T b, T* y) {
  const Simd<T> scale(w), shift(b);
  each<T>(n, [=](int64_t j, int64_t lanes) {
    store(y + j, fma(load(x + j, lanes), scale, shift), lanes);
  });
}

template <class T>
void affine_grad(int64_t n, const T* x, T w, const T* dy, T* dx, T* dw, T* db) {
  const Simd<T> scale(w);
  const Sums<T> sums = sums_of<T>(n, [=](int64_t j, int64_t lanes) {
    const Simd<T> g = load(dy + j, lanes);
    if (dx != nullptr) store(dx + j, g * scale, lanes);
    return SimdPair<T>(g * load(x + j, lanes), g);
  });
  *dw = sums.a;
  *db = sums.b;
}

}  // namespace

template <class T>
NormKernels<T> norm_kernels() {
  return {layer_norm<T>,    layer_norm_grad<T>, rms_norm<T>,
          rms_norm_grad<T>, affine<T>,          affine_grad<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
NormKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::norm_kernels<float>();
}
template <>
NormKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::norm_kernels<double>();
}

}  // namespace tarsier::kernels
