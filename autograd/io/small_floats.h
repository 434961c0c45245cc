#pragma once
// Floating-point numbers of one and two bytes, as in files. All are exact in f32.
//
//             sign  exponent  bias  fraction
//   half      1     5         15    10        IEEE 754 binary16: F16
//   bfloat16  1     8         127   7         the upper half of an f32: BF16
//   e4m3      1     4         7     3         no infinities; NaN is all ones: F8_E4M3
//   e5m2      1     5         15    2         the upper half of a half: F8_E5M2
//   e4m3fnuz  1     4         8     3         no infinities and no −0, whose bits are NaN
//   e5m2fnuz  1     5         16    2         the same
//   e8m0      0     8         127   0         a power of two; NaN is all ones: F8_E8M0
// Sources: Micikevicius et al. 2022, "FP8 formats for deep learning"; OCP microscaling formats (MX)
// specification 1.0, 2023; https://github.com/jax-ml/ml_dtypes for the fnuz kinds.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tarsier {

/// IEEE's rule for a number with 1 sign bit, `kExponent` and `kFraction` bits, without infinities
/// and NaN: exponent 0 means a subnormal number, any other 1.fraction · 2^(exponent − bias).
template <int kExponent, int kFraction>
float float_of_parts(uint32_t bits, int bias) {
  const auto exponent = static_cast<int>(bits >> kFraction & ((1u << kExponent) - 1));
  const uint32_t fraction = bits & ((1u << kFraction) - 1);
  const uint32_t digits = exponent == 0 ? fraction : fraction | 1u << kFraction;
  const float size =
      std::ldexp(static_cast<float>(digits), (exponent == 0 ? 1 : exponent) - bias - kFraction);
  return (bits >> (kExponent + kFraction) & 1) != 0 ? -size : size;
}

inline float float_of_half(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31, exponent = half >> 10 & 31;
  const uint32_t fraction = half & 1023;
  if (exponent == 0) return float_of_parts<5, 10>(half, 15);
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;  // the bias: 15 becomes 127
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

inline float float_of_bfloat16(uint16_t brain) {
  return std::bit_cast<float>(uint32_t{brain} << 16);
}

inline float float_of_e5m2(uint8_t byte) {
  return float_of_half(static_cast<uint16_t>(uint32_t{byte} << 8));
}

inline float float_of_e4m3(uint8_t byte) {
  if ((byte & 127) == 127) return std::numeric_limits<float>::quiet_NaN();
  return float_of_parts<4, 3>(byte, 7);
}

inline float float_of_e4m3fnuz(uint8_t byte) {
  return byte == 128 ? std::numeric_limits<float>::quiet_NaN() : float_of_parts<4, 3>(byte, 8);
}

inline float float_of_e5m2fnuz(uint8_t byte) {
  return byte == 128 ? std::numeric_limits<float>::quiet_NaN() : float_of_parts<5, 2>(byte, 16);
}

inline float float_of_e8m0(uint8_t byte) {
  return byte == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, byte - 127);
}

}  // namespace tarsier
