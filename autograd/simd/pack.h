#pragma once
// Packing: copies a strip of A or B into the order in which a tile reads it.
//
// A panel holds, for p = 0, 1, …, the `step` elements that the tile reads at p, contiguously. For B
// these are neighbours in a row, for A neighbours in a column: A is packed as the rows of Aᵀ. Every
// element is copied once and read many times, from one stream without gaps. This also makes
// transposed operands free, because packing reads with any strides.

#include <cstdint>

#include "rows.h"
#include "simd.h"
#include "transpose.h"

namespace tarsier::kernels::TARSIER_ISA {

/// The source of the lanes of one vector of a panel: lane l at p is from[l·lane + p·col].
template <class T>
struct PackSource {
  const T* from;
  int64_t lane, col;
};

/// One block of width × width at p, or fewer rows if the source is not so deep, for lanes whose
/// elements are contiguous.
template <class T>
TARSIER_INLINE void pack_transposed(T* to, int64_t step, int64_t lanes, const PackSource<T>& source,
                                    int64_t p, int64_t depth = Simd<T>::width) {
  constexpr int W = Simd<T>::width;
  Simd<T> x[W];
  for (int l = 0; l < W; ++l)
    x[l] = l < lanes ? load(source.from + l * source.lane + p, depth) : Simd<T>(T(0));
  transpose(x);
  for (int i = 0; i < W; ++i)
    if (i < depth) x[i].store(to + (p + i) * step);
}

/// Packs one vector of lanes: to[p·step + l] = from[l·lane + p·col] for p < depth and l < width,
/// 0 for l ≥ lanes.
template <class T>
void pack_lanes(T* to, int64_t step, int64_t lanes, const PackSource<T>& source, int64_t depth) {
  constexpr int W = Simd<T>::width;
  const auto [from, lane, col] = source;
  if (lane == 1) {
    for (int64_t p = 0; p < depth; ++p) {
      const T* const row = from + p * col;
      (lanes < W ? Simd<T>::load(row, lanes) : Simd<T>::load(row)).store(to + p * step);
    }
  } else if (col == 1 && depth >= W) {
    for (int64_t p = 0; p + W <= depth; p += W) pack_transposed(to, step, lanes, source, p);
    // The last block overlaps the one before it: simpler and faster than a short one.
    if (depth % W != 0) pack_transposed(to, step, lanes, source, depth - W);
  } else if (col == 1) {
    pack_transposed(to, step, lanes, source, 0, depth);
  } else {
    for (int64_t p = 0; p < depth; ++p)
      for (int64_t l = 0; l < W; ++l)
        to[p * step + l] = l < lanes ? from[l * lane + p * col] : T(0);
  }
}

/// Packs one panel of `step` lanes (whole vectors), of which the source has `lanes`. The other
/// lanes of its last vector become 0, so that no stray NaN or denormal slows down the arithmetic;
/// they do not contribute to any element of C that is kept.
template <class T>
void pack_panel(T* to, int64_t step, int64_t lanes, const PackSource<T>& source, int64_t depth) {
  for (int64_t l = 0; l < step && l < lanes; l += Simd<T>::width)
    pack_lanes(to + l, step, lanes - l, {source.from + l * source.lane, source.lane, source.col},
               depth);
}

/// Packs `count` adjacent panels, each `advance` lanes further in the source than the one before.
template <class T>
void pack_panels(T* to, int64_t count, int64_t advance, int64_t step, int64_t lanes,
                 const PackSource<T>& source, int64_t depth) {
  constexpr int W = Simd<T>::width;
  int64_t done = 0;
  if (source.lane == 1) {
    // Row by row through all whole panels at once, because sequential reads are faster.
    while (done < count && done * advance + step <= lanes) ++done;
    for (int64_t p = 0; p < depth; ++p)
      for (int64_t i = 0; i < done; ++i)
        for (int64_t l = 0; l < step; l += W)
          Simd<T>::load(source.from + p * source.col + i * advance + l)
              .store(to + (i * depth + p) * step + l);
  }
  for (int64_t i = done; i < count; ++i)
    pack_panel(to + i * depth * step, step, lanes - i * advance,
               {source.from + i * advance * source.lane, source.lane, source.col}, depth);
}

}  // namespace tarsier::kernels::TARSIER_ISA
