#pragma once
// The outcome of an op on some inputs, and the difference of two outcomes: the tools of check_op.h
// and of the tests.

#include <functional>
#include <string>
#include <vector>

#include "../tensor/tensor.h"
#include "layout.h"

namespace tarsier {

/// A result and the gradients of all inputs (undefined for those that require none).
struct Outcome {
  Tensor y;
  std::vector<Tensor> dx;
};

/// The layout of an upstream gradient, and whether its elements differ.
struct Upstream {
  Layout layout = Layout::contiguous;
  bool constant = false;  ///< Layout::expanded always is
};

/// Copies of `inputs` as leaves; those of floating dtype (converted to `floating`) require
/// gradients, except for the last `constants` inputs.
std::vector<Tensor> leaves(const std::vector<Tensor>& inputs, int constants = 0,
                           DType floating = f64, Layout layout = Layout::contiguous);

/// Calls `f` and walks back with an upstream gradient that depends only on the result's shape and
/// `upstream`. If the result requires no gradient, there are none.
Outcome outcome_of(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                   const std::vector<Tensor>& inputs, const Upstream& upstream = {});

/// "" if the tensors agree within `steps` roundings of `dtype`, otherwise the difference. NaN and
/// infinities must be at the same positions.
std::string difference(const Tensor& got, const Tensor& expected, DType dtype, double steps);
std::string difference(const Outcome& got, const Outcome& expected, DType dtype, double steps);
/// "" if they have the same bits.
std::string bit_difference(const Tensor& got, const Tensor& expected);
std::string bit_difference(const Outcome& got, const Outcome& expected);

// ---- How far apart two correct results may be, derived from the arithmetic of the dtype.

/// The distance from 1 to the next number.
double epsilon(DType dtype);
/// The rounding error in `dtype` of a result of size `scale` made of numbers around 1, for `steps`
/// roundings in the same direction. Numbers below 1 came from numbers around 1 (a sum that cancels)
/// and inherit their error.
double allowed(DType dtype, double scale, double steps);
/// Roundings of an op, forward or backward, on rows of a hundred elements: sums are trees, and a
/// backward has about ten steps.
inline constexpr double kOpSteps = 64;

}  // namespace tarsier
