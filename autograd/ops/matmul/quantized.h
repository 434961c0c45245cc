#pragma once
// Matrices of 8-bit integers, for inference: a quarter of the bytes of f32.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../../tensor/tensor.h"

namespace tarsier {

/// A matrix (out, in) of 8-bit integers with a scale for each row:
///
///   weight[j, p] ≈ scales[j] · values[j, p],   values = round(weight / scale) in −127 … 127,
///   scales[j] = max_p |weight[j, p]| / 127     (0 for a row of zeros)
///
/// so an element is off by half a scale at most. A cheap handle: copies share the memory, which
/// never changes. It has no gradient.
class QuantizedMatrix {
 public:
  /// No matrix: defined() is false.
  QuantizedMatrix() = default;
  /// The matrix nearest to `weight`, f32 or f64.
  /// Throws Error("quantize") unless it has two dimensions and is finite.
  explicit QuantizedMatrix(const Tensor& weight);
  /// The matrix with these values, row-major, and as many rows as scales.
  /// Throws Error("quantize") for another number of values, and for a scale that is negative,
  /// infinite or NaN.
  QuantizedMatrix(std::span<const int8_t> values, int64_t cols, std::vector<float> scales);

  bool defined() const { return data_ != nullptr; }
  int64_t rows() const { return rows_; }
  int64_t cols() const;

  /// The rows `begin` … `end` − 1; shares the memory.
  QuantizedMatrix row_range(int64_t begin, int64_t end) const;

  /// The values, row-major.
  std::vector<int8_t> values() const;
  std::span<const float> scales() const;
  /// scales[j] · values[j, p] as f32: (rows, cols).
  Tensor dequantized() const;

 private:
  struct Data;
  friend Tensor linear(const Arg& x, const QuantizedMatrix& weight, const Tensor& bias);
  friend Tensor embedding(const Tensor& index, const QuantizedMatrix& weight);
  int8_t value(int64_t row, int64_t p) const;
  void write_row(int64_t row, float* to) const;

  std::shared_ptr<const Data> data_;
  int64_t first_ = 0, rows_ = 0;  // of the rows in data_
};

/// x · weightᵀ + bias: f32 (…, in), (out, in), f32 (out) → (…, out); bias may be undefined. The
/// integers become f32 in registers, so that nothing else is rounded than in the product of f32.
/// Throws Error("linear") for sizes and dtypes that do not fit, and if x or bias requires a
/// gradient that would be recorded.
Tensor linear(const Arg& x, const QuantizedMatrix& weight, const Tensor& bias = {});

/// Rows of a table: (…) i64, weight (V, C) → (…, C). Throws Error("embedding") unless
/// 0 ≤ index < V.
Tensor embedding(const Tensor& index, const QuantizedMatrix& weight);

}  // namespace tarsier
