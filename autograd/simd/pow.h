#pragma once
// Powers of floats, by logarithms and exponentials of doubles. In a file of its own, because only one
// kernel needs it.

#include "math.h"

namespace tarsier::kernels::TARSIER_ISA {

/// One half of a register of floats, in memory.
using HalfOfFloats [[gnu::vector_size(TARSIER_VECTOR_BYTES / 2), gnu::may_alias]] = float;

/// xᵖ for finite x > 0 and p, in double: e^{p·ln x}, with a relative error below 10⁻⁹ where the result
/// is a float, that is, |p·ln x| < 104. A float's ulp is 60 times as large, so the functions of math.h
/// would be needlessly exact.
TARSIER_INLINE Simd<double> rough_pow(Simd<double> x, Simd<double> p) {
  // ln x = k·ln 2 + 2 atanh(s), s = f / (2 + f): the series up to s¹³.
  static constexpr double atanh[] = {2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13};
  // eʳ = 1 + r + r²·(1/2! + r/3! + …), |r| < 0.35: the series up to r⁸.
  static constexpr double exp[] = {1.0 / 2,   1.0 / 6,    1.0 / 24,   1.0 / 120,
                                   1.0 / 720, 1.0 / 5040, 1.0 / 40320};
  const Simd<double> one = 1.0, two = 2.0, ln2 = 0.69314718055994531;
  const auto [k, f] = split_log(x);
  const Simd<double> s = f / (two + f), s2 = s * s;
  const Simd<double> log = fma(k, ln2, s * fma(s2, polynomial(s2, atanh), two));
  const Simd<double> t = clamp(p * log, -200.0, 200.0);
  const Simd<double> n = round_small(t * Simd<double>(1.4426950408889634)), r = t - n * ln2;
  return fma(r * r, polynomial(r, exp), one + r) * pow2(n);
}

/// xᵖ as std::pow, with an error below 0.51 ulp. What is not finite or not positive is left to the C
/// library, lane by lane.
TARSIER_INLINE Simd<float> pow_floats(Simd<float> x, Simd<float> p) {
  alignas(Simd<float>::Vector) float bases[Simd<float>::width], exponents[Simd<float>::width];
  x.store(bases);
  p.store(exponents);
  auto* base = reinterpret_cast<HalfOfFloats*>(bases);
  const auto* exponent = reinterpret_cast<const HalfOfFloats*>(exponents);
  for (int half = 0; half < 2; ++half) {
    const Simd<double> wide = __builtin_convertvector(base[half], Simd<double>::Vector);
    const Simd<double> power = __builtin_convertvector(exponent[half], Simd<double>::Vector);
    base[half] = __builtin_convertvector(rough_pow(wide, power).v, HalfOfFloats);
  }
  const Simd<float> zero = 0.0f, infinity = __builtin_inff();
  const auto usual = (x > zero) & (x < infinity) & (abs(p) < infinity);
  Simd<float> y = Simd<float>::load(bases);
  if (any(~usual)) [[unlikely]]
    for (int i = 0; i < Simd<float>::width; ++i)
      if (!usual[i]) y.v[i] = libm_pow(x[i], p[i]);
  return y;
}

}  // namespace tarsier::kernels::TARSIER_ISA
