#pragma once
// The outcome of an op on some inputs, and the difference of two outcomes: the tools of check_op.h
// and of the tests.

#include <functional>
#include <string>
#include <vector>

#include "../tensor/tensor.h"
#include "layout.h"

namespace tarsier {

/// A result and the gradients of all inputs (undefined for those that ask for none).
struct Outcome {
  Tensor y;
  std::vector<Tensor> dx;
};

/// How the upstream gradient of an Outcome lies, and of what numbers it is: different ones, or one.
struct Upstream {
  Layout layout = Layout::contiguous;
  bool constant = false;  ///< Layout::expanded always is
};

/// Copies of `inputs` as leaves; those of floating dtype (in dtype `floating` then) ask for
/// gradients, but for the last `constants` inputs.
std::vector<Tensor> leaves(const std::vector<Tensor>& inputs, int constants = 0,
                           DType floating = f64, Layout layout = Layout::contiguous);

/// Calls `f` and walks back with an upstream gradient that depends on the result's shape and
/// `upstream` alone. Where the result requires no gradient there are none.
Outcome outcome_of(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                   const std::vector<Tensor>& inputs, const Upstream& upstream = {});

/// "" where the tensors agree within `steps` roundings of `dtype`, otherwise what differs. NaN and
/// infinities must stand in the same places.
std::string difference(const Tensor& got, const Tensor& expected, DType dtype, double steps);
std::string difference(const Outcome& got, const Outcome& expected, DType dtype, double steps);
/// "" where they have the same bits.
std::string bit_difference(const Tensor& got, const Tensor& expected);
std::string bit_difference(const Outcome& got, const Outcome& expected);

// ---- How far apart two right answers may be. Written once, from the arithmetic of the dtype.

/// The distance from 1 to the next number.
double epsilon(DType dtype);
/// What computing in `dtype` may change in a result of size `scale` made of numbers around 1 in
/// `steps` roundings that all go the same way. Numbers below 1 came from numbers around 1 (a sum
/// that cancels), and inherit their error.
double allowed(DType dtype, double scale, double steps);
/// Roundings of an op, forward or backward, on rows of a hundred elements: sums grow by halves, and
/// a backward has some ten steps.
inline constexpr double kOpSteps = 64;

}  // namespace tarsier
