#pragma once
// A factor and a summand for each channel: the last step of norms over anything but channels.

#include "../../ops.h"

namespace tarsier::detail {

/// x · weight + bias for x (N, C, …) and weight and bias (C), all of one floating dtype, which is not
/// checked.
Tensor channel_affine(const Arg& x, const Arg& weight, const Arg& bias);

}  // namespace tarsier::detail
