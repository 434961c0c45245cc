#pragma once
// How far apart two right answers may be. Written once, from the arithmetic of the dtype.

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/dtype.h"

namespace tarsier::test {

/// The distance from 1 to the next number.
inline double epsilon(DType dtype) {
  return dtype == f32 ? std::numeric_limits<float>::epsilon()
                      : std::numeric_limits<double>::epsilon();
}

/// What computing in `dtype` may change in a result of size `scale` made of numbers around 1 in
/// `steps` roundings that all go the same way. Numbers below 1 came from numbers around 1 (a sum
/// that cancels), and inherit their error.
inline double allowed(DType dtype, double scale, double steps) {
  return steps * epsilon(dtype) * std::max(1.0, scale);
}

/// Roundings of one elementwise function against std::.
inline constexpr double kElementwiseSteps = 4;
/// Roundings of an op, forward or backward, on rows of a hundred elements: sums grow by halves, and
/// a backward has some ten steps.
inline constexpr double kOpSteps = 64;

}  // namespace tarsier::test
