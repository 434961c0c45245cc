#pragma once
// Adding gradients: their sum, and the sum over dimensions that broadcasting stretched. If
// gradients are enabled (create_graph), both are recorded. For backward.cpp.

#include "tape.h"

namespace tarsier::detail {

/// total += gradient, taking ownership of the gradient. An undefined total is 0.
void accumulate(Tensor& total, Tensor gradient);

/// Adds to the grad() of a leaf, or of a result with retain_grad().
void accumulate_grad(TensorImpl& tensor, const Tensor& gradient);

/// Forward broadcast input `input` of `node` from `shape`, so its gradient is the sum over the
/// stretched dimensions. Throws Error(node.name) if the gradient's shape does not fit.
Tensor sum_to_shape(const Tensor& gradient, const Shape& shape, const Node& node, size_t input);

}  // namespace tarsier::detail
