// Activations. Those that networks spend their time in have a kernel for their gradient, which
// makes one pass over memory where the formula in ops would make ten; the formula stands beside it
// and is what higher derivatives use.
#include <numbers>

#include "autograd/loops/elementwise.h"
#include "autograd/ops.h"

namespace tarsier {

using detail::unary;
using detail::unary_grad;
using kernels::Unary;
using kernels::UnaryGrad;

/// y = 1 / (1 + e⁻ˣ).   dx = dy · y · (1 − y)     saved: y
Tensor sigmoid(const Arg& x) {
  Tensor y = unary(Unary::sigmoid, x, "sigmoid");
  return record("sigmoid", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (!grad_enabled()) return {unary_grad(UnaryGrad::sigmoid, y, dy, "sigmoid")};
    return {dy * (y * (1 - y))};
  });
}

/// y = max(x, 0).   dx = dy where y > 0     saved: y
Tensor relu(const Arg& x) {
  Tensor y = unary(Unary::relu, x, "relu");
  return record("relu", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (!grad_enabled()) return {unary_grad(UnaryGrad::relu, y, dy, "relu")};
    return {where(y > 0, dy, 0.0)};
  });
}

/// y = x where x > 0, otherwise slope · x.   dx = dy, or slope · dy     saved: x
Tensor leaky_relu(const Arg& x, double negative_slope) {
  Tensor y = dispatch_floating(x.dtype(), "leaky_relu", [&]<class T>() {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    const T slope = static_cast<T>(negative_slope);
    detail::map_elements<T, T>(x, y, [slope](T v) { return v > 0 ? v : slope * v; });
    return y;
  });
  return record("leaky_relu", {x}, y, Save{x},
                [slope = negative_slope](const Saved& saved, const Tensor& dy) -> Grads {
                  return {where(saved[0] > 0, dy, dy * slope)};
                });
}

/// y = x where x > 0, otherwise α(eˣ − 1).   dx = dy, or dy · α eˣ     saved: x
/// α eˣ is y + α as well, but far below 0, where y is nearly −α, that sum has no digits left.
/// Source: Clevert, Unterthiner & Hochreiter 2016.
Tensor elu(const Arg& x, double alpha) {
  Tensor y;
  {
    NoGrad guard;
    y = where(x > 0, x, expm1(x) * alpha);
  }
  return record("elu", {x}, y, Save{x}, [alpha](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor x = saved[0], is_linear = x > 0;
    // 0 where it is not used: an infinite eˣ there would make NaN of second derivatives.
    const Tensor below = where(is_linear, 0.0, x);
    return {where(is_linear, dy, dy * (alpha * exp(below)))};
  });
}

// ------------------------------------------------------------------------------------- gelu

namespace {

/// (x · Φ)′ = Φ + x · φ, with Φ = ½(1 + erf(x/√2)) and φ = Φ′ = e^{−x²/2}/√(2π).
Tensor gelu_slope(const Tensor& x) {
  constexpr double inv_sqrt2 = 1 / std::numbers::sqrt2;
  constexpr double inv_sqrt_2pi = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  const Tensor cdf = 0.5 * (1 + erf(x * inv_sqrt2));
  const Tensor pdf = inv_sqrt_2pi * exp(-0.5 * square(x));
  return cdf + x * pdf;
}

/// y = ½x(1 + tanh u) with u = c(x + 0.044715x³), so
/// y′ = ½(1 + tanh u) + ½x(1 − tanh² u) · c(1 + 3 · 0.044715x²). Beyond ±10⁴ it has long been 0 or
/// 1, and x² may be no number.
Tensor gelu_tanh_slope(const Tensor& any_x) {
  constexpr double c = std::numbers::sqrt2 * std::numbers::inv_sqrtpi, k = 0.044715;
  const Tensor x = clamp(any_x, -1e4, 1e4);
  const Tensor x2 = square(x), t = tanh(c * (x + k * x * x2));
  return 0.5 * (1 + t) + 0.5 * x * (1 - square(t)) * (c + 3 * c * k * x2);
}

}  // namespace

/// y = x · Φ(x), or its approximation with tanh.   dx = dy · y′ (above)     saved: x
Tensor gelu(const Arg& x, std::string_view approximate) {
  check(approximate == "none" || approximate == "tanh", "gelu", "approximate is '", approximate,
        "': use 'none' or 'tanh'");
  if (approximate == "none")
    return record("gelu", {x}, unary(Unary::gelu, x, "gelu"), Save{x},
                  [](const Saved& saved, const Tensor& dy) -> Grads {
                    const Tensor x = saved[0];
                    if (!grad_enabled()) return {unary_grad(UnaryGrad::gelu, x, dy, "gelu")};
                    return {dy * gelu_slope(x)};
                  });
  return record("gelu", {x}, unary(Unary::gelu_tanh, x, "gelu"), Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0];
                  if (!grad_enabled()) return {unary_grad(UnaryGrad::gelu_tanh, x, dy, "gelu")};
                  return {dy * gelu_tanh_slope(x)};
                });
}

// ------------------------------------------------------------------------------------- silu

/// y = x · σ(x).   dx = dy · (σ + x · σ(1 − σ))     saved: x
/// Source: Elfwing, Uchibe & Doya 2018.
Tensor silu(const Arg& x) {
  return record("silu", {x}, unary(Unary::silu, x, "silu"), Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0];
                  if (!grad_enabled()) return {unary_grad(UnaryGrad::silu, x, dy, "silu")};
                  const Tensor s = sigmoid(x);
                  return {dy * (s + x * (s * (1 - s)))};
                });
}

// ------------------------------------------------------------------------------------- softplus

/// y = log(1 + e^{βx}) / β, and x itself where βx > threshold.
///   dx = dy · σ(βx), and dy itself there     saved: x
Tensor softplus(const Arg& x, double beta, double threshold) {
  check(beta > 0, "softplus", "beta is ", beta, ": use a positive number");
  Tensor y;
  {
    NoGrad guard;
    const Tensor z = beta == 1 ? Tensor(x) : x * beta;
    y = unary(Unary::softplus, z, "softplus");
    if (beta != 1) y = y / beta;
    y = where(z > threshold, x, y);
  }
  return record("softplus", {x}, y, Save{x}, [=](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor z = saved[0] * beta;
    return {where(z > threshold, dy, dy * sigmoid(z))};
  });
}

}  // namespace tarsier
