#pragma once
// Traced: a tensor or a number, with the arithmetic of Simd<T> (simd/simd.h, simd/math.h). A
// formula of functions.h with Traced arguments computes with ops, and so is recorded.

#include <limits>
#include <numbers>

#include "../../ops.h"

namespace tarsier::detail {

class Traced {
 public:
  using Lane = double;

  Traced(double number) : number_(number) {}
  Traced(const Tensor& tensor) : tensor_(tensor) {}

  /// The tensor; a number is filled into the shape and dtype of `like`.
  Tensor tensor_like(const Tensor& like) const {
    return is_number() ? full(like.shape(), number_, like.dtype()) : tensor_;
  }

  friend Traced operator+(const Traced& a, const Traced& b) {
    return apply(a, b, [](const auto& p, const auto& q) { return p + q; });
  }
  friend Traced operator-(const Traced& a, const Traced& b) {
    return apply(a, b, [](const auto& p, const auto& q) { return p - q; });
  }
  friend Traced operator*(const Traced& a, const Traced& b) {
    return apply(a, b, [](const auto& p, const auto& q) { return p * q; });
  }
  friend Traced operator/(const Traced& a, const Traced& b) {
    return apply(a, b, [](const auto& p, const auto& q) { return p / q; });
  }
  friend Traced operator-(const Traced& x) {
    return x.is_number() ? Traced(-x.number_) : Traced(-x.tensor_);
  }
  friend Traced fma(const Traced& a, const Traced& b, const Traced& c) { return a * b + c; }

  // Masks, for select: of a tensor and a number.
  friend Traced operator<(const Traced& a, const Traced& b) { return a.tensor_ < b.number_; }
  friend Traced operator>(const Traced& a, const Traced& b) { return a.tensor_ > b.number_; }
  friend Traced operator<=(const Traced& a, const Traced& b) { return a.tensor_ <= b.number_; }
  friend Traced operator>=(const Traced& a, const Traced& b) { return a.tensor_ >= b.number_; }
  friend Traced operator&(const Traced& a, const Traced& b) { return a.tensor_ && b.tensor_; }
  /// mask ? a : b, of which at least one is a tensor.
  friend Traced select(const Traced& mask, const Traced& a, const Traced& b) {
    if (a.is_number()) return where(mask.tensor_, a.number_, b.tensor_);
    if (b.is_number()) return where(mask.tensor_, a.tensor_, b.number_);
    return where(mask.tensor_, a.tensor_, b.tensor_);
  }
  friend Traced clamp(const Traced& x, double low, double high) {
    return tarsier::clamp(x.tensor_, low, high);
  }

  friend Traced abs(const Traced& x) { return tarsier::abs(x.tensor_); }
  friend Traced sqrt(const Traced& x) { return tarsier::sqrt(x.tensor_); }
  friend Traced sinh(const Traced& x) { return tarsier::sinh(x.tensor_); }
  friend Traced cosh(const Traced& x) { return tarsier::cosh(x.tensor_); }
  friend Traced tanh(const Traced& x) { return tarsier::tanh(x.tensor_); }
  friend Traced softplus(const Traced& x) {
    return tarsier::softplus(x.tensor_, 1, std::numeric_limits<double>::infinity());
  }
  friend Traced sign(const Traced& x) { return tarsier::sign(x.tensor_); }
  friend Traced exp(const Traced& x) { return tarsier::exp(x.tensor_); }
  friend Traced sin(const Traced& x) { return tarsier::sin(x.tensor_); }
  friend Traced cos(const Traced& x) { return tarsier::cos(x.tensor_); }
  friend Traced sigmoid(const Traced& x) { return tarsier::sigmoid(x.tensor_); }

  /// The normal distribution: Φ(x) = ½(1 + erf(x/√2)) and its density φ(x) = e^{−x²/2}/√(2π).
  struct Normal;
  friend Normal normal(const Traced& x);

 private:
  bool is_number() const { return !tensor_.defined(); }

  /// f(a, b), of which at least one is a tensor.
  template <class F>
  static Traced apply(const Traced& a, const Traced& b, const F& f) {
    if (a.is_number()) return f(a.number_, b.tensor_);
    return b.is_number() ? f(a.tensor_, b.number_) : f(a.tensor_, b.tensor_);
  }

  Tensor tensor_;  // undefined for a number
  double number_ = 0;
};

struct Traced::Normal {
  Traced cdf, pdf;
};
inline Traced::Normal normal(const Traced& x) {
  constexpr double inv_sqrt2 = 1 / std::numbers::sqrt2;
  constexpr double inv_sqrt_2pi = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  return {0.5 * (1 + tarsier::erf(x.tensor_ * inv_sqrt2)),
          inv_sqrt_2pi * tarsier::exp(-0.5 * square(x.tensor_))};
}

}  // namespace tarsier::detail
