#pragma once
// Elementary functions on vectors: exp, log, tanh, erf, sin, cos, …
//
// Each follows the same plan. An identity moves the argument into a short interval, a polynomial
// approximates the function there, and another identity moves back. All lanes take the same path,
// so a value does not depend on its neighbours. The polynomials are minimax fits (Remez) made for
// this file, or plain Taylor series where those are as short.
//
// Stated errors are the largest that tests/kernels/math_test.cpp allows, in ulp (units in the last
// place of the exact result). Infinities, NaN and signed zeros come out as from <cmath>, and so do
// denormals unless stated otherwise.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// The constants that differ between float and double.
template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  using Bits = uint32_t;  // unsigned: arithmetic on the bits may wrap
  static constexpr int mantissa_bits = 23;
  static constexpr Bits one_bits = Bits(127) << 23;   // the bits of 1
  static constexpr Bits sqrt_half_bits = 0x3f3504f3;  // the bits of √½
  static constexpr float smallest_normal = 0x1p-126f;
  static constexpr float round_shift = 0x1.8p23f;
  // ln 2 and π/2 in pieces. All but the last have so few bits that k times them is exact.
  static constexpr float ln2[] = {0x1.62e4p-1f, 0x1.7f7d1cp-20f};
  static constexpr float half_pi[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68c234p-39f};
  static constexpr float exp_lowest = -104.0f, exp_highest = 89.0f;
  static constexpr float exp_flush_lowest = -88.0f, exp_flush_highest = 89.0f;
  static constexpr float tiny = 0x1p-26f;  // x² is lost when added to x
  static constexpr float sincos_limit = 1e4f;

  /// (eˣ − 1 − x) / x² on ±ln2/2: relative error of eˣ 2⁻²⁸.
  static constexpr float exp[] = {0.499999934f, 0.166665206f, 0.041668388f, 0.00836871688f,
                                  0.00138145985f};
  /// 2 atanh(s)/s − 2 in s², the Taylor series.
  static constexpr float log[] = {2.0f / 3, 2.0f / 5, 2.0f / 7, 2.0f / 9};
  /// (sin x / x − 1) / x² and (cos x − 1 + x²/2) / x⁴ in x², on ±π/4.
  static constexpr float sin[] = {-0.166666549f, 0.00833217355f, -0.00019516651f};
  static constexpr float cos[] = {0.0416666468f, -0.00138873619f, 2.44377593e-5f};
  /// (tanh x / x − 1) / x² in x², on ±0.6.
  static constexpr float tanh[] = {-0.333332993f, 0.133319594f, -0.0537867534f, 0.0208055445f,
                                   -0.00590598267f};
  /// erf(x)/x − 1 in x², on ±1.
  static constexpr float erf[] = {0.128379166f,   -0.376126258f,   0.112835852f,  -0.0268538146f,
                                  0.00518833048f, -0.00080102027f, 7.85384983e-5f};
  /// e^{x²} erfc(x) in (x − 3)/(x + 3), on [0, 10].
  static constexpr float erfcx[] = {
      0.179001151f,   -0.326233639f,  0.245603963f,    -0.150113451f,    0.0716627953f,
      -0.0244149134f, 0.00428087784f, 0.000790367706f, -0.000589449961f, -6.89962191e-5f};
  static constexpr float erfcx_limit = 10.0f;
};

template <>
struct MathConstants<double> {
  using Bits = uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr Bits one_bits = Bits(1023) << 52;
  static constexpr Bits sqrt_half_bits = 0x3fe6a09e667f3bcd;
  static constexpr double smallest_normal = 0x1p-1022;
  static constexpr double round_shift = 0x1.8p52;
  static constexpr double ln2[] = {0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45};
  static constexpr double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};
  static constexpr double exp_lowest = -746, exp_highest = 710;
  static constexpr double exp_flush_lowest = -709.1, exp_flush_highest = 710;
  static constexpr double tiny = 0x1p-55;
  static constexpr double sincos_limit = 1e4;

  static constexpr double exp[] = {
      0.50000000000000106,   0.16666666666666411,   0.041666666666530329,  0.0083333333334956646,
      0.0013888888943597779, 0.0001984126950422529, 2.4801493123090097e-5, 2.7557588259362103e-6,
      2.7630242180304303e-7, 2.4999525225789632e-8};
  static constexpr double log[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                   2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
  static constexpr double sin[] = {-0.16666666666666632,    0.0083333333333223286,
                                   -0.00019841269829734117, 2.7557313664521758e-6,
                                   -2.5050753565074432e-8,  1.589651824474692e-10};
  static constexpr double cos[] = {0.041666666666666599,  -0.0013888888888873996,
                                   2.480158728939715e-5,  -2.7557314326483254e-7,
                                   2.0875719601765072e-9, -1.1359450212170035e-11};
  static constexpr double tanh[] = {
      -0.33333333333333134,   0.13333333333300903,    -0.053968253949874877,
      0.021869488015955421,   -0.0088632269553906694, 0.0035920388413883262,
      -0.0014552230419879801, 0.00058721423424107486, -0.00023045064404790853,
      7.9377264320226668e-5,  -1.7210846687244577e-5};
  static constexpr double erf[] = {
      0.12837916709551257,    -0.37612638903183748,   0.11283791670954858,
      -0.026866170645072959,  0.0052239776247813698,  -0.00085483269787651488,
      0.00012055331037551108, -1.4925593518728227e-5, 1.6460972954153766e-6,
      -1.6350026192077269e-7, 1.4657883530919654e-8,  -1.1365670671827159e-9,
      5.9452555842234874e-11};
  /// On [0, 6], weighted by e^{−x²}, because the result is erfc.
  static constexpr double erfcx[] = {
      0.17900115118139062,     -0.32623356004302543,  0.24560380171190999,   -0.15011593651538156,
      0.071665837008254198,    -0.024392500674552969, 0.0042691306890979791, 0.0007077353068300533,
      -0.00059704645645965798, 4.5442603518371103e-5, 6.4741078369103693e-5, -1.1299976553881643e-5,
      -5.4985651072153221e-6,  4.937784575036094e-6,  3.509410555427456e-6,  8.9718987788772755e-7,
      8.961727705899917e-8};
  static constexpr double erfcx_limit = 27;
};

// ------------------------------------------------------------------------------------------ tools

/// c[0] + c[1]·x + c[2]·x² + …, by Horner's rule.
template <int i = 0, class T, int n>
TARSIER_INLINE Simd<T> polynomial(Simd<T> x, const T (&c)[n]) {
  if constexpr (i == n - 1)
    return c[i];
  else
    return fma(polynomial<i + 1>(x, c), x, Simd<T>(c[i]));
}

/// The nearest integer (ties to even), for |x| < 2²² (2⁵¹). Adding 1.5·2²³ leaves no room for a
/// fraction in the mantissa.
template <class T>
TARSIER_INLINE Simd<T> round_small(Simd<T> x) {
  const Simd<T> shift = MathConstants<T>::round_shift;
  return (x + shift) - shift;
}

/// The integer-valued `k`, |k| < 2²², as an integer modulo 2²² : the low bits of 1.5·2²³ + k.
template <class T>
TARSIER_INLINE Simd<typename MathConstants<T>::Bits> integer_bits(Simd<T> k) {
  return bit_cast<typename MathConstants<T>::Bits>(k + Simd<T>(MathConstants<T>::round_shift));
}

/// 2ᵏ for integer-valued k from the exponent of zero to that of infinity: −127 … 128 for float.
template <class T>
TARSIER_INLINE Simd<T> pow2(Simd<T> k) {
  using C = MathConstants<T>;
  return bit_cast<T>((integer_bits(k) << C::mantissa_bits) + Simd<typename C::Bits>(C::one_bits));
}

/// |magnitude| with the sign of `sign`.
template <class T>
TARSIER_INLINE Simd<T> copysign(Simd<T> magnitude, Simd<T> sign) {
  using Int = typename Simd<T>::Int;
  using I = typename Int::Lane;
  const Int sign_bit = bit_cast<I>(Simd<T>(T(-0.0)));
  return bit_cast<T>((bit_cast<I>(magnitude) & ~sign_bit) | (bit_cast<I>(sign) & sign_bit));
}

/// −1, 0 or 1; 0 for NaN.
template <class T>
TARSIER_INLINE Simd<T> sign(Simd<T> x) {
  const Simd<T> zero = T(0), one = T(1);
  return select(x > zero, one, zero) - select(x < zero, one, zero);
}

/// x limited to [low, high]. NaN stays NaN: min and max return their second argument then.
template <class T>
TARSIER_INLINE Simd<T> clamp(Simd<T> x, T low, T high) {
  return min(Simd<T>(high), max(Simd<T>(low), x));
}

/// Whether any lane of a mask is set.
template <class I>
TARSIER_INLINE bool any(Simd<I> mask) {
  I bits = 0;
  for (int i = 0; i < Simd<I>::width; ++i) bits |= mask[i];
  return bits != 0;
}

/// `y`, with f(x), one by one, in the lanes of `mask`: for rare arguments that need more work.
template <class T, class F>
TARSIER_INLINE Simd<T> repair(Simd<T> y, typename Simd<T>::Int mask, Simd<T> x, F f) {
  if (any(mask)) [[unlikely]]
    for (int i = 0; i < Simd<T>::width; ++i)
      if (mask[i]) y.v[i] = f(x[i]);
  return y;
}

// ------------------------------------------------------------------------------------ exponentials

/// eˣ = 2ᵏ·(1 + q) with k integer and |q| < 0.42.
template <class T>
struct SplitExp {
  Simd<T> k, q;
};

/// k = round(x / ln 2), r = x − k·ln 2, q = eʳ − 1 = r + r²·p(r).
template <class T>
TARSIER_INLINE SplitExp<T> split_exp(Simd<T> x) {
  using C = MathConstants<T>;
  const Simd<T> k = round_small(x * Simd<T>(T(1.4426950408889634)));
  const Simd<T> r = x - k * Simd<T>(C::ln2[0]) - k * Simd<T>(C::ln2[1]);
  return {k, fma(r * r, polynomial(r, C::exp), r)};
}

/// eˣ. Error < 1.5 ulp (also where the result is denormal: gradual underflow).
template <class T>
TARSIER_INLINE Simd<T> exp(Simd<T> x) {
  using C = MathConstants<T>;
  const auto [k, q] = split_exp(clamp(x, C::exp_lowest, C::exp_highest));
  // 2ᵏ itself may overflow or underflow, so it is applied in two factors.
  const Simd<T> half = round_small(k * Simd<T>(T(0.5)));
  return (Simd<T>(T(1)) + q) * pow2(half) * pow2(k - half);
}

/// eˣ without denormal results: 0 below x ≈ −87.7 (−708.7), infinite already above
/// 88.37 (709.4), otherwise as exp. A quarter cheaper.
template <class T>
TARSIER_INLINE Simd<T> exp_flush(Simd<T> x) {
  using C = MathConstants<T>;
  const auto [k, q] = split_exp(clamp(x, C::exp_flush_lowest, C::exp_flush_highest));
  return (Simd<T>(T(1)) + q) * pow2(k);
}

/// eˣ − 1, accurate near 0. Error < 2.5 ulp.
template <class T>
TARSIER_INLINE Simd<T> expm1(Simd<T> x) {
  using C = MathConstants<T>;
  // e⁻⁴⁰ is negligible against 1. Half of everything, doubled at the end: 2ᵏ overflows before eˣ.
  const auto [k, q] = split_exp(clamp(x, T(-40), C::exp_highest));
  const Simd<T> half = T(0.5), scale = pow2(k - Simd<T>(T(1)));
  const Simd<T> y = fma(scale, q, scale - half);
  return select(abs(x) < Simd<T>(C::tiny), x, y + y);
}

/// tanh x = x + x³·p(x²) near 0, 1 − 2/(e^{2|x|} + 1) with the sign of x elsewhere.
/// Error < 1.5 ulp.
template <class T>
TARSIER_INLINE Simd<T> tanh(Simd<T> x) {
  const Simd<T> a = abs(x), a2 = a * a, one = T(1), two = T(2);
  const Simd<T> near = fma(a * a2, polynomial(a2, MathConstants<T>::tanh), a);
  const Simd<T> far = one - two / (exp_flush(a + a) + one);
  return copysign(select(a < Simd<T>(T(0.6)), near, far), x);
}

/// 1 / (1 + e⁻ˣ). Error < 2.5 ulp; 0 instead of denormal results.
template <class T>
TARSIER_INLINE Simd<T> sigmoid(Simd<T> x) {
  const Simd<T> one = T(1);
  return one / (one + exp_flush(-x));
}

// -------------------------------------------------------------------------------------- logarithms

/// log((1 + f)·2ᵏ) + c, for 1 + f in [√½, √2) and tiny c. With s = f/(2 + f),
///   log(1 + f) = 2 atanh(s) = 2s + s·R(s²),   2s = f − s·f,   s·f = f²/2 − s·f²/2,
/// so log(1 + f) = f − (f²/2 − s·(f²/2 + R)): the large part f is exact.
template <class T>
TARSIER_INLINE Simd<T> log_from_parts(Simd<T> k, Simd<T> f, Simd<T> c) {
  using C = MathConstants<T>;
  const Simd<T> s = f / (Simd<T>(T(2)) + f), s2 = s * s, half_square = f * f * Simd<T>(T(0.5));
  const Simd<T> r = s2 * polynomial(s2, C::log);
  const Simd<T> low = fma(s, half_square + r, fma(k, Simd<T>(C::ln2[1]), c));
  return k * Simd<T>(C::ln2[0]) - ((half_square - low) - f);
}

/// x = (1 + f)·2ᵏ with 1 + f in [√½, √2), for normal x > 0.
template <class T>
struct SplitLog {
  Simd<T> k, f;
};
template <class T>
TARSIER_INLINE SplitLog<T> split_log(Simd<T> x) {
  using C = MathConstants<T>;
  using Bits = Simd<typename C::Bits>;
  using Bit = typename C::Bits;
  const Bits offset = bit_cast<Bit>(x) - Bits(C::sqrt_half_bits);
  // Shifted as a signed number, because the exponent may be negative.
  using Signed = typename Simd<T>::Int::Lane;
  const Bits exponent = bit_cast<Bit>(bit_cast<Signed>(offset) >> C::mantissa_bits);
  const Bits mantissa = offset - (exponent << C::mantissa_bits) + Bits(C::sqrt_half_bits);
  // The integer as a float: put into the low bits of 1.5·2²³, which is then subtracted.
  const Simd<T> shift = C::round_shift;
  const Simd<T> k = bit_cast<T>(exponent + bit_cast<Bit>(shift)) - shift;
  return {k, bit_cast<T>(mantissa) - Simd<T>(T(1))};
}

/// ln x. Error < 1 ulp. −∞ at 0, NaN below.
template <class T>
TARSIER_INLINE Simd<T> log(Simd<T> x) {
  using C = MathConstants<T>;
  // Denormals have no leading one: scale them to normal numbers first.
  const auto denormal = x < Simd<T>(C::smallest_normal);
  const T up = T(int64_t(1) << C::mantissa_bits);
  const auto [k, f] = split_log(select(denormal, x * Simd<T>(up), x));
  const Simd<T> k0 = select(denormal, Simd<T>(T(C::mantissa_bits)), Simd<T>(T(0)));
  Simd<T> y = log_from_parts(k - k0, f, Simd<T>(T(0)));
  const Simd<T> zero = T(0), infinity = T(__builtin_inf()), nan = T(__builtin_nan(""));
  y = select(x < infinity, y, x);  // ∞ and NaN are their own logarithms
  y = select(x < zero, nan, y);
  return select(x == zero, -infinity, y);
}

/// ln(1 + x), accurate near 0. Error < 1 ulp. −∞ at −1, NaN below.
template <class T>
TARSIER_INLINE Simd<T> log1p(Simd<T> x) {
  using C = MathConstants<T>;
  const Simd<T> one = T(1), infinity = T(__builtin_inf()), nan = T(__builtin_nan(""));
  const Simd<T> u = one + x;
  const auto [k, f] = split_log(u);
  // The rounding error of 1 + x, (1 + x) − u, contributes 1/u of itself to the logarithm.
  const Simd<T> lost = select(x < one, x - (u - one), one - (u - x));
  const auto near_one = k == Simd<T>(T(0));
  Simd<T> y = log_from_parts(k, select(near_one, x, f), select(near_one, Simd<T>(T(0)), lost / u));
  y = select(abs(x) < Simd<T>(C::tiny), x, y);
  y = select(x < infinity, y, x);
  y = select(x < -one, nan, y);
  return select(x == -one, -infinity, y);
}

/// log(1 + eˣ) = max(x, 0) + log(1 + e^{−|x|}), where nothing overflows. Error < 2.5 ulp.
template <class T>
TARSIER_INLINE Simd<T> softplus(Simd<T> x) {
  return max(Simd<T>(T(0)), x) + log1p(exp_flush(-abs(x)));
}

// ------------------------------------------------------------------------------- error function

/// erf(x) = x + x·p(x²) for |x| < 1.
template <class T>
TARSIER_INLINE Simd<T> erf_near(Simd<T> x) {
  return fma(x, polynomial(x * x, MathConstants<T>::erf), x);
}

/// e^{−a²} for a ≥ 0, and erfc(a) = 1 − erf(a) for a ≥ 1.
template <class T>
struct GaussTail {
  Simd<T> density, erfc;
};

/// erfc(a) = e^{−a²}·p(t) with t = (a − 3)/(a + 3), which maps [0, ∞) to [−1, 1).
template <class T>
TARSIER_INLINE GaussTail<T> gauss_tail(Simd<T> a) {
  using C = MathConstants<T>;
  a = min(Simd<T>(C::erfcx_limit), a);
  const Simd<T> three = T(3), t = (a - three) / (a + three);
  const Simd<T> density = exp_flush(-a * a);
  return {density, density * polynomial(t, C::erfcx)};
}

/// erf x = 2/√π ∫₀ˣ e^{−t²} dt. Error < 1.5 ulp.
template <class T>
TARSIER_INLINE Simd<T> erf(Simd<T> x) {
  const Simd<T> a = abs(x), one = T(1);
  return copysign(select(a < one, erf_near(a), one - gauss_tail(a).erfc), x);
}

/// The normal distribution: Φ(x) = ½(1 + erf(x/√2)) and its density φ(x) = e^{−x²/2}/√(2π).
template <class T>
struct Normal {
  Simd<T> cdf, pdf;
};

/// Absolute errors < 1 ulp of 1. For x < −√2, where Φ is small, float keeps relative accuracy:
/// Φ(x) = ½ erfc(|x|/√2) without a difference of large numbers.
template <class T>
TARSIER_INLINE Normal<T> normal(Simd<T> x) {
  const Simd<T> z = x * Simd<T>(T(0.70710678118654752)), a = abs(z);
  const Simd<T> half = T(0.5), one = T(1), zero = T(0);
  const auto [density, erfc] = gauss_tail(a);
  const Simd<T> tail = erfc * half, far = select(x < zero, tail, one - tail);
  const Simd<T> near = fma(half, erf_near(z), half);
  return {select(a < one, near, far), density * Simd<T>(T(0.39894228040143268))};
}

// ---------------------------------------------------------------------------------- sine, cosine

/// sin(x + quarters·π/2): x = k·π/2 + r, then one of ±sin r, ±cos r.
template <class T>
TARSIER_INLINE Simd<T> sin_of_quarters(Simd<T> x, int quarters) {
  using C = MathConstants<T>;
  using Bits = Simd<typename C::Bits>;
  using Bit = typename C::Bits;
  const Simd<T> k = round_small(x * Simd<T>(T(0.63661977236758134)));
  Simd<T> r = x;
  for (T piece : C::half_pi) r -= k * Simd<T>(piece);
  const Simd<T> r2 = r * r, one = T(1), half = T(0.5);
  const Simd<T> sine = fma(r * r2, polynomial(r2, C::sin), r);
  const Simd<T> cosine = fma(r2 * r2, polynomial(r2, C::cos), one - r2 * half);
  const Bits quarter = integer_bits(k) + Bits(Bit(quarters));
  const Simd<T> y = select((quarter & Bits(Bit(1))) == Bits(Bit(0)), sine, cosine);
  return select((quarter & Bits(Bit(2))) == Bits(Bit(0)), y, -y);
}

TARSIER_INLINE float libm_sin(float x) { return __builtin_sinf(x); }
TARSIER_INLINE double libm_sin(double x) { return __builtin_sin(x); }
TARSIER_INLINE float libm_cos(float x) { return __builtin_cosf(x); }
TARSIER_INLINE double libm_cos(double x) { return __builtin_cos(x); }
TARSIER_INLINE float libm_pow(float x, float p) { return __builtin_powf(x, p); }
TARSIER_INLINE double libm_pow(double x, double p) { return __builtin_pow(x, p); }

/// sin x. Error < 2.5 ulp; beyond |x| = 10⁴ the C library's, lane by lane.
template <class T>
TARSIER_INLINE Simd<T> sin(Simd<T> x) {
  // Keeps −0: tiny x are their own sines.
  const Simd<T> y = select(abs(x) < Simd<T>(MathConstants<T>::tiny), x, sin_of_quarters(x, 0));
  return repair(y, abs(x) > Simd<T>(MathConstants<T>::sincos_limit), x,
                [](T lane) { return libm_sin(lane); });
}

/// cos x. As sin.
template <class T>
TARSIER_INLINE Simd<T> cos(Simd<T> x) {
  return repair(sin_of_quarters(x, 1), abs(x) > Simd<T>(MathConstants<T>::sincos_limit), x,
                [](T lane) { return libm_cos(lane); });
}

// ------------------------------------------------------------------------------------------ powers

/// xᵖ, as std::pow: the C library's, lane by lane. An accurate exp(p·log x) in vectors would take
/// twice the precision; ops use squares and roots for the common exponents instead.
template <class T>
TARSIER_INLINE Simd<T> pow(Simd<T> x, Simd<T> p) {
  Simd<T> y;
  for (int i = 0; i < Simd<T>::width; ++i) y.v[i] = libm_pow(x[i], p[i]);
  return y;
}

}  // namespace tarsier::kernels::TARSIER_ISA
