#pragma once
// Rotates pairs of elements by angles: rotary positions.
// Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

#include <cstdint>

namespace tarsier::kernels {

/// Rows of 2·pairs elements at x and at y, one every x_row and y_row elements, and rows of `pairs`
/// cosines and sines, one every angle_row elements (0: the same for all rows).
template <class T>
struct Rotary {
  int64_t rows, pairs;
  const T* x;
  int64_t x_row;
  const T *cos, *sin;
  int64_t angle_row;
  T* y;
  int64_t y_row;
  bool interleaved;  ///< pair d is elements 2d and 2d + 1, otherwise d and d + pairs
};

template <class T>
struct RotaryKernels {
  /// y₁ = x₁·cos − x₂·sin and y₂ = x₂·cos + x₁·sin for every pair of every row.
  void (*rotary)(const Rotary<T>& r);
};

}  // namespace tarsier::kernels
