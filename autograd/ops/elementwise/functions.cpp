// Elementary functions of one argument. Each stands with its derivative.
#include <numbers>

#include "autograd/loops/elementwise.h"
#include "autograd/ops.h"

namespace tarsier {

using detail::unary;
using kernels::Unary;
using kernels::UnaryGrad;

// ------------------------------------------------------------------------------------- |x|, sign

/// y = |x|.   dx = dy · sign(x)     saved: x
Tensor abs(const Arg& x) {
  if (x.dtype() == i64) {
    Tensor y = Tensor::empty(x.shape(), i64);
    detail::map_elements<int64_t, int64_t>(x, y, [](int64_t v) { return v < 0 ? -v : v; });
    return y;
  }
  return record(
      "abs", {x}, unary(Unary::abs, x, "abs"), Save{x},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * sign(saved[0])}; });
}

/// y = −1, 0 or 1.   dx = 0
Tensor sign(const Arg& x) {
  if (x.dtype() == i64) {
    Tensor y = Tensor::empty(x.shape(), i64);
    detail::map_elements<int64_t, int64_t>(x, y, [](int64_t v) { return (v > 0) - (v < 0); });
    return y;
  }
  return record("sign", {x}, unary(Unary::sign, x, "sign"), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {zeros_like(dy)}; });
}

// ------------------------------------------------------------------------------------- exp, log

/// y = eˣ.   dx = dy · y     saved: y
Tensor exp(const Arg& x) {
  Tensor y = unary(Unary::exp, x, "exp");
  return record("exp", {x}, y, Save{y},
                [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * saved[0]}; });
}

/// y = eˣ − 1.   dx = dy · (y + 1)     saved: y
Tensor expm1(const Arg& x) {
  Tensor y = unary(Unary::expm1, x, "expm1");
  return record("expm1", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * (saved[0] + 1)};
  });
}

/// y = ln x.   dx = dy / x     saved: x
Tensor log(const Arg& x) {
  return record("log", {x}, unary(Unary::log, x, "log"), Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads { return {dy / saved[0]}; });
}

/// y = ln(1 + x).   dx = dy / (1 + x)     saved: x
Tensor log1p(const Arg& x) {
  return record(
      "log1p", {x}, unary(Unary::log1p, x, "log1p"), Save{x},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {dy / (1 + saved[0])}; });
}

// ------------------------------------------------------------------------------------- x², √x

/// y = √x.   dx = dy / (2y)     saved: y
Tensor sqrt(const Arg& x) {
  Tensor y = unary(Unary::sqrt, x, "sqrt");
  return record("sqrt", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy / (2 * saved[0])};
  });
}

/// y = 1/√x.   dx = −dy · y³ / 2     saved: y
Tensor rsqrt(const Arg& x) {
  Tensor y = unary(Unary::rsqrt, x, "rsqrt");
  return record("rsqrt", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * (-0.5 * pow(saved[0], 3))};
  });
}

/// y = x².   dx = 2 · dy · x     saved: x
Tensor square(const Arg& x) {
  return record(
      "square", {x}, unary(Unary::square, x, "square"), Save{x},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * (2 * saved[0])}; });
}

// ------------------------------------------------------------------------------------- sin, cos

/// y = sin x.   dx = dy · cos x     saved: x
Tensor sin(const Arg& x) {
  return record("sin", {x}, unary(Unary::sin, x, "sin"), Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * cos(saved[0])}; });
}

/// y = cos x.   dx = −dy · sin x     saved: x
Tensor cos(const Arg& x) {
  return record(
      "cos", {x}, unary(Unary::cos, x, "cos"), Save{x},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {-dy * sin(saved[0])}; });
}

// ------------------------------------------------------------------------------------- tanh, erf

/// y = tanh x.   dx = dy · (1 − y²)     saved: y
Tensor tanh(const Arg& x) {
  Tensor y = unary(Unary::tanh, x, "tanh");
  return record("tanh", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (!grad_enabled()) return {detail::unary_grad(UnaryGrad::tanh, y, dy, "tanh")};
    return {dy * (1 - y * y)};
  });
}

/// y = erf x = 2/√π ∫₀ˣ e^{−t²} dt.   dx = dy · 2/√π · e^{−x²}     saved: x
Tensor erf(const Arg& x) {
  return record("erf", {x}, unary(Unary::erf, x, "erf"), Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  constexpr double two_over_sqrt_pi = 2 * std::numbers::inv_sqrtpi;
                  return {dy * (two_over_sqrt_pi * exp(-square(saved[0])))};
                });
}

}  // namespace tarsier
