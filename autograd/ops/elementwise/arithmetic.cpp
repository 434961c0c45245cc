// Arithmetic: + − × ÷, powers, remainders, and other functions of two variables.
#include <cmath>

#include "autograd/loops/elementwise.h"
#include "autograd/ops.h"
#include "autograd/ops/elementwise/integers.h"
#include "autograd/ops/elementwise/unary.h"
#include "autograd/ops/record.h"

namespace tarsier {

using detail::binary;
using detail::record_floating;
using detail::saved_for;
using detail::unary;
using kernels::Binary;
using kernels::Unary;

// Gradients have the shape of the result here; the engine sums them back to a broadcast operand.

// ------------------------------------------------------------------------------------- a + b

/// y = a + b.   da = dy, db = dy
Tensor operator+(const Arg& a, const Arg& b) {
  return record_floating("add", {a, b}, binary(Binary::add, a, b, "add"), Save{},
                         [](const Saved&, const Tensor& dy) -> Grads {
                           return {dy, dy};
                         });
}
Tensor operator+(const Arg& a, double b) {
  return record_floating("add", {a}, binary(Binary::add, a, b, "add"), Save{},
                         [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}
Tensor operator+(double a, const Arg& b) { return b + a; }

// ------------------------------------------------------------------------------------- a − b

/// y = a − b.   da = dy, db = −dy
Tensor operator-(const Arg& a, const Arg& b) {
  return record_floating("sub", {a, b}, binary(Binary::sub, a, b, "sub"), Save{},
                         [](const Saved& saved, const Tensor& dy) -> Grads {
                           return {dy, saved.needs(1) ? -dy : Tensor()};
                         });
}
Tensor operator-(const Arg& a, double b) {
  return record_floating("sub", {a}, binary(Binary::sub, a, b, "sub"), Save{},
                         [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}
Tensor operator-(double a, const Arg& b) {
  return record_floating("sub", {b}, binary(Binary::sub, a, b, "sub"), Save{},
                         [](const Saved&, const Tensor& dy) -> Grads { return {-dy}; });
}

/// y = −x.
Tensor operator-(const Arg& x) {
  return x.dtype() == i64 ? binary(Binary::sub, 0.0, x, "neg") : unary(Unary::neg, x);
}

// ------------------------------------------------------------------------------------- a · b

/// y = a · b.   da = dy · b, db = dy · a     saved: both
Tensor operator*(const Arg& a, const Arg& b) {
  return record_floating("mul", {a, b}, binary(Binary::mul, a, b, "mul"),
                         Save{saved_for(b, a), saved_for(a, b)},
                         [](const Saved& saved, const Tensor& dy) -> Grads {
                           return {saved.needs(0) ? dy * saved[1] : Tensor(),
                                   saved.needs(1) ? dy * saved[0] : Tensor()};
                         });
}
/// y = a · b, b a number.   da = dy · b
Tensor operator*(const Arg& a, double b) {
  return record_floating("mul", {a}, binary(Binary::mul, a, b, "mul"), Save{},
                         [b](const Saved&, const Tensor& dy) -> Grads { return {dy * b}; });
}
Tensor operator*(double a, const Arg& b) { return b * a; }

// ------------------------------------------------------------------------------------- a / b

/// y = a / b.   da = dy / b, db = −dy · a / b² = −dy · y / b     saved: b and y
Tensor operator/(const Arg& a, const Arg& b) {
  Tensor y = binary(Binary::div, a, b, "div");
  return record("div", {a, b}, y, Save{b, y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor da = dy / saved[0];
    return {da, saved.needs(1) ? -da * saved[1] : Tensor()};
  });
}
/// y = a / b, b a number.   da = dy / b
Tensor operator/(const Arg& a, double b) {
  return record("div", {a}, binary(Binary::div, a, b, "div"), Save{},
                [b](const Saved&, const Tensor& dy) -> Grads { return {dy / b}; });
}
/// y = a / b, a a number.   db = −dy · y / b     saved: b and y
Tensor operator/(double a, const Arg& b) {
  Tensor y = binary(Binary::div, a, b, "div");
  return record("div", {b}, y, Save{b, y}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {-dy / saved[0] * saved[1]};
  });
}

// ------------------------------------------------------------------------------------- powers

namespace {

/// xᵖ. The common exponents have fast paths that are at least as accurate.
Tensor power(const Tensor& x, double p) {
  using detail::unary_value;
  if (p == 2) return unary_value(Unary::square, x, "pow");
  if (p == 0.5) return unary_value(Unary::sqrt, x, "pow");
  if (p == -0.5) return unary_value(Unary::rsqrt, x, "pow");
  if (p == -1) return unary_value(Unary::reciprocal, x, "pow");
  if (p == 3) return binary(Binary::mul, unary_value(Unary::square, x, "pow"), x, "pow");
  return binary(Binary::pow, x, p, "pow");
}

}  // namespace

/// y = xᵖ, p a number.   dx = dy · p · xᵖ⁻¹, and 0 where p = 0     saved: x
Tensor pow(const Arg& x, double exponent) {
  if (x.dtype() == i64) {
    const int64_t p = detail::number_as<int64_t>(exponent, "pow");
    check(p >= 0, "pow", "exponent ", p,
          " of a tensor of i64: ", "negative powers are not integers: convert it with to(x, f32)");
    return detail::map_integers(x, [p](int64_t v) { return detail::integer_power(v, p); });
  }
  return record("pow", {x}, power(x, exponent), Save{x},
                [p = exponent](const Saved& saved, const Tensor& dy) -> Grads {
                  if (p == 0) return {zeros_like(dy)};
                  return {dy * (p * pow(saved[0], p - 1))};
                });
}

/// y = xᵖ.   dx = dy · p · xᵖ⁻¹ (0 where p = 0), dp = dy · y · log x (0 where x = 0 and p ≥ 0)
///   saved: x, p, y
Tensor pow(const Arg& x, const Arg& exponent) {
  if (x.dtype() == i64) return detail::zip_integers(x, exponent, "pow", detail::integer_power);
  Tensor y = binary(Binary::pow, x, exponent, "pow");
  return record("pow", {x, exponent}, y, Save{x, exponent, saved_for(exponent, y)},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], p = saved[1];
                  Tensor dx, dp;
                  if (saved.needs(0)) {
                    // If p = 0 and 1/x is infinite or NaN, 0 · 1ᵖ⁻¹ replaces the product.
                    const Tensor base = where(p == 0 && !isfinite(1 / x), 1.0, x);
                    dx = dy * (p * pow(base, p - 1));
                  }
                  if (saved.needs(1)) {
                    // 0ᵖ is 0 or 1 for all p ≥ 0: slope 0, which is log 1.
                    const Tensor base = where(x == 0 && p >= 0, 1.0, x);
                    dp = dy * (saved[2] * log(base));
                  }
                  return {dx, dp};
                });
}

/// y = xᵖ, x a number.   dp = dy · y · log x     saved: p and y
/// For x = 0 that is 0 · (−∞): there dp is 0 where p ≥ 0, and −∞ below.
Tensor pow(double x, const Arg& exponent) {
  if (exponent.dtype() == i64) {
    const int64_t base = detail::number_as<int64_t>(x, "pow");
    return detail::map_integers(exponent,
                                [base](int64_t p) { return detail::integer_power(base, p); });
  }
  Tensor y = binary(Binary::pow, x, exponent, "pow");
  return record("pow", {exponent}, y, Save{exponent, y},
                [x](const Saved& saved, const Tensor& dy) -> Grads {
                  if (x != 0) return {dy * (saved[1] * std::log(x))};
                  const Tensor p = saved[0].detach();
                  return {dy * where(p >= 0, 0.0, p * INFINITY)};
                });
}

// -------------------------------------------------------------------------- remainder, two logs

/// y = a − b · ⌊a/b⌋, with the sign of b.   da = dy, db = −dy · ⌊a/b⌋     saved: a, b, y
/// The floor is (a − y)/b rounded: a/b itself may be rounded up to the next integer.
Tensor remainder(const Arg& a, const Arg& b) {
  detail::check_same_dtype(a, b, "remainder");
  if (a.dtype() == i64) return detail::zip_integers(a, b, "remainder", detail::integer_remainder);
  Tensor y = dispatch_floating(a.dtype(), "remainder", [&]<class T>() {
    Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), "remainder"), a.dtype());
    detail::zip_elements<T, T>(a, b, y, [](T p, T q) {
      const T rest = std::fmod(p, q);
      return rest != 0 && (rest < 0) != (q < 0) ? rest + q : rest;
    });
    return y;
  });
  return record("remainder", {a, b}, y, Save{a, b, y},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  if (!saved.needs(1)) return {dy, Tensor()};
                  return {dy, -dy * round((saved[0] - saved[2]) / saved[1])};
                });
}
Tensor remainder(const Arg& a, double b) {
  if (a.dtype() == i64) detail::number_as<int64_t>(b, "remainder");  // throws where it is none
  return remainder(a, full({}, b, a.dtype()));
}

/// y = a · log b, and 0 where a = 0 and b is not NaN.
///   da = dy · log b (0 where a = 0 and b ≤ 0), db = dy · a / b     saved: a, b
Tensor xlogy(const Arg& a, const Arg& b) {
  const Tensor y = no_grad([&] { return where(a == 0 && !isnan(b), 0.0, a * log(b)); });
  return record("xlogy", {a, b}, y, Save{a, b}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor a = saved[0], b = saved[1];
    Tensor da;
    if (saved.needs(0)) da = dy * log(where(a == 0 && b <= 0, 1.0, b));
    return {da, saved.needs(1) ? dy * a / b : Tensor()};
  });
}

/// y = log(eᵃ + eᵇ) = max(a, b) + log(1 + e^{−|a − b|}).   da = dy · σ(a − b), db = dy · σ(b − a)
Tensor logaddexp(const Arg& a, const Arg& b) {
  const Tensor y = no_grad([&] {
    const Tensor apart = where(a == b, 0.0, a - b);  // of two infinities the difference is NaN
    return maximum(a, b) + log1p(exp(-abs(apart)));
  });
  return record("logaddexp", {a, b}, y, Save{a, b},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor a = saved[0], b = saved[1];
                  return {saved.needs(0) ? dy * sigmoid(a - b) : Tensor(),
                          saved.needs(1) ? dy * sigmoid(b - a) : Tensor()};
                });
}

/// The angle of the point (x, y) = (b, a), in [−π, π].
///   da = dy · b / r², db = −dy · a / r² with r² = a² + b², and 0 where r = 0     saved: a, b
Tensor atan2(const Arg& a, const Arg& b) {
  detail::check_same_dtype(a, b, "atan2");
  Tensor y = dispatch_floating(a.dtype(), "atan2", [&]<class T>() {
    Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), "atan2"), a.dtype());
    detail::zip_elements<T, T>(a, b, y, [](T p, T q) { return std::atan2(p, q); });
    return y;
  });
  return record("atan2", {a, b}, y, Save{a, b}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor a = saved[0], b = saved[1], r2 = square(a) + square(b);
    const Tensor share = dy / where(r2 == 0, 1.0, r2);
    return {saved.needs(0) ? share * b : Tensor(), saved.needs(1) ? -share * a : Tensor()};
  });
}

// ------------------------------------------------------------------------------------- min, max

namespace {

/// dy where a is chosen, half of it where both are equal.
Tensor share(const Tensor& chosen, const Tensor& equal, const Tensor& dy) {
  return where(chosen, dy, where(equal, dy * 0.5, 0.0));
}

}  // namespace

/// y = min(a, b), NaN where one is NaN.   da = dy where a < b, ½ dy where a = b; db likewise
Tensor minimum(const Arg& a, const Arg& b) {
  return record_floating("minimum", {a, b}, binary(Binary::minimum, a, b, "minimum"), Save{a, b},
                         [](const Saved& saved, const Tensor& dy) -> Grads {
                           const Tensor a = saved[0], b = saved[1], equal = a == b;
                           return {saved.needs(0) ? share(a < b, equal, dy) : Tensor(),
                                   saved.needs(1) ? share(b < a, equal, dy) : Tensor()};
                         });
}

/// y = max(a, b), NaN where one is NaN.   da = dy where a > b, ½ dy where a = b; db likewise
Tensor maximum(const Arg& a, const Arg& b) {
  return record_floating("maximum", {a, b}, binary(Binary::maximum, a, b, "maximum"), Save{a, b},
                         [](const Saved& saved, const Tensor& dy) -> Grads {
                           const Tensor a = saved[0], b = saved[1], equal = a == b;
                           return {saved.needs(0) ? share(a > b, equal, dy) : Tensor(),
                                   saved.needs(1) ? share(b > a, equal, dy) : Tensor()};
                         });
}

}  // namespace tarsier
