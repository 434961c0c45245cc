#pragma once
// bf16: the upper half of an f32, with 8 bits of significand. Products of pairs of them.
//
// A pair is two neighbours along k in one 32-bit lane, the first in the lower half. So a register
// of pairs has as many lanes as a register of f32, and a tile of pairs (tile.h) is a tile of f32
// with another multiply-add, which does two steps of k at once.
//
// The instruction of AVX512_BF16 rounds to f32 after each of its two additions, and takes denormal
// numbers for 0: those that it multiplies, and what it has added so far.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

using Pair = uint32_t;

/// What bf16 can stand for: 0, and from the smallest normal f32 up to where rounding gives ∞.
constexpr uint32_t kSmallestBits = 0x00800000, kTooLargeBits = 0x7F7F8000;
/// The smallest number, 2⁻¹⁰², of which all parts are normal too: they end 23 bits below its first.
constexpr uint32_t kSmallestBitsInParts = 0x0C800000;

// Not intrinsics: those exist only where all code is compiled for AVX512_BF16, and the build for
// AVX-512 also runs on processors without it, which never come here (GemmKernels::bf16_parts).
#if TARSIER_VECTOR_BYTES == 64
/// The products of the pairs, added: a₀·b₀ + (a₁·b₁ + sum).
TARSIER_INLINE Simd<float> fma(Simd<Pair> a, Simd<Pair> b, Simd<float> sum) {
  auto result = sum.v;
  asm("vdpbf16ps %2, %1, %0" : "+v"(result) : "v"(a.v), "v"(b.v));
  return result;
}

/// (x₀, x₁), (x₂, x₃), … of the lanes of `low` and then of `high`, rounded to nearest, ties to even.
TARSIER_INLINE Simd<Pair> neighbour_pairs(Simd<float> low, Simd<float> high) {
  Simd<Pair>::Vector result;
  asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(result) : "v"(high.v), "v"(low.v));
  return result;
}
#else  // declared for the templates; no build without the instructions calls them
Simd<float> fma(Simd<Pair> a, Simd<Pair> b, Simd<float> sum);
Simd<Pair> neighbour_pairs(Simd<float> low, Simd<float> high);
#endif

template <int... I>
TARSIER_INLINE Simd<Pair> zip_halves(Simd<Pair> x, Lanes<I...>) {
  using Halves [[gnu::vector_size(TARSIER_VECTOR_BYTES)]] = uint16_t;
  const auto halves = __builtin_bit_cast(Halves, x.v);
  return __builtin_bit_cast(
      Simd<Pair>::Vector,
      __builtin_shufflevector(halves, halves, (I / 2 + I % 2 * Simd<Pair>::width)...));
}
/// The pairs (first, second) of every lane, rounded.
TARSIER_INLINE Simd<Pair> make_pairs(Simd<float> first, Simd<float> second) {
  return zip_halves(neighbour_pairs(first, second),
                    typename MakeLanes<2 * Simd<Pair>::width>::Type());
}

/// What is left of x after its first `Part` parts: each is the rest before it, rounded to bf16.
template <int Part>
TARSIER_INLINE Simd<float> rest_of(Simd<float> x) {
  for (int i = 0; i < Part; ++i) {
    const auto bits = bit_cast<uint32_t>(x);
    const auto rounded = bits + (Simd<uint32_t>(0x7FFFu) + ((bits >> 16) & Simd<uint32_t>(1u)));
    x = x - bit_cast<float>(rounded & Simd<uint32_t>(0xFFFF0000u));
  }
  return x;
}

/// Finds numbers that bf16 cannot stand for: those that are smaller than `smallest`, given as its
/// bits, and those that are, or would become, infinite or NaN.
class OddNumbers {
 public:
  explicit OddNumbers(uint32_t smallest) : smallest_(smallest) {}

  TARSIER_INLINE void see(Simd<float> x) {
    const auto bits = bit_cast<uint32_t>(x) & Simd<uint32_t>(0x7FFFFFFFu);
    lowest_ = min(lowest_, bits - Simd<uint32_t>(1u));  // 0 becomes the largest of all
    highest_ = max(highest_, bits);
  }
  TARSIER_INLINE bool any() const {
    const auto odd =
        (lowest_ < Simd<uint32_t>(smallest_ - 1)) | (highest_ >= Simd<uint32_t>(kTooLargeBits));
    return reduce_lanes(odd, [](int32_t a, int32_t b) { return a | b; }) != 0;
  }
  bool is_odd(float x) const {
    const uint32_t bits = __builtin_bit_cast(uint32_t, x) & 0x7FFFFFFFu;
    return bits - 1 < smallest_ - 1 || bits >= kTooLargeBits;
  }

 private:
  uint32_t smallest_;
  Simd<uint32_t> lowest_{~0u}, highest_{0u};
};

}  // namespace tarsier::kernels::TARSIER_ISA
