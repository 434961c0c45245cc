#pragma once
// Packing f32 operands as pairs of bf16 (bf16.h): like pack.h, but a step of a panel is two steps
// of k. The last step of an odd number has a 0 for its second half.

#include <cstdint>

#include "bf16.h"
#include "pack.h"

namespace tarsier::kernels::TARSIER_ISA {

constexpr int64_t pair_steps(int64_t depth) { return ceil_div(depth, 2); }

/// A source whose lanes are contiguous.
template <int Part>
TARSIER_INLINE void pack_pair_rows(Pair* to, int64_t step, int64_t lanes,
                                   const PackSource<float>& source, int64_t depth,
                                   OddNumbers& odd) {
  constexpr int W = Simd<float>::width;
  const auto row = [&](int64_t p) {
    const float* const from = source.from + p * source.col;
    return lanes < W ? Simd<float>::load(from, lanes) : Simd<float>::load(from);
  };
  for (int64_t p = 0; p < depth; p += 2) {
    const Simd<float> first = row(p), second = p + 1 < depth ? row(p + 1) : Simd<float>(0.0f);
    odd.see(first);
    odd.see(second);
    make_pairs(rest_of<Part>(first), rest_of<Part>(second)).store(to + p / 2 * step);
  }
}

/// A source whose steps are contiguous: blocks of `width` lanes by `width` pairs, transposed.
template <int Part>
TARSIER_INLINE void pack_pair_columns(Pair* to, int64_t step, int64_t lanes,
                                      const PackSource<float>& source, int64_t depth,
                                      OddNumbers& odd) {
  constexpr int W = Simd<float>::width;
  const auto load = [](const float* from, int64_t n) {
    return n >= W ? Simd<float>::load(from) : Simd<float>::load(from, most(n, 0));
  };
  for (int64_t p = 0; p < depth; p += 2 * W) {
    Simd<Pair> x[W];
    for (int l = 0; l < W; ++l) {
      if (l >= lanes) {
        x[l] = Simd<Pair>(0u);
        continue;
      }
      const float* const from = source.from + l * source.lane + p;
      const Simd<float> low = load(from, depth - p), high = load(from + W, depth - p - W);
      odd.see(low);
      odd.see(high);
      x[l] = neighbour_pairs(rest_of<Part>(low), rest_of<Part>(high));
    }
    transpose(x);
    const int64_t steps = least(W, pair_steps(depth - p));
    for (int64_t i = 0; i < steps; ++i) x[i].store(to + (p / 2 + i) * step);
  }
}

/// Any strides.
template <int Part>
TARSIER_INLINE void pack_pair_elements(Pair* to, int64_t step, int64_t lanes,
                                       const PackSource<float>& source, int64_t depth,
                                       OddNumbers& odd) {
  constexpr int W = Simd<float>::width;
  for (int64_t p = 0; p < depth; p += 2) {
    alignas(64) float values[2][W] = {};
    for (int64_t half = 0; half < 2 && p + half < depth; ++half)
      for (int64_t l = 0; l < W && l < lanes; ++l)
        values[half][l] = source.from[l * source.lane + (p + half) * source.col];
    const auto first = Simd<float>::load(values[0]), second = Simd<float>::load(values[1]);
    odd.see(first);
    odd.see(second);
    make_pairs(rest_of<Part>(first), rest_of<Part>(second)).store(to + p / 2 * step);
  }
}

/// Packs one panel of `step` lanes (whole vectors, at most 32 lanes), of which the source has
/// `lanes`; the others become 0. Of every number it packs the part `Part`, from 0. Returns the set of
/// lanes that hold a number that bf16 cannot stand for (OddNumbers), as bits: what is packed of those
/// is not to be used.
template <int Part>
uint32_t pack_pair_panel(Pair* to, int64_t step, int64_t lanes, const PackSource<float>& source,
                         int64_t depth, uint32_t smallest) {
  constexpr int W = Simd<float>::width;
  OddNumbers odd(smallest);
  for (int64_t l = 0; l < step; l += W) {
    const PackSource<float> part{source.from + l * source.lane, source.lane, source.col};
    if (l >= lanes)
      for (int64_t p = 0; p < pair_steps(depth); ++p) Simd<Pair>(0u).store(to + p * step + l);
    else if (source.lane == 1)
      pack_pair_rows<Part>(to + l, step, lanes - l, part, depth, odd);
    else if (source.col == 1)
      pack_pair_columns<Part>(to + l, step, lanes - l, part, depth, odd);
    else
      pack_pair_elements<Part>(to + l, step, lanes - l, part, depth, odd);
  }
  uint32_t odd_lanes = 0;
  if (odd.any())
    for (int64_t l = 0; l < least(step, lanes); ++l)
      for (int64_t p = 0; p < depth; ++p)
        if (odd.is_odd(source.from[l * source.lane + p * source.col]))
          odd_lanes |= uint32_t(1) << l;
  return odd_lanes;
}

}  // namespace tarsier::kernels::TARSIER_ISA
