#pragma once
// Simd<T>: one vector register of T, the type that every kernel is written in.
//
// Each kernel source is compiled once per instruction set. CMake defines, for each such build,
//   TARSIER_ISA           scalar | avx2 | avx512 | neon: the namespace that the build lives in
//   TARSIER_VECTOR_BYTES  16, 32, 64: the width of a register
// The compilers' vector types do the rest: there are no intrinsics here, and nothing to port.
//
// Kernel sources must not instantiate standard-library templates or call inline standard functions:
// the linker merges such functions across builds, and may keep the AVX-512 copy for all of them.
// The test tests/kernel_symbols.cmake checks this. Everything here is in the build's own namespace.

#include <cstddef>
#include <cstdint>

#include "isa.h"

#define TARSIER_INLINE [[gnu::always_inline]] inline

namespace tarsier::kernels {
/// The instruction set that this file is compiled for.
inline constexpr Isa kIsa = Isa::TARSIER_ISA;
}  // namespace tarsier::kernels

namespace tarsier::kernels::TARSIER_ISA {

template <class T>
struct IntOfSize;
template <>
struct IntOfSize<float> {
  using Type = int32_t;
};
template <>
struct IntOfSize<double> {
  using Type = int64_t;
};
template <>
struct IntOfSize<int32_t> {
  using Type = int32_t;
};
template <>
struct IntOfSize<uint32_t> {
  using Type = int32_t;
};
template <>
struct IntOfSize<int64_t> {
  using Type = int64_t;
};
template <>
struct IntOfSize<uint64_t> {
  using Type = int64_t;
};

/// The numbers 0 … n − 1 as template arguments, for shuffles of lanes.
template <int... lane>
struct Lanes {};
template <int n, int... lane>
struct MakeLanes : MakeLanes<n - 1, n - 1, lane...> {};
template <int... lane>
struct MakeLanes<0, lane...> {
  using Type = Lanes<lane...>;
};

/// The compilers' vector type. Outside Simd, because inside g++ takes a T and a vector of T
/// for the same type when it compares constructors.
template <class T>
struct VectorOf {
  using Type [[gnu::vector_size(TARSIER_VECTOR_BYTES)]] = T;
};

/// One vector register of T, with the arithmetic of T in every lane. Comparisons give a mask:
/// integer lanes of 0 or −1, for `select`.
template <class T>
struct Simd {
  using Lane = T;
  using Vector = typename VectorOf<T>::Type;
  /// The same in memory: of any alignment, and allowed to alias anything.
  using Unaligned
      [[gnu::vector_size(TARSIER_VECTOR_BYTES), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
  using Int = Simd<typename IntOfSize<T>::Type>;
  static constexpr int width = TARSIER_VECTOR_BYTES / sizeof(T);

  Vector v;

  TARSIER_INLINE Simd() = default;
  TARSIER_INLINE Simd(Vector vector) : v(vector) {}
  /// All lanes equal to `s` (s − 0 and not s + 0, which would turn −0 into +0).
  TARSIER_INLINE Simd(T s) : v(s - Vector{}) {}

  TARSIER_INLINE T operator[](int lane) const { return v[lane]; }

  /// Reads `width` elements from `p`, of any alignment.
  TARSIER_INLINE static Simd load(const T* p) {
    return Simd(*reinterpret_cast<const Unaligned*>(p));
  }
  /// A mask of the first n lanes. Loops that test it (and not i < n, which g++ splits in two)
  /// become one masked load or store if the processor has those.
  TARSIER_INLINE static Int first_lanes(int64_t n) {
    typename Int::Vector index;
    for (int i = 0; i < width; ++i) index[i] = i;
    return Int(index) < Int(static_cast<typename Int::Lane>(n));
  }
  /// Reads the first `n` < width elements, zero in the other lanes.
  TARSIER_INLINE static Simd load(const T* p, int64_t n) {
    typename Int::Lane wanted[width];
    first_lanes(n).store(wanted);
    alignas(Vector) T lanes[width];
#pragma GCC unroll 1
    for (int i = 0; i < width; ++i) lanes[i] = wanted[i] ? p[i] : T(0);
    return load(lanes);
  }
  TARSIER_INLINE void store(T* p) const { *reinterpret_cast<Unaligned*>(p) = v; }
  /// Writes the first `n` < width lanes.
  TARSIER_INLINE void store(T* p, int64_t n) const {
    alignas(Vector) T lanes[width];
    store(lanes);
    typename Int::Lane wanted[width];
    first_lanes(n).store(wanted);
#pragma GCC unroll 1
    for (int i = 0; i < width; ++i)
      if (wanted[i]) p[i] = lanes[i];
  }

  TARSIER_INLINE friend Simd operator+(Simd a, Simd b) { return a.v + b.v; }
  TARSIER_INLINE friend Simd operator-(Simd a, Simd b) { return a.v - b.v; }
  TARSIER_INLINE friend Simd operator*(Simd a, Simd b) { return a.v * b.v; }
  TARSIER_INLINE friend Simd operator/(Simd a, Simd b) { return a.v / b.v; }
  TARSIER_INLINE friend Simd operator-(Simd a) { return -a.v; }
  TARSIER_INLINE Simd& operator+=(Simd b) {
    v += b.v;
    return *this;
  }
  TARSIER_INLINE Simd& operator-=(Simd b) {
    v -= b.v;
    return *this;
  }
  TARSIER_INLINE Simd& operator*=(Simd b) {
    v *= b.v;
    return *this;
  }
  TARSIER_INLINE Simd& operator/=(Simd b) {
    v /= b.v;
    return *this;
  }

  // Integer lanes only.
  TARSIER_INLINE friend Simd operator&(Simd a, Simd b) { return a.v & b.v; }
  TARSIER_INLINE friend Simd operator|(Simd a, Simd b) { return a.v | b.v; }
  TARSIER_INLINE friend Simd operator^(Simd a, Simd b) { return a.v ^ b.v; }
  TARSIER_INLINE friend Simd operator~(Simd a) { return ~a.v; }
  TARSIER_INLINE friend Simd operator<<(Simd a, int bits) { return a.v << bits; }
  TARSIER_INLINE friend Simd operator>>(Simd a, int bits) { return a.v >> bits; }

  TARSIER_INLINE friend Int operator<(Simd a, Simd b) { return Int(a.v < b.v); }
  TARSIER_INLINE friend Int operator<=(Simd a, Simd b) { return Int(a.v <= b.v); }
  TARSIER_INLINE friend Int operator>(Simd a, Simd b) { return Int(a.v > b.v); }
  TARSIER_INLINE friend Int operator>=(Simd a, Simd b) { return Int(a.v >= b.v); }
  TARSIER_INLINE friend Int operator==(Simd a, Simd b) { return Int(a.v == b.v); }
  TARSIER_INLINE friend Int operator!=(Simd a, Simd b) { return Int(a.v != b.v); }
};

/// mask ? a : b in every lane.
template <class T>
TARSIER_INLINE Simd<T> select(typename Simd<T>::Int mask, Simd<T> a, Simd<T> b) {
  return mask.v ? a.v : b.v;
}

/// The same bits read as another type of the same lane size.
template <class To, class From>
TARSIER_INLINE Simd<To> bit_cast(Simd<From> x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(typename Simd<To>::Vector, x.v);
}

/// Numerical conversion between lanes of the same size (float → int truncates).
template <class To, class From>
TARSIER_INLINE Simd<To> convert(Simd<From> x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_convertvector(x.v, typename Simd<To>::Vector);
}

/// The larger of the two; b where a is NaN (as the hardware does).
template <class T>
TARSIER_INLINE Simd<T> max(Simd<T> a, Simd<T> b) {
  return a.v > b.v ? a.v : b.v;
}
template <class T>
TARSIER_INLINE Simd<T> min(Simd<T> a, Simd<T> b) {
  return a.v < b.v ? a.v : b.v;
}
template <class T>
TARSIER_INLINE Simd<T> abs(Simd<T> a) {
  using I = typename Simd<T>::Int;
  using U = typename I::Lane;
  return bit_cast<T>(bit_cast<U>(a) & I(static_cast<U>(~(U(1) << (8 * sizeof(U) - 1)))));
}

TARSIER_INLINE float sqrt_lane(float x) { return __builtin_sqrtf(x); }
TARSIER_INLINE double sqrt_lane(double x) { return __builtin_sqrt(x); }
/// Square root, correctly rounded.
template <class T>
TARSIER_INLINE Simd<T> sqrt(Simd<T> a) {
  Simd<T> y;
  for (int i = 0; i < Simd<T>::width; ++i) y.v[i] = sqrt_lane(a.v[i]);
  return y;
}

/// a·b + c; fused on instruction sets that support it (the builds pass -ffp-contract=fast).
template <class T>
TARSIER_INLINE Simd<T> fma(Simd<T> a, Simd<T> b, Simd<T> c) {
  return a.v * b.v + c.v;
}

/// Reduces all lanes with `op(T, T)` in a fixed tree: halves, quarters, … so the order, and with it
/// every bit of the result, depends only on the width.
template <class T, class Op>
TARSIER_INLINE T reduce_lanes(Simd<T> x, Op op) {
  alignas(typename Simd<T>::Vector) T lanes[Simd<T>::width];
  x.store(lanes);
  for (int half = Simd<T>::width / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] = op(lanes[i], lanes[i + half]);
  return lanes[0];
}
template <class T>
TARSIER_INLINE T sum_lanes(Simd<T> x) {
  return reduce_lanes(x, [](T a, T b) { return a + b; });
}
template <class T>
TARSIER_INLINE T max_lanes(Simd<T> x) {
  return reduce_lanes(x, [](T a, T b) { return a > b ? a : b; });
}

/// For sizes: the smaller, the larger, and a / b rounded up.
constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace tarsier::kernels::TARSIER_ISA
