#pragma once
// Reduces the rows or the columns of a matrix to one number each.

#include <cstdint>

namespace tarsier::kernels {

/// What a reduction computes; `count` is the number of them.
///   sum          Σ xᵢ, 0 for none
///   prod         Π xᵢ, 1 for none
///   max, min     −∞ and ∞ for none; NaN if any element is NaN
///   sum_squares  Σ xᵢ²
enum class Reduce : uint8_t { sum, prod, max, min, sum_squares, count };

template <class T>
struct ReduceKernels {
  /// Reduces one direction of a matrix of `rows` rows of n neighbouring elements each, the rows
  /// `row_stride` elements apart. Sums are added up in a tree, so their error grows with the
  /// logarithm of the length; the tree depends on the sizes alone.
  using Function = void (*)(int64_t rows, int64_t n, const T* x, int64_t row_stride, T* y);

  /// y[i] = x[i, j] reduced over j, for every row i.
  Function reduce_rows[static_cast<int>(Reduce::count)];
  /// y[j] = x[i, j] reduced over i, for every column j.
  Function reduce_columns[static_cast<int>(Reduce::count)];
};

}  // namespace tarsier::kernels
