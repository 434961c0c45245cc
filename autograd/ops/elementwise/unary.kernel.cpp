// Two loops, compiled for every function of functions.h.
#include "autograd/ops/elementwise/unary.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/libm.h"
#include "autograd/simd/math.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

// Flattened: the formulas are ordinary functions that must be inlined into the loop.

template <class F, class T>
[[gnu::flatten]] void value_loop(int64_t n, const T* x, T* y, double a, double b) {
  using V = Simd<T>;
  const V va = all<V>(a), vb = all<V>(b);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    store(y + i, value_of<F>(load(x + i, lanes), va, vb), lanes);
  });
}

template <class F, class T>
[[gnu::flatten]] void grad_loop(int64_t n, const T* saved, const T* dy, T* dx, double a, double b) {
  using V = Simd<T>;
  const T* from = F::saves == Saves::nothing ? dy : saved;
  const V va = all<V>(a), vb = all<V>(b);
  each<T>(n, [=](int64_t i, int64_t lanes) {
    const V dx_i = grad_of<F>(load(from + i, lanes), load(dy + i, lanes), va, vb);
    store(dx + i, dx_i, lanes);
  });
}

template <class T, int... f>
UnaryKernels<T> unary_kernels(Lanes<f...>) {
  return {{value_loop<Function<static_cast<Unary>(f)>, T>...},
          {grad_loop<Function<static_cast<Unary>(f)>, T>...}};
}

}  // namespace

template <class T>
UnaryKernels<T> unary_kernels() {
  return unary_kernels<T>(MakeLanes<static_cast<int>(Unary::count)>::Type());
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
UnaryKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::unary_kernels<float>();
}
template <>
UnaryKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::unary_kernels<double>();
}

}  // namespace tarsier::kernels
