#pragma once
// Differentiating inside a backward, for ops that compute a part of the graph again.

#include <vector>

#include "tape.h"

namespace tarsier::detail {

/// grad() without the hooks of `inputs`, with undefined gradients for those that the outputs do not
/// depend on. What it returns goes back through the node whose backward calls this; the hooks run
/// when it arrives. Differentiable if gradients are enabled.
std::vector<Tensor> inner_grad(const std::vector<Tensor>& outputs,
                               const std::vector<Tensor>& inputs,
                               const std::vector<Tensor>& upstream);

}  // namespace tarsier::detail
