#pragma once
// The activations that matmul can apply to its result, as functors on vectors: one formula for the
// op (loops/elementwise.kernel.cpp) and for the fused tail (gemm.kernel.cpp), so both give the same bits.

#include "math.h"
#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// max(0, x). NaN stays NaN: max returns its second argument then.
struct Relu {
  template <class T>
  TARSIER_INLINE Simd<T> operator()(Simd<T> x) const {
    return max(Simd<T>(T(0)), x);
  }
};

/// x · Φ(x), with Φ the distribution of a normal variable.
struct Gelu {
  template <class T>
  TARSIER_INLINE Simd<T> operator()(Simd<T> x) const {
    return x * normal(x).cdf;
  }
};

/// ½x(1 + tanh u) with u = √(2/π)(x + 0.044715x³). As ½(1 + tanh u) = σ(2u) = 1/(1 + e^{−2u}), one
/// exponential and one division do.
struct GeluTanh {
  static constexpr double a = 1.5957691216057308, b = 0.044715;  // 2√(2/π)
  template <class T>
  TARSIER_INLINE Simd<T> operator()(Simd<T> x) const {
    return x * sigmoid(x * fma(x * x, Simd<T>(T(a * b)), Simd<T>(T(a))));
  }
};

/// x · σ(x).
struct Silu {
  template <class T>
  TARSIER_INLINE Simd<T> operator()(Simd<T> x) const {
    return x * sigmoid(x);
  }
};

}  // namespace tarsier::kernels::TARSIER_ISA
