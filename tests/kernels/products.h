#pragma once
// Products to test matmul's kernels with: their memory, and their errors.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier::kernels {

/// Numbers in [−1, 1] that depend only on the seed and the index. They use all bits of the
/// significand: sums of shorter numbers would be exact in double, and equal in any order.
template <class T>
std::vector<T> noise(int64_t n, uint64_t seed) {
  std::vector<T> values(n);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (T& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<T>(static_cast<double>(state >> 11) / (int64_t(1) << 52) - 1);
  }
  return values;
}

/// The layout of a matrix in memory.
enum class Layout { rows, columns, padded, spread, one_row, one_element };

struct Strides {
  int64_t row, col;
};
inline Strides strides(Layout layout, int64_t rows, int64_t cols) {
  switch (layout) {
    case Layout::rows:
      return {cols, 1};
    case Layout::columns:
      return {1, rows};
    case Layout::padded:
      return {cols + 3, 1};
    case Layout::spread:
      return {2 * cols + 1, 2};
    case Layout::one_row:
      return {0, 1};  // the same row repeated
    case Layout::one_element:
      return {0, 0};  // the same number everywhere
  }
  return {};
}

/// A product with its memory. C has two extra columns, which must not change.
template <class T>
struct Problem {
  Problem(int64_t m, int64_t n, int64_t k, Layout a_layout = Layout::rows,
          Layout b_layout = Layout::rows)
      : a(noise<T>(2 * (m + 3) * (k + 3), 1)),
        b(noise<T>(2 * (k + 3) * (n + 3), 2)),
        bias(noise<T>(n, 3)),
        c(noise<T>(m * (n + 2), 4)),
        before(c) {
    const Strides a_strides = strides(a_layout, m, k), b_strides = strides(b_layout, k, n);
    gemm = {.m = m,
            .n = n,
            .k = k,
            .a = a.data(),
            .a_row = a_strides.row,
            .a_col = a_strides.col,
            .b = b.data(),
            .b_row = b_strides.row,
            .b_col = b_strides.col,
            .c = c.data(),
            .c_row = n + 2};
  }

  /// Runs the product; returns the largest ratio of an error to its bound. The bound for a sum of
  /// k + 1 terms is ((k + 8)·ε + `coarseness`)·Σ|terms|, and the smallest normal number three times
  /// for each term: once for every product of two parts of bf16.
  double run(void (*product)(const Gemm<T>&) = active<GemmKernels<T>>().gemm) {
    product(gemm);
    double worst = 0;
    for (int64_t i = 0; i < gemm.m; ++i) {
      for (int64_t j = 0; j < gemm.n; ++j) {
        const int64_t at = i * gemm.c_row + j;
        double sum = gemm.accumulate ? before[at] : gemm.bias != nullptr ? bias[j] : 0;
        double size = std::fabs(sum);
        for (int64_t p = 0; p < gemm.k; ++p) {
          const double term = static_cast<double>(gemm.a[i * gemm.a_row + p * gemm.a_col]) *
                              gemm.b[p * gemm.b_row + j * gemm.b_col];
          sum += term;
          size += std::fabs(term);
        }
        const double error = std::fabs(c[at] - sum);
        const double bound =
            ((gemm.k + 8) * std::numeric_limits<T>::epsilon() + coarseness) * size +
            3 * gemm.k * static_cast<double>(std::numeric_limits<T>::min());
        // A NaN is an error as well, which `>` would miss.
        if (!(error <= worst * bound)) worst = bound > 0 && error > 0 ? error / bound : error;
        if (std::isnan(error)) return error;
      }
      for (int64_t j = gemm.n; j < gemm.c_row; ++j)
        if (c[i * gemm.c_row + j] != before[i * gemm.c_row + j]) return 1e9;
    }
    return worst;
  }

  std::vector<T> a, b, bias, c, before;
  Gemm<T> gemm;
  double coarseness = 0;  ///< the relative error of a term, where operands are rounded
};

/// The precisions below that of f32.
inline constexpr MatmulPrecision kLowerPrecisions[] = {MatmulPrecision::medium,
                                                       MatmulPrecision::high};

/// The error of a term, of numbers with 8 bits for `medium`, (1 + 2⁻⁸)² − 1; with 16 bits for `high`.
inline double coarseness_of(MatmulPrecision precision) {
  return precision == MatmulPrecision::medium ? 0x1.01p-7
         : precision == MatmulPrecision::high ? 0x1p-14
                                              : 0;
}

inline Problem<float> problem_at(MatmulPrecision precision, int64_t m, int64_t n, int64_t k,
                                 Layout a = Layout::rows, Layout b = Layout::rows) {
  Problem<float> problem(m, n, k, a, b);
  problem.gemm.precision = precision;
  problem.coarseness = coarseness_of(precision);
  return problem;
}

inline float rounded_to_bf16(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  bits += 0x7FFF + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xFFFF0000u);
}

}  // namespace tarsier::kernels
