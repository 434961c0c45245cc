#pragma once
// Products in which a factor of 0 means "does not count".

#include <cmath>

#include "../../ops.h"

namespace tarsier::detail {

/// factor · y, and 0 where the factor is 0 and y infinite, as 0 · log 0 is 0 in an entropy. NaN
/// stays NaN. The gradient of the factor is 0 there as well. Broadcasts to the shape of y.
inline Tensor counted(const Arg& factor, const Arg& y) {
  if (all_finite(y)) return factor * y;
  return factor * masked_fill(y, factor == 0.0 && abs(y) == INFINITY, 0);
}

}  // namespace tarsier::detail
