#pragma once
// Copies between strided tensors, for contiguous, clone, to, reshape, cat and pad.

#include "../tensor/tensor.h"

namespace tarsier {

/// to[i, j, …] = from[i, j, …], converted to the dtype of `to`. Same shape, any strides; the two
/// must not overlap. Not recorded, and does not count as a change in place.
/// Conversion from floating to i64 truncates (NaN gives 0, numbers out of range the
/// nearest i64). Conversion to bool means "≠ 0".
void copy_elements(const Tensor& from, const Tensor& to);

/// to[i, j, …] = value. Any strides. Not recorded, and does not count as a change in place.
void fill_elements(const Tensor& to, double value);

/// A new contiguous tensor with the elements of x. Not recorded.
Tensor contiguous_copy(const Tensor& x);

/// x itself if it is contiguous, otherwise a contiguous copy. Not recorded.
Tensor contiguous_elements(const Tensor& x);

}  // namespace tarsier
