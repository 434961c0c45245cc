#pragma once
// Int8 weights multiplied in integers, by the instruction of AVX512_VNNI: in every lane it adds four
// products of an unsigned and a signed byte to a sum of 32 bits, sixteen weights in the time that
// f32 takes for four.
//
// A row of X becomes integers of 16 bits, in two digits of a byte:
//
//   X[i, p] ≈ step_i · (256·high + low),   high in −127 … 127, low in −128 … 127,
//   step_i = max_p |X[i, p]| / 32,512
//
// which is off by at most half a step, 2⁻¹⁶ of the row's largest number. The weights are made
// unsigned by adding 128; so the sums begin with −128·Σ_p of the digits. They are exact, whatever
// their order. A row that steps cannot stand for (NaN, infinity, denormal numbers) is left to f32.

#include <cstdint>

#include "../../base/parallel.h"
#include "../../simd/scratch.h"
#include "../../simd/simd.h"
#include "int8_arguments.h"

namespace tarsier::kernels::TARSIER_ISA {

/// Up to this k no sum of 32 bits overflows.
constexpr int64_t kMostVnni = 32768;

/// The memory of a thread for the digits of X.
inline Scratch& digit_scratch() {
  thread_local Scratch memory;
  [[maybe_unused]] thread_local const ScratchOwner owner{memory};
  return memory;
}

/// The digits of a row: words of four neighbours along k, as those of the weights.
struct DigitRow {
  const int32_t* high;
  const int32_t* low;
  int32_t high_start, low_start;  // what the sums begin with
  float step;
};

// Not an intrinsic: those exist only where all code is compiled for AVX512_VNNI.
#if TARSIER_VECTOR_BYTES == 64
/// sum + the four products of bytes of `u`, unsigned, and `s`, signed, in every lane.
TARSIER_INLINE Simd<int32_t> add_products(Simd<int32_t> sum, Simd<int32_t> u, Simd<int32_t> s) {
  auto result = sum.v;
  asm("vpdpbusd %2, %1, %0" : "+v"(result) : "v"(u.v), "v"(s.v));
  return result;
}
#else  // declared for the templates; no build without the instruction calls it
Simd<int32_t> add_products(Simd<int32_t> sum, Simd<int32_t> u, Simd<int32_t> s);
#endif

/// The sums of Rows × Vectors·width of Y, to rows of kInt8Panel.
template <int Rows, int Vectors>
void vnni_tile(int64_t steps, const DigitRow* x, const int32_t* words, float* sums) {
  constexpr int W = Simd<int32_t>::width;
  Simd<int32_t> high[Rows][Vectors], low[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < Vectors; ++j) {
      high[i][j] = Simd<int32_t>(x[i].high_start);
      low[i][j] = Simd<int32_t>(x[i].low_start);
    }
  for (int64_t p = 0; p < steps; ++p, words += kInt8Panel) {
    Simd<int32_t> weight[Vectors];
#pragma GCC unroll 16
    for (int j = 0; j < Vectors; ++j)
      weight[j] = Simd<int32_t>::load(words + j * W) ^ Simd<int32_t>(int32_t(0x80808080));
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Simd<int32_t> h(x[i].high[p]), l(x[i].low[p]);
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) {
        high[i][j] = add_products(high[i][j], weight[j], h);
        low[i][j] = add_products(low[i][j], weight[j], l);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < Vectors; ++j) {
      const auto sum =
          fma(Simd<float>(256.0f), convert<float>(high[i][j]), convert<float>(low[i][j]));
      (sum * Simd<float>(x[i].step)).store(sums + i * kInt8Panel + j * W);
    }
}

/// The tile functions of 1 … Most rows and two vectors.
template <int Most>
struct VnniTiles {
  void (*of[Most])(int64_t, const DigitRow*, const int32_t*, float*);
  constexpr VnniTiles() { fill<1>(); }

 private:
  template <int Rows>
  constexpr void fill() {
    of[Rows - 1] = vnni_tile<Rows, 2>;
    if constexpr (Rows < Most) fill<Rows + 1>();
  }
};
template <int Most>
inline constexpr VnniTiles<Most> kVnniTiles;

/// A way of computing sums (int8.kernel.cpp). Isa is that of the build: a parameter, so that only
/// builds with the instruction compile the tiles.
template <Isa isa>
class Int8InIntegers {
 public:
  static constexpr int kRows = 6;
  static constexpr int kLongVectors = static_cast<int>(least(4, kInt8Panel / Simd<int32_t>::width));

  Int8InIntegers(const Int8Linear& g, Scratch& scratch) : steps_(int8_words(g.k)) {
    const int64_t room = ceil_div(static_cast<int64_t>(sizeof(DigitRow)), 4) + 2 * padded(steps_);
    int32_t* const memory = scratch.get<int32_t>(g.m * room + 16);
    int32_t* const digits = memory;
    rows_ = reinterpret_cast<DigitRow*>(memory + g.m * 2 * padded(steps_));
    parallel_for(g.m, 1 + (int64_t(1) << 14) / (g.k + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int32_t* const high = digits + i * 2 * padded(steps_);
        rows_[i] = split(g.x + i * g.x_row, g.k, high, high + padded(steps_));
      }
    });
  }

  /// Whether a row is left to f32.
  bool skips(int64_t row) const { return rows_[row].step < 0; }

  void sums(int64_t row, int64_t rows, const int32_t* words, float* to) const {
    if (rows == 1)
      vnni_tile<1, kLongVectors>(steps_, rows_ + row, words, to);
    else
      kVnniTiles<kRows>.of[rows - 1](steps_, rows_ + row, words, to);
  }

 private:
  /// Whole registers of bytes: every vector of digits is stored whole.
  static constexpr int64_t padded(int64_t steps) { return ceil_div(steps, 16) * 16; }

  /// Writes the digits of a row, and zeros after them.
  static DigitRow split(const float* x, int64_t k, int32_t* high, int32_t* low) {
    constexpr int W = Simd<float>::width;
    using Bytes [[gnu::vector_size(W), gnu::aligned(1), gnu::may_alias]] = int8_t;
    const auto element = [&](int64_t p) {
      return p + W <= k ? Simd<float>::load(x + p) : Simd<float>::load(x + p, k - p);
    };
    // Of the bits of |x|: those of a NaN are larger than all others.
    Simd<int32_t> largest(0);
    for (int64_t p = 0; p < k; p += W) largest = max(largest, bit_cast<int32_t>(abs(element(p))));
    const float most = __builtin_bit_cast(float, max_lanes(largest));
    constexpr float kLargest = 127 * 256, kSmallest = 1e-30f, kInfinity = __builtin_inff();
    const bool odd = !(most < kInfinity) || (most > 0 && most < kSmallest);
    const float factor = odd || most == 0 ? 0 : kLargest / most;
    Simd<int32_t> high_sum(0), low_sum(0);
    for (int64_t p = 0; p < padded(int8_words(k)) * kInt8Group; p += W) {
      Simd<int32_t> digits(0);
      if (p < k && !odd) {
        // Adding 1.5 · 2²³ rounds to whole numbers, which are then the lowest bits.
        constexpr float kMagic = 12582912.0f;
        const Simd<float> rounded = fma(element(p), Simd<float>(factor), Simd<float>(kMagic));
        digits = bit_cast<int32_t>(rounded) - Simd<int32_t>(__builtin_bit_cast(int32_t, kMagic));
      }
      const Simd<int32_t> h = (digits + Simd<int32_t>(128)) >> 8, l = digits - (h << 8);
      high_sum += h;
      low_sum += l;
      *reinterpret_cast<Bytes*>(reinterpret_cast<int8_t*>(high) + p) =
          __builtin_convertvector(h.v, Bytes);
      *reinterpret_cast<Bytes*>(reinterpret_cast<int8_t*>(low) + p) =
          __builtin_convertvector(l.v, Bytes);
    }
    return {high, low, -128 * sum_lanes(high_sum), -128 * sum_lanes(low_sum),
            odd ? -1 : most / kLargest};
  }

  int64_t steps_;
  DigitRow* rows_;
};

}  // namespace tarsier::kernels::TARSIER_ISA
