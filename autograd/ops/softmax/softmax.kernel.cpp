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

// ---- Columns. Row after row is read, which memory likes, and what is known of each column is kept
// in an array: so many columns at a time that the arrays stay in the L1 cache.

constexpr int64_t kStrip = 256;

/// Calls body(first, w) for the strips of the columns, w columns from `first` on.
template <class Body>
TARSIER_INLINE void each_strip(int64_t columns, const Body& body) {
  for (int64_t first = 0; first < columns; first += kStrip)
    body(first, least(kStrip, columns - first));
}

/// to[j] = value for w columns.
template <class T>
TARSIER_INLINE void fill(int64_t w, T value, T* to) {
  each<T>(w, [=](int64_t j, int64_t lanes) { store(to + j, Simd<T>(value), lanes); });
}

/// The largest element of each column; NaN may get lost, as in row_max.
template <class T>
TARSIER_INLINE void column_max(int64_t n, int64_t w, int64_t step, const T* x, T* most) {
  fill(w, MaxNumberOp<T>::identity, most);
  for (int64_t i = 0; i < n; ++i, x += step)
    each<T>(w, [=](int64_t j, int64_t lanes) {
      store(most + j, max(load(most + j, lanes), load(x + j, lanes)), lanes);
    });
}

/// Σ_i value(i, j, lanes) for each column j. Every kChain rows have a sum of their own, so that the
/// error does not grow with n.
template <class T, class Value>
TARSIER_INLINE void column_sums(int64_t n, int64_t w, T* sums, const Value& value) {
  constexpr int64_t kChain = 64;
  T chain[kStrip];
  fill(w, T(0), sums);
  for (int64_t first = 0; first < n; first += kChain) {
    fill(w, T(0), chain);
    for (int64_t i = first; i < least(first + kChain, n); ++i)
      each<T>(w, [&](int64_t j, int64_t lanes) {
        store(chain + j, load(chain + j, lanes) + value(i, j, lanes), lanes);
      });
    each<T>(w, [&](int64_t j, int64_t lanes) {
      store(sums + j, load(sums + j, lanes) + load(chain + j, lanes), lanes);
    });
  }
}

/// Calls body(element, j, lanes) for all elements of a strip.
template <class T, class Body>
TARSIER_INLINE void each_element(int64_t n, int64_t w, int64_t step, const Body& body) {
  for (int64_t i = 0; i < n; ++i)
    each<T>(w, [&](int64_t j, int64_t lanes) { body(i * step + j, j, lanes); });
}

template <class T>
void softmax_columns(int64_t n, int64_t columns, int64_t step, const T* all_x, T* all_y) {
  each_strip(columns, [&](int64_t first, int64_t w) {
    const T* x = all_x + first;
    T *y = all_y + first, most[kStrip], sums[kStrip];
    column_max(n, w, step, x, most);
    column_sums<T>(n, w, sums, [&](int64_t i, int64_t j, int64_t lanes) {
      const Simd<T> e = exp(load(x + i * step + j, lanes) - load(most + j, lanes));
      store(y + i * step + j, e, lanes);
      return e;
    });
    each<T>(w, [&](int64_t j, int64_t lanes) {
      store(sums + j, Simd<T>(T(1)) / load(sums + j, lanes), lanes);
    });
    each_element<T>(n, w, step, [&](int64_t at, int64_t j, int64_t lanes) {
      store(y + at, load(y + at, lanes) * load(sums + j, lanes), lanes);
    });
  });
}

template <class T>
void softmax_columns_grad(int64_t n, int64_t columns, int64_t step, const T* all_y, const T* all_dy,
                          T* all_dx) {
  each_strip(columns, [&](int64_t first, int64_t w) {
    const T *y = all_y + first, *dy = all_dy + first;
    T *dx = all_dx + first, dots[kStrip];
    column_sums<T>(n, w, dots, [&](int64_t i, int64_t j, int64_t lanes) {
      const int64_t at = i * step + j;
      return load(y + at, lanes) * load(dy + at, lanes);
    });
    each_element<T>(n, w, step, [&](int64_t at, int64_t j, int64_t lanes) {
      store(dx + at, load(y + at, lanes) * (load(dy + at, lanes) - load(dots + j, lanes)), lanes);
    });
  });
}

template <class T>
void log_softmax_columns(int64_t n, int64_t columns, int64_t step, const T* all_x, T* all_y) {
  each_strip(columns, [&](int64_t first, int64_t w) {
    const T* x = all_x + first;
    T *y = all_y + first, most[kStrip], sums[kStrip];
    column_max(n, w, step, x, most);
    column_sums<T>(n, w, sums, [&](int64_t i, int64_t j, int64_t lanes) {
      return exp(load(x + i * step + j, lanes) - load(most + j, lanes));
    });
    each<T>(w,
            [&](int64_t j, int64_t lanes) { store(sums + j, log(load(sums + j, lanes)), lanes); });
    each_element<T>(n, w, step, [&](int64_t at, int64_t j, int64_t lanes) {
      store(y + at, load(x + at, lanes) - load(most + j, lanes) - load(sums + j, lanes), lanes);
    });
  });
}

template <class T>
void log_softmax_columns_grad(int64_t n, int64_t columns, int64_t step, const T* all_y,
                              const T* all_dy, T* all_dx) {
  each_strip(columns, [&](int64_t first, int64_t w) {
    const T *y = all_y + first, *dy = all_dy + first;
    T *dx = all_dx + first, sums[kStrip];
    column_sums<T>(n, w, sums, [&](int64_t i, int64_t j, int64_t lanes) {
      return load(dy + i * step + j, lanes);
    });
    each_element<T>(n, w, step, [&](int64_t at, int64_t j, int64_t lanes) {
      store(dx + at, load(dy + at, lanes) - exp(load(y + at, lanes)) * load(sums + j, lanes),
            lanes);
    });
  });
}

}  // namespace

template <class T>
SoftmaxKernels<T> softmax_kernels() {
  return {softmax<T>,
          softmax_grad<T>,
          log_softmax<T>,
          log_softmax_grad<T>,
          logsumexp<T>,
          softmax_columns<T>,
          softmax_columns_grad<T>,
          log_softmax_columns<T>,
          log_softmax_columns_grad<T>};
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
