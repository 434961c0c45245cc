#pragma once
// One result per element: y = f(x), y = f(a, b), comparisons, and gradients of activations.

#include <cstdint>

namespace tarsier::kernels {

// clang-format off
/// y = f(x). gelu is x·Φ(x), gelu_tanh its approximation with tanh, softplus log(1 + eˣ).
enum class Unary : uint8_t {
  neg, abs, sign, exp, expm1, log, log1p, sqrt, rsqrt, reciprocal, square, sin, cos, tanh, sigmoid,
  relu, erf, gelu, gelu_tanh, silu, softplus,
  count
};
// clang-format on

/// dx = dy · f′, from what f's backward keeps: its argument x or its result y.
enum class UnaryGrad : uint8_t {
  tanh,       ///< dy · (1 − y²)        from y
  sigmoid,    ///< dy · y · (1 − y)     from y
  relu,       ///< dy where y > 0       from y
  gelu,       ///< dy · (Φ(x) + x·φ(x)) from x
  gelu_tanh,  ///< from x
  silu,       ///< dy · (σ + x·σ·(1 − σ)) from x
  count
};

/// y = f(a, b). minimum and maximum are NaN where a or b is.
enum class Binary : uint8_t { add, sub, mul, div, pow, minimum, maximum, count };

enum class Compare : uint8_t { eq, ne, lt, le, gt, ge, count };

/// Results are contiguous. A stride is the distance, in elements, of successive operands: 1 and 0
/// (the same operand every time) have fast loops, others are gathered. Results may replace an
/// operand (the same pointer and stride 1), but not overlap one otherwise.
template <class T>
struct ElementwiseKernels {
  using UnaryKernel = void(int64_t n, const T* x, T* y);
  using UnaryGradKernel = void(int64_t n, const T* saved, const T* dy, T* dx);
  using BinaryKernel = void(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                            T* y);
  using CompareKernel = void(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                             bool* y);

  UnaryKernel* unary[static_cast<int>(Unary::count)];
  UnaryGradKernel* unary_grad[static_cast<int>(UnaryGrad::count)];
  BinaryKernel* binary[static_cast<int>(Binary::count)];
  CompareKernel* compare[static_cast<int>(Compare::count)];

  /// y = mask ? a : b.
  void (*select)(int64_t n, const bool* mask, int64_t mask_stride, const T* a, int64_t a_stride,
                 const T* b, int64_t b_stride, T* y);
  /// y = alpha·x + beta·y. With beta = 0 the old y is not looked at: NaN there does no harm.
  void (*axpby)(int64_t n, T alpha, const T* x, T beta, T* y);
};

}  // namespace tarsier::kernels
