#pragma once
// What the kernels of products with int8 weights are given.

#include <cstdint>

namespace tarsier::kernels {

/// The rows of W lie in panels of this many, whatever the instruction set: whole registers of all.
constexpr int64_t kInt8Panel = 64;
/// The neighbours along k that share a 32-bit word, the first in its lowest byte.
constexpr int64_t kInt8Group = 4;

/// The words of each row of W: those after its last weight hold zeros. Always inlined, because
/// kernels of different instruction sets must not share a function.
[[gnu::always_inline]] constexpr int64_t int8_words(int64_t k) {
  return (k + kInt8Group - 1) / kInt8Group;
}

/// The place of the word with W[row, p] among the words of a packed matrix with rows of k. A panel
/// holds the first words of its 64 rows, then their second words, …: what one row of X meets at one
/// step is contiguous, and a product reads a panel from its beginning to its end.
[[gnu::always_inline]] constexpr int64_t int8_place(int64_t row, int64_t p, int64_t k) {
  return (row / kInt8Panel * int8_words(k) + p / kInt8Group) * kInt8Panel + row % kInt8Panel;
}

/// Y[i, j] = scales[j] · Σ_p X[i, p]·W[first + j, p] + bias[j]   for i < m, j < n, p < k.
///
/// Where the processor multiplies bytes, X is rounded to 16 bits in each row (int8_vnni.h), and the
/// sums are exact. Elsewhere the weights become f32 in registers, and the order of the sums depends
/// only on k. So an element of Y has the same bits at any number of threads, and whatever m and n
/// are.
struct Int8Linear {
  int64_t m, n, k;
  const float* x;  // rows are contiguous
  int64_t x_row;
  const int32_t* words;  // W, packed
  int64_t first;         // the row of W that gives column 0 of Y
  const float* scales;   // of the n rows
  const float* bias;     // n, or null
  float* y;
  int64_t y_row;
};

}  // namespace tarsier::kernels
