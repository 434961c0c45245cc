#pragma once
// Ops that change x and return it. A part of ops.h.
//
// For weights and buffers, not for tensors whose gradient is being recorded: use the ops of ops.h
// there, or a NoGrad guard for weights. Throws Error(op) then, and if y does not broadcast to the
// shape of x.

#include "../../tensor/tensor.h"

namespace tarsier {

Tensor add_(const Arg& x, const Arg& y, double alpha = 1);  ///< x += α · y
Tensor mul_(const Arg& x, const Arg& y);
Tensor mul_(const Arg& x, double y);
Tensor add_(const Arg& x, double y);
Tensor fill_(const Arg& x, double value);
Tensor zero_(const Arg& x);
Tensor copy_(const Arg& x, const Arg& source);  ///< converts the dtype

}  // namespace tarsier
