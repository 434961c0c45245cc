#pragma once
// Transposing copy of a matrix.

#include <cstdint>

namespace tarsier::kernels {

template <class T>
struct TransposeKernels {
  /// to[i, j] = from[j, i] for i < rows and j < cols, bit for bit, where row i of `to` starts at
  /// to + i·to_row and row j of `from` at from + j·from_row.
  void (*transpose)(int64_t rows, int64_t cols, const T* from, int64_t from_row, T* to,
                    int64_t to_row);
};

}  // namespace tarsier::kernels
