#pragma once
// A factor and a summand for each channel: the last step of norms over anything but channels.

#include "../../ops.h"

namespace tarsier::detail {

/// One number per channel, as a tensor that broadcasts over (N, C, …) of `dims` dimensions.
Tensor per_channel(const Tensor& x, int dims);

/// x · weight + bias for x (N, C, …) and weight and bias (C), all of one floating dtype, which is not
/// checked.
Tensor channel_affine(const Arg& x, const Arg& weight, const Arg& bias);

}  // namespace tarsier::detail
