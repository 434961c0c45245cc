#pragma once
// The heads of attention: adjacent in one vector, or each with its own matrix.

#include "../../autograd/ops.h"

namespace tarsier::nn {

/// (B, T, H·D) → (B, H, T, D). A view of x.
inline Tensor split_heads(const Tensor& x, int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

/// (B, H, T, D) → (B, T, H·D).
inline Tensor join_heads(const Tensor& x) {
  return reshape(transpose(x, 1, 2), {x.size(0), x.size(2), x.size(1) * x.size(3)});
}

}  // namespace tarsier::nn
