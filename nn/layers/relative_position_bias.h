#pragma once
// Positions on a grid, as attention sees them: how far down and to the right.

#include <cstdint>
#include <string>

#include "../module.h"

namespace tarsier::nn {

/// A learned number for every head and every displacement on a grid of rows × columns, which
/// attention adds to its scores: for query i and key j, positions numbered row by row,
///   bias[h, i, j] = table[h, Δy + rows − 1, Δx + columns − 1],   (Δy, Δx) = place of i − place of j.
/// So what is learned of one place holds in all. The table starts as N(0, 0.02²).
/// Throws Error("relative_position_bias") for sizes that are not positive.
/// Sources: Dai et al. 2021, "CoAtNet: marrying convolution and attention for all data sizes"; Liu et
/// al. 2021, "Swin Transformer", whose windows have such a table each.
class RelativePositionBias : public Layer<RelativePositionBias> {
 public:
  const int64_t num_heads, rows, columns;
  Tensor table;  ///< (num_heads, 2·rows − 1, 2·columns − 1)

  RelativePositionBias(int64_t num_heads, int64_t rows, int64_t columns);

  /// The mask for MultiheadAttention with a batch as large as that of x (B, …):
  /// (B · num_heads, N, N), N = rows · columns.
  Tensor forward(const Arg& x);

  std::string extra_repr() const override;

 private:
  Tensor index_;  // (N · N) i64: where the displacement of each pair stands in a head's table
};

}  // namespace tarsier::nn
