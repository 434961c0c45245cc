// Elementwise kernels: each op is a functor on a vector, and a handful of loops apply them.
#include "autograd/loops/elementwise.kernel.h"

#include "autograd/simd/activation.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/simd.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

// clang-format off
// ------------------------------------------------------------------------------ y = f(x)

struct Neg     { template <class V> TARSIER_INLINE V operator()(V x) const { return -x; } };
struct Abs     { template <class V> TARSIER_INLINE V operator()(V x) const { return abs(x); } };
struct Exp     { template <class V> TARSIER_INLINE V operator()(V x) const { return exp(x); } };
struct Expm1   { template <class V> TARSIER_INLINE V operator()(V x) const { return expm1(x); } };
struct Log     { template <class V> TARSIER_INLINE V operator()(V x) const { return log(x); } };
struct Log1p   { template <class V> TARSIER_INLINE V operator()(V x) const { return log1p(x); } };
struct Sqrt    { template <class V> TARSIER_INLINE V operator()(V x) const { return sqrt(x); } };
struct Square  { template <class V> TARSIER_INLINE V operator()(V x) const { return x * x; } };
struct Sin     { template <class V> TARSIER_INLINE V operator()(V x) const { return sin(x); } };
struct Cos     { template <class V> TARSIER_INLINE V operator()(V x) const { return cos(x); } };
struct Tanh    { template <class V> TARSIER_INLINE V operator()(V x) const { return tanh(x); } };
struct Sigmoid { template <class V> TARSIER_INLINE V operator()(V x) const { return sigmoid(x); } };
struct Erf     { template <class V> TARSIER_INLINE V operator()(V x) const { return erf(x); } };

/// The number `c` in all lanes of a vector of type V.
template <class V>
TARSIER_INLINE V all(double c) { return V(static_cast<typename V::Lane>(c)); }

struct Sign {
  template <class V>
  TARSIER_INLINE V operator()(V x) const {
    const V zero = all<V>(0), one = all<V>(1);
    return select(x > zero, one, zero) - select(x < zero, one, zero);
  }
};
struct Rsqrt {
  template <class V>
  TARSIER_INLINE V operator()(V x) const { return all<V>(1) / sqrt(x); }
};
struct Reciprocal {
  template <class V>
  TARSIER_INLINE V operator()(V x) const { return all<V>(1) / x; }
};

// ------------------------------------------------- gradients of activations dx = dy·f′(x)

struct TanhGrad {
  template <class V>
  TARSIER_INLINE V operator()(V y, V dy) const { return dy * (all<V>(1) - y * y); }
};
struct SigmoidGrad {
  template <class V>
  TARSIER_INLINE V operator()(V y, V dy) const { return dy * (y * (all<V>(1) - y)); }
};
struct ReluGrad {
  template <class V>
  TARSIER_INLINE V operator()(V y, V dy) const {
    const V zero = all<V>(0);
    return select(y > zero, dy, zero);
  }
};

/// gelu: (x·Φ)′ = Φ + x·φ.
struct GeluGrad {
  template <class V>
  TARSIER_INLINE V operator()(V x, V dy) const {
    const auto [cdf, pdf] = normal(x);
    return dy * fma(x, pdf, cdf);
  }
};

/// gelu_tanh: (x·σ(v))′ = σ + x·σ(1 − σ)·v′ with v = 2u, v′ = 2√(2/π)(1 + 3·0.044715x²). Beyond ±10⁴
/// it has long been 0 or 1, and x² may be no number.
struct GeluTanhGrad {
  template <class V>
  TARSIER_INLINE V operator()(V any_x, V dy) const {
    constexpr double a = GeluTanh::a, b = GeluTanh::b;
    const V x = clamp(any_x, typename V::Lane(-1e4), typename V::Lane(1e4));
    const V x2 = x * x, s = sigmoid(x * fma(x2, all<V>(a * b), all<V>(a)));
    const V x_dv = x * fma(x2, all<V>(3 * a * b), all<V>(a));
    return dy * fma(s * (all<V>(1) - s), x_dv, s);
  }
};

/// silu: (x·σ)′ = σ + x·σ(1 − σ).
struct SiluGrad {
  template <class V>
  TARSIER_INLINE V operator()(V x, V dy) const {
    const V s = sigmoid(x);
    return dy * fma(s * (all<V>(1) - s), x, s);
  }
};

/// log(1 + eˣ) = max(x, 0) + log(1 + e^{−|x|}), where nothing overflows.
struct Softplus {
  template <class V>
  TARSIER_INLINE V operator()(V x) const { return max(all<V>(0), x) + log1p(exp_flush(-abs(x))); }
};

// ------------------------------------------------------------------------------ y = f(a, b)

struct Add { template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a + b; } };
struct Sub { template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a - b; } };
struct Mul { template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a * b; } };
struct Div { template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a / b; } };
struct Pow { template <class V> TARSIER_INLINE V operator()(V a, V b) const { return pow(a, b); } };
struct Minimum {
  template <class V>
  TARSIER_INLINE V operator()(V a, V b) const { return select(a != a, a, min(a, b)); }
};
struct Maximum {
  template <class V>
  TARSIER_INLINE V operator()(V a, V b) const { return select(a != a, a, max(a, b)); }
};

// On single elements: the compiler makes vectors of these, with their narrowing to bool.
struct Eq { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a == b; } };
struct Ne { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a != b; } };
struct Lt { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a < b; } };
struct Le { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a <= b; } };
struct Gt { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a > b; } };
struct Ge { template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a >= b; } };

// clang-format on
// ------------------------------------------------------------------------------ loops

template <class F, class T>
void unary_loop(int64_t n, const T* x, T* y) {
  using V = Simd<T>;
  int64_t i = 0;
  for (; i + V::width <= n; i += V::width) F{}(V::load(x + i)).store(y + i);
  if (i < n) F{}(V::load(x + i, n - i)).store(y + i, n - i);
}

template <class F, class T>
void unary_grad_loop(int64_t n, const T* saved, const T* dy, T* dx) {
  using V = Simd<T>;
  int64_t i = 0;
  for (; i + V::width <= n; i += V::width) F{}(V::load(saved + i), V::load(dy + i)).store(dx + i);
  if (i < n) F{}(V::load(saved + i, n - i), V::load(dy + i, n - i)).store(dx + i, n - i);
}

/// `width` (or the last few) operands from any stride.
template <class T>
TARSIER_INLINE Simd<T> gather(const T* p, int64_t stride, int64_t n) {
  alignas(typename Simd<T>::Vector) T lanes[Simd<T>::width] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i * stride];
  return Simd<T>::load(lanes);
}

/// Where an operand's vectors come from; one loop is compiled for each combination.
template <class T>
struct Dense {
  const T* p;
  TARSIER_INLINE Simd<T> operator()(int64_t i) const { return Simd<T>::load(p + i); }
  TARSIER_INLINE Simd<T> operator()(int64_t i, int64_t n) const { return Simd<T>::load(p + i, n); }
};
template <class T>
struct Repeated {
  Simd<T> value;
  TARSIER_INLINE Simd<T> operator()(int64_t) const { return value; }
  TARSIER_INLINE Simd<T> operator()(int64_t, int64_t) const { return value; }
};
template <class T>
struct Strided {
  const T* p;
  int64_t stride;
  TARSIER_INLINE Simd<T> operator()(int64_t i) const { return (*this)(i, Simd<T>::width); }
  TARSIER_INLINE Simd<T> operator()(int64_t i, int64_t n) const {
    return gather(p + i * stride, stride, n);
  }
};

template <class F, class T, class A, class B>
TARSIER_INLINE void binary_run(int64_t n, A a, B b, T* y) {
  constexpr int width = Simd<T>::width;
  int64_t i = 0;
  for (; i + width <= n; i += width) F{}(a(i), b(i)).store(y + i);
  if (i < n) F{}(a(i, n - i), b(i, n - i)).store(y + i, n - i);
}

template <class F, class T>
void binary_loop(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* y) {
  if (n == 0) return;  // nothing to repeat
  if (a_stride == 1 && b_stride == 1) return binary_run<F>(n, Dense<T>{a}, Dense<T>{b}, y);
  if (a_stride == 1 && b_stride == 0) return binary_run<F>(n, Dense<T>{a}, Repeated<T>{*b}, y);
  if (a_stride == 0 && b_stride == 1) return binary_run<F>(n, Repeated<T>{*a}, Dense<T>{b}, y);
  binary_run<F>(n, Strided<T>{a, a_stride}, Strided<T>{b, b_stride}, y);
}

template <class F, class T>
void compare_loop(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride, bool* y) {
  if (n == 0) return;
  if (a_stride == 1 && b_stride == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = F{}(a[i], b[i]);
  } else if (a_stride == 1 && b_stride == 0) {
    const T value = *b;
    for (int64_t i = 0; i < n; ++i) y[i] = F{}(a[i], value);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = F{}(a[i * a_stride], b[i * b_stride]);
  }
}

/// y = mask ? a : b. Both operands are read whatever the mask says, and the mask as bytes, so that
/// the compiler can make vectors.
template <class T, class A, class B>
TARSIER_INLINE void select_run(int64_t n, const bool* mask, A a, B b, T* y) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(mask);
  for (int64_t i = 0; i < n; ++i) {
    const T yes = a(i), no = b(i);
    y[i] = bytes[i] != 0 ? yes : no;
  }
}

template <class T>
void select_loop(int64_t n, const bool* mask, int64_t mask_stride, const T* a, int64_t a_stride,
                 const T* b, int64_t b_stride, T* y) {
  if (n == 0) return;
  const T a0 = *a, b0 = *b;
  const auto as = [a](int64_t i) { return a[i]; };
  const auto bs = [b](int64_t i) { return b[i]; };
  const auto same_a = [a0](int64_t) { return a0; };
  const auto same_b = [b0](int64_t) { return b0; };
  if (mask_stride == 1) {
    if (a_stride == 1 && b_stride == 1) return select_run(n, mask, as, bs, y);
    if (a_stride == 0 && b_stride == 1) return select_run(n, mask, same_a, bs, y);
    if (a_stride == 1 && b_stride == 0) return select_run(n, mask, as, same_b, y);
  }
  for (int64_t i = 0; i < n; ++i) y[i] = mask[i * mask_stride] ? a[i * a_stride] : b[i * b_stride];
}

template <class T>
void axpby(int64_t n, T alpha, const T* x, T beta, T* y) {
  using V = Simd<T>;
  const V va = alpha, vb = beta;
  int64_t i = 0;
  if (beta == T(0)) {
    for (; i + V::width <= n; i += V::width) (va * V::load(x + i)).store(y + i);
    if (i < n) (va * V::load(x + i, n - i)).store(y + i, n - i);
    return;
  }
  for (; i + V::width <= n; i += V::width)
    fma(va, V::load(x + i), vb * V::load(y + i)).store(y + i);
  if (i < n) fma(va, V::load(x + i, n - i), vb * V::load(y + i, n - i)).store(y + i, n - i);
}

}  // namespace

template <class T>
ElementwiseKernels<T> elementwise_kernels() {
  return {
      .unary = {unary_loop<Neg, T>,        unary_loop<Abs, T>,    unary_loop<Sign, T>,
                unary_loop<Exp, T>,        unary_loop<Expm1, T>,  unary_loop<Log, T>,
                unary_loop<Log1p, T>,      unary_loop<Sqrt, T>,   unary_loop<Rsqrt, T>,
                unary_loop<Reciprocal, T>, unary_loop<Square, T>, unary_loop<Sin, T>,
                unary_loop<Cos, T>,        unary_loop<Tanh, T>,   unary_loop<Sigmoid, T>,
                unary_loop<Relu, T>,       unary_loop<Erf, T>,    unary_loop<Gelu, T>,
                unary_loop<GeluTanh, T>,   unary_loop<Silu, T>,   unary_loop<Softplus, T>},
      .unary_grad = {unary_grad_loop<TanhGrad, T>, unary_grad_loop<SigmoidGrad, T>,
                     unary_grad_loop<ReluGrad, T>, unary_grad_loop<GeluGrad, T>,
                     unary_grad_loop<GeluTanhGrad, T>, unary_grad_loop<SiluGrad, T>},
      .binary = {binary_loop<Add, T>, binary_loop<Sub, T>, binary_loop<Mul, T>, binary_loop<Div, T>,
                 binary_loop<Pow, T>, binary_loop<Minimum, T>, binary_loop<Maximum, T>},
      .compare = {compare_loop<Eq, T>, compare_loop<Ne, T>, compare_loop<Lt, T>,
                  compare_loop<Le, T>, compare_loop<Gt, T>, compare_loop<Ge, T>},
      .select = select_loop<T>,
      .axpby = axpby<T>,
  };
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
ElementwiseKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::elementwise_kernels<float>();
}
template <>
ElementwiseKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::elementwise_kernels<double>();
}

}  // namespace tarsier::kernels
