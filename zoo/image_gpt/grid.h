#pragma once
// Blocks in rows and columns: which of them a block sees, and how it is rotated.

#include <cstdint>
#include <iterator>
#include <vector>

#include "../../autograd/ops.h"
#include "../../nn/layers/position.h"

namespace tarsier::zoo::image_gpt {

/// rows × columns blocks in reading order: block t is at row ⌊t / columns⌋, column t mod columns.
class Grid {
 public:
  /// `window` 0: a block sees all before it. `pairs` are those that a head rotates, D/2, an even
  /// number. `near` is for nearby().
  Grid(int64_t rows, int64_t columns, int64_t window, int64_t pairs, int64_t near = 1);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  int64_t size() const { return rows_ * columns_; }

  /// Whether block t sees block s: s is t, or before it and in the neighbourhood.
  bool sees(int64_t t, int64_t s) const;

  /// softmax(q·kᵀ/√D)·v over what is seen: q (B, H, T, D) of the blocks that begin with `first`,
  /// k and v (B, H, first + T, D) of all blocks up to the last of them.
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, int64_t first,
                double dropout) const;

  /// How many blocks nearby() mixes: within `near` rows above and columns to either side, and in the
  /// block's row those on the left and itself.
  int64_t neighbours() const { return std::ssize(nearby_); }
  /// How many of the last blocks nearby() needs to go on.
  int64_t kept() const { return near_ * (columns_ + 1); }
  /// For each channel the sum of a block and its neighbours, each with a weight of its own, in
  /// reading order: (B, T, C) → (B, T, C), weights (neighbours, C), the block's own the last.
  /// `before` (B, kept, C) are the blocks before the first of x, which is block `first`; beyond the
  /// edges there are zeros.
  Tensor nearby(const Arg& x, const Tensor& weights, const Tensor& before, int64_t first) const;

  /// Queries or keys (B, H, T, D) of the blocks that begin with `first`: pair i of the first half
  /// is rotated by row / 100^{2i/P}, of the second half by column / 100^{2i/P}, with P pairs.
  Tensor rotated(const Tensor& x, int64_t first);

 private:
  int64_t rows_, columns_, window_;
  Tensor seen_;  // (size, size) bool; undefined if all are seen
  int64_t near_;
  std::vector<int64_t> nearby_;  // how many blocks before it each neighbour is
  Tensor inside_;                // (neighbours, size, 1) f32: 1 where there is such a column
  nn::PositionTable cos_, sin_;  // (T, P)
};

}  // namespace tarsier::zoo::image_gpt
