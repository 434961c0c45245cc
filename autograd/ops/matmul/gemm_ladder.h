#pragma once
// From the definition of the matrix product to a fast one, in four steps.
//
//   1 naive     the definition: three loops
//   2 blocked   the same sums, in a cache-friendly order
//   3 packed    + the operands copied into the order in which they are read
//   4 simd      + the sums of a tile held in vector registers
//
// All compute C = A·B for row-major matrices, A m × k, B k × n, C m × n. Each element of C is the
// same chain of multiply-adds in all of them, c ← fma(A[i, p], B[p, j], c) for p = 0, 1, …, so the
// results are equal to the last bit (tests/kernels/gemm_test.cpp). bench/ times the steps. The
// kernel in gemm.kernel.cpp is step 4 with any strides, exact edges, threads, a fused bias, and
// short chains (sum.h), because the error of a long chain grows with its length.

#include <cstdint>

#include "../../simd/simd.h"

namespace tarsier::kernels::TARSIER_ISA::ladder {

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// a·b + c, fused as in simd.h. Its operands are read before it multiplies: a sanitizer's check of a
/// read between product and sum would keep Clang from fusing them.
template <class T>
TARSIER_INLINE T multiply_add(T a, T b, T c) {
  return a * b + c;
}

// -------------------------------------------------------------------------------- 1: naive

/// The definition. For every element of C it walks down a column of B: each step touches another
/// cache line, of which it uses one number. And each multiply-add waits for the one before it.
template <class T>
void naive(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* /*memory*/) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      c[i * n + j] = 0;
      for (int64_t p = 0; p < k; ++p)
        c[i * n + j] = multiply_add(a[i * k + p], b[p * n + j], c[i * n + j]);
    }
}

// ------------------------------------------------------------------------------ 2: blocked

/// Two changes. The loop order i, j, p becomes i, p, j: the innermost loop runs along rows of B and
/// C, its iterations are independent, and the compiler vectorises it. And p and j are split into
/// blocks: a block of B (128 × 256 floats, 128 KiB) stays in the L2 cache for all rows of A.
template <class T>
void blocked(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* /*memory*/) {
  constexpr int64_t kBlockK = 128, kBlockN = 256;
  for (int64_t i = 0; i < m * n; ++i) c[i] = 0;
  for (int64_t j0 = 0; j0 < n; j0 += kBlockN)
    for (int64_t p0 = 0; p0 < k; p0 += kBlockK)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t p = p0; p < smaller(p0 + kBlockK, k); ++p)
          for (int64_t j = j0; j < smaller(j0 + kBlockN, n); ++j)
            c[i * n + j] = multiply_add(a[i * k + p], b[p * n + j], c[i * n + j]);
}

// ------------------------------------------------------------------------------- 3: packed

// Step 2 still reads and writes C once for every multiply-add. From here on C is cut into tiles,
// each of which is processed for all of k: C is accessed once, and each element of A or B that is
// read serves a whole row or column of the tile.
constexpr int kRows = TARSIER_VECTOR_BYTES == 64 ? 14 : 6;
template <class T>
constexpr int kCols = 2 * Simd<T>::width;

/// Rows of A into strips of kRows: for p = 0 the kRows elements of column 0, then for p = 1, … What
/// A does not have becomes 0, and does not contribute to any element of C that is kept.
template <class T>
void pack_a(int64_t m, int64_t k, const T* a, T* to) {
  for (int64_t i0 = 0; i0 < m; i0 += kRows)
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = i0; i < i0 + kRows; ++i) *to++ = i < m ? a[i * k + p] : T(0);
}

/// A strip of kCols columns of B: for p = 0 the kCols elements of row 0, then for p = 1, …
template <class T>
void pack_b(int64_t cols, int64_t n, int64_t k, const T* b, T* to) {
  for (int64_t p = 0; p < k; ++p)
    for (int j = 0; j < kCols<T>; ++j) *to++ = j < cols ? b[p * n + j] : T(0);
}

/// Elements of memory that packing needs: all of A, and one strip of B, which stays in the L1 cache
/// during the loop over A.
template <class T>
int64_t packed_size(int64_t m, int64_t k) {
  return ((m + kRows - 1) / kRows * kRows + kCols<T>)*k;
}

/// The loops of steps 3 and 4: `Tile` multiplies a strip of A by a strip of B.
template <class T, class Tile>
void by_tiles(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* memory) {
  T* const packed_b = memory;
  T* const packed_a = memory + k * kCols<T>;
  pack_a(m, k, a, packed_a);
  for (int64_t j0 = 0; j0 < n; j0 += kCols<T>) {
    const int64_t cols = smaller(kCols<T>, n - j0);
    pack_b(cols, n, k, b + j0, packed_b);
    for (int64_t i0 = 0; i0 < m; i0 += kRows) {
      T tile[kRows * kCols<T>];
      Tile::run(k, packed_a + i0 * k, packed_b, tile);
      for (int64_t i = 0; i < smaller(kRows, m - i0); ++i)
        for (int64_t j = 0; j < cols; ++j) c[(i0 + i) * n + j0 + j] = tile[i * kCols<T> + j];
    }
  }
}

/// The tile by the definition. The compiler vectorises the loop over j, but keeps the sums in
/// memory: it loads and stores each of them at every step.
template <class T>
struct ScalarTile {
  static void run(int64_t k, const T* a, const T* b, T* c) {
    T sum[kRows * kCols<T>] = {};
    for (int64_t p = 0; p < k; ++p)
      for (int i = 0; i < kRows; ++i)
        for (int j = 0; j < kCols<T>; ++j)
          sum[i * kCols<T> + j] =
              multiply_add(a[p * kRows + i], b[p * kCols<T> + j], sum[i * kCols<T> + j]);
    for (int x = 0; x < kRows * kCols<T>; ++x) c[x] = sum[x];
  }
};

template <class T>
void packed(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* memory) {
  by_tiles<T, ScalarTile<T>>(m, n, k, a, b, c, memory);
}

// --------------------------------------------------------------------------------- 4: simd

/// The tile in registers: kRows × 2 vectors of sums, as many as the register file has room for. A
/// step loads two vectors of B, and repeats one element of A for each row: kRows + 2 loads for
/// 2·kRows multiply-adds, none of which waits for another. This is where the processor runs at its
/// peak: two vector multiply-adds in every cycle.
template <class T>
struct SimdTile {
  static void run(int64_t k, const T* a, const T* b, T* c) {
    constexpr int W = Simd<T>::width;
    Simd<T> sum[kRows][2];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = Simd<T>(T(0));
    for (int64_t p = 0; p < k; ++p) {
      const Simd<T> b0 = Simd<T>::load(b + p * 2 * W), b1 = Simd<T>::load(b + p * 2 * W + W);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Simd<T> element(a[p * kRows + i]);
        sum[i][0] = fma(element, b0, sum[i][0]);
        sum[i][1] = fma(element, b1, sum[i][1]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      sum[i][0].store(c + i * 2 * W);
      sum[i][1].store(c + i * 2 * W + W);
    }
  }
};

template <class T>
void simd(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* memory) {
  by_tiles<T, SimdTile<T>>(m, n, k, a, b, c, memory);
}

}  // namespace tarsier::kernels::TARSIER_ISA::ladder
