#pragma once
// Binary cross-entropy of logits, one loss per element: for the loss of that name in nn/.

#include "../../ops.h"

namespace tarsier::detail {

/// −t·log σ(x) − (1 − t)·log(1 − σ(x)) for contiguous or other tensors of one shape and floating
/// dtype, which are not checked.
Tensor logits_loss(const Arg& x, const Arg& t);

}  // namespace tarsier::detail
