#pragma once
// The innermost part of matmul: one tile of C, held in registers while the loop runs over k.
//
// A tile is kTileRows rows by two vectors. Step p of its loop reads two vectors of row p of B and,
// for each of its rows, one element of A that it repeats in all lanes: 2·rows multiply-adds for
// rows + 2 loads. The sums stay in registers for a whole chain (sum.h), so the tile is as large as
// the register file allows:
//
//   AVX-512, 32 registers: 14 rows × 2 vectors = 28 sums, + 2 of B, + 1 of A
//   AVX2 and SSE, 16 registers: 6 × 2 = 12 sums, + 2 of B, + 1 of A   (NEON could hold more)
//
// See Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), and Van
// Zee and van de Geijn, "BLIS" (2015), for why, and gemm_ladder.h for the way in four steps.

#include <cstdint>

#include "simd.h"
#include "sum.h"

namespace tarsier::kernels::TARSIER_ISA {

constexpr int kTileRows = TARSIER_VECTOR_BYTES == 64 ? 14 : 6;
template <class T>
constexpr int kTileCols = 2 * Simd<T>::width;

/// Rows in a packed panel of A: kTileRows, rounded up to whole vectors.
template <class T>
constexpr int kPanelRows = (kTileRows + Simd<T>::width - 1) / Simd<T>::width* Simd<T>::width;

/// The operands of one tile: rows × cols of C, where cols is one or two vectors. Their elements are
/// of type In: that of the sums, or pairs of bf16 (bf16.h), each of which counts as one step.
template <class T, class In = T>
struct TileArgs {
  int64_t k = 0;
  int64_t chain = kChain;        // multiply-adds in a row
  const In* a = nullptr;         // A[i, p] at a[i·a_row + p·a_col]
  int64_t a_row = 0, a_col = 0;  // not read if A is packed
  const In* b = nullptr;         // row p of B at b[p·b_row], columns contiguous
  int64_t b_row = 0;
  const T* start = nullptr;  // row i of the sums is added to start[i·start_row]
  int64_t start_row = 0;     // 0 if all rows start from the same (zeros, the bias)
  T* c = nullptr;
  int64_t c_row = 0;
};

/// C = start + A·B for a tile of Rows × Vectors·width, in chains of args.chain multiply-adds per
/// element in the order of p. PackedA: A[i, p] at a[p·kPanelRows + i].
///
/// The pragmas unroll the loops over the tile early, so that g++ keeps every sum in a register
/// throughout; otherwise it also writes all of them to the stack, before and after.
template <class T, class In, int Rows, int Vectors, bool PackedA>
void tile(const TileArgs<T, In>& args) {
  constexpr int W = Simd<T>::width;
  const int64_t a_row = PackedA ? 1 : args.a_row;
  const int64_t a_col = PackedA ? kPanelRows<T> : args.a_col;
  Simd<T> sum[Rows][Vectors];
  alignas(64)
      T total[Rows][Vectors][W];  // of earlier chains: in memory, because sums need the registers
  const auto each_sum = [](const auto& body) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) body(i, j);
  };

  const In* a = args.a;
  const In* b = args.b;
  for (int64_t begin = 0;; begin += args.chain) {
    each_sum([&](int i, int j) { sum[i][j] = Simd<T>(T(0)); });
    const int64_t steps = least(args.chain, args.k - begin);
    for (int64_t p = 0; p < steps; ++p) {
      Simd<In> row[Vectors];
#pragma GCC unroll 16
      for (int j = 0; j < Vectors; ++j) row[j] = Simd<In>::load(b + j * W);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const Simd<In> element(a[i * a_row]);
#pragma GCC unroll 16
        for (int j = 0; j < Vectors; ++j) sum[i][j] = fma(element, row[j], sum[i][j]);
      }
      a += a_col;
      b += args.b_row;
    }
    if (begin > 0)
      each_sum([&](int i, int j) { sum[i][j] = Simd<T>::load(total[i][j]) + sum[i][j]; });
    if (begin + args.chain >= args.k) break;
    each_sum([&](int i, int j) { sum[i][j].store(total[i][j]); });
  }
  // In local variables: otherwise g++ reads them again after every store.
  const T* const start = args.start;
  T* const c = args.c;
  const int64_t start_row = args.start_row, c_row = args.c_row;
  each_sum([&](int i, int j) {
    (Simd<T>::load(start + i * start_row + j * W) + sum[i][j]).store(c + i * c_row + j * W);
  });
}

template <class T, class In = T>
using Tile = void (*)(const TileArgs<T, In>&);

/// The tile functions of all sizes: of[vectors − 1][rows − 1].
template <class T, class In, bool PackedA>
struct Tiles {
  Tile<T, In> of[2][kTileRows];

  constexpr Tiles() { fill<1>(); }

 private:
  template <int Rows>
  constexpr void fill() {
    of[0][Rows - 1] = tile<T, In, Rows, 1, PackedA>;
    of[1][Rows - 1] = tile<T, In, Rows, 2, PackedA>;
    if constexpr (Rows < kTileRows) fill<Rows + 1>();
  }
};

template <class T, class In = T>
inline constexpr Tiles<T, In, true> kPackedTiles;
/// A where it lies, with any strides.
template <class T>
inline constexpr Tiles<T, T, false> kDirectTiles;

}  // namespace tarsier::kernels::TARSIER_ISA
