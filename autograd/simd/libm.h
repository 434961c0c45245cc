#pragma once
// Functions of the C library, applied lane by lane: networks spend no time in them, and vector
// versions (simd/math.h) would each need a polynomial.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

template <class T, class F>
TARSIER_INLINE Simd<T> each_lane(Simd<T> x, F f) {
  Simd<T> y;
  for (int i = 0; i < Simd<T>::width; ++i) y.v[i] = f(x[i]);
  return y;
}

TARSIER_INLINE float libm_floor(float x) { return __builtin_floorf(x); }
TARSIER_INLINE double libm_floor(double x) { return __builtin_floor(x); }
TARSIER_INLINE float libm_ceil(float x) { return __builtin_ceilf(x); }
TARSIER_INLINE double libm_ceil(double x) { return __builtin_ceil(x); }
TARSIER_INLINE float libm_trunc(float x) { return __builtin_truncf(x); }
TARSIER_INLINE double libm_trunc(double x) { return __builtin_trunc(x); }
TARSIER_INLINE float libm_round(float x) { return __builtin_rintf(x); }
TARSIER_INLINE double libm_round(double x) { return __builtin_rint(x); }
TARSIER_INLINE float libm_exp2(float x) { return __builtin_exp2f(x); }
TARSIER_INLINE double libm_exp2(double x) { return __builtin_exp2(x); }
TARSIER_INLINE float libm_log2(float x) { return __builtin_log2f(x); }
TARSIER_INLINE double libm_log2(double x) { return __builtin_log2(x); }
TARSIER_INLINE float libm_log10(float x) { return __builtin_log10f(x); }
TARSIER_INLINE double libm_log10(double x) { return __builtin_log10(x); }
TARSIER_INLINE float libm_tan(float x) { return __builtin_tanf(x); }
TARSIER_INLINE double libm_tan(double x) { return __builtin_tan(x); }
TARSIER_INLINE float libm_asin(float x) { return __builtin_asinf(x); }
TARSIER_INLINE double libm_asin(double x) { return __builtin_asin(x); }
TARSIER_INLINE float libm_acos(float x) { return __builtin_acosf(x); }
TARSIER_INLINE double libm_acos(double x) { return __builtin_acos(x); }
TARSIER_INLINE float libm_atan(float x) { return __builtin_atanf(x); }
TARSIER_INLINE double libm_atan(double x) { return __builtin_atan(x); }
TARSIER_INLINE float libm_sinh(float x) { return __builtin_sinhf(x); }
TARSIER_INLINE double libm_sinh(double x) { return __builtin_sinh(x); }
TARSIER_INLINE float libm_cosh(float x) { return __builtin_coshf(x); }
TARSIER_INLINE double libm_cosh(double x) { return __builtin_cosh(x); }

template <class T>
TARSIER_INLINE Simd<T> floor(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_floor(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> ceil(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_ceil(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> trunc(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_trunc(lane); });
}

/// To the nearest integer, halves to the even one.
template <class T>
TARSIER_INLINE Simd<T> round(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_round(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> exp2(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_exp2(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> log2(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_log2(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> log10(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_log10(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> tan(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_tan(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> asin(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_asin(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> acos(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_acos(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> atan(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_atan(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> sinh(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_sinh(lane); });
}

template <class T>
TARSIER_INLINE Simd<T> cosh(Simd<T> x) {
  return each_lane(x, [](T lane) { return libm_cosh(lane); });
}

}  // namespace tarsier::kernels::TARSIER_ISA
