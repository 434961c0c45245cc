// Elementwise kernels: each op is a functor on a vector; a few loops apply them.
#include "autograd/loops/elementwise.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/math.h"
#include "autograd/simd/pow.h"
#include "autograd/simd/simd.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

// clang-format off
// ------------------------------------------------------------------------------ y = f(a, b)

template <Binary> struct BinaryFunction;

template <> struct BinaryFunction<Binary::add> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a + b; }
};
template <> struct BinaryFunction<Binary::sub> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a - b; }
};
template <> struct BinaryFunction<Binary::mul> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a * b; }
};
template <> struct BinaryFunction<Binary::div> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const { return a / b; }
};
template <> struct BinaryFunction<Binary::pow> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const { return pow(a, b); }
  TARSIER_INLINE Simd<float> operator()(Simd<float> a, Simd<float> b) const { return pow_floats(a, b); }
};
template <> struct BinaryFunction<Binary::minimum> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const {
    return select(a != a, a, min(a, b));
  }
};
template <> struct BinaryFunction<Binary::maximum> {
  template <class V> TARSIER_INLINE V operator()(V a, V b) const {
    return select(a != a, a, max(a, b));
  }
};

/// On single elements: the compiler vectorises these, including the narrowing to bool.
template <Compare> struct CompareFunction;

template <> struct CompareFunction<Compare::eq> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a == b; }
};
template <> struct CompareFunction<Compare::ne> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a != b; }
};
template <> struct CompareFunction<Compare::lt> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a < b; }
};
template <> struct CompareFunction<Compare::le> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a <= b; }
};
template <> struct CompareFunction<Compare::gt> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a > b; }
};
template <> struct CompareFunction<Compare::ge> {
  template <class T> TARSIER_INLINE bool operator()(T a, T b) const { return a >= b; }
};

// clang-format on
// ------------------------------------------------------------------------------ loops

/// `width` (or the last few) operands at any stride.
template <class T>
TARSIER_INLINE Simd<T> gather(const T* p, int64_t stride, int64_t n) {
  alignas(typename Simd<T>::Vector) T lanes[Simd<T>::width] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i * stride];
  return Simd<T>::load(lanes);
}

/// The source of an operand's vectors; one loop is compiled for each combination.
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

/// y = mask ? a : b. Both operands are always read, and the mask as bytes, so that the compiler can
/// vectorise the loop.
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

template <class T, int... f, int... c>
ElementwiseKernels<T> elementwise_kernels(Lanes<f...>, Lanes<c...>) {
  return {.binary = {binary_loop<BinaryFunction<static_cast<Binary>(f)>, T>...},
          .compare = {compare_loop<CompareFunction<static_cast<Compare>(c)>, T>...},
          .select = select_loop<T>,
          .axpby = axpby<T>};
}

}  // namespace

template <class T>
ElementwiseKernels<T> elementwise_kernels() {
  return elementwise_kernels<T>(MakeLanes<static_cast<int>(Binary::count)>::Type(),
                                MakeLanes<static_cast<int>(Compare::count)>::Type());
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
