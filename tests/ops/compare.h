#pragma once
// Running an op of the registry, and comparing what came out.

#include <string>

#include "tests/ops/registry.h"

namespace tarsier::test {

/// How a copy of a tensor lies in memory.
enum class Layout {
  dense,
  transposed,  ///< the dimensions in the opposite order
  gaps,        ///< every second element along each dimension, behind an offset
};

/// A copy of `x` as a leaf with memory of its own. f64 becomes `floating`; other dtypes stay.
Tensor copy_as(const Tensor& x, DType floating = f64, Layout layout = Layout::dense);
/// Copies of all, those of floating dtype with requires_grad, but for the op's constants.
Tensors leaves(const Op& op, const Tensors& inputs, DType floating = f64,
               Layout layout = Layout::dense);

/// A result and the gradients of all floating inputs (undefined for the others).
struct Outcome {
  Tensor y;
  Tensors dx;
};
enum class Upstream { random, transposed, gaps, constant, constant_expanded };
/// Calls `f` and walks back with an upstream gradient that depends on shape and `upstream` alone.
/// Where the result requires no gradient there are none.
Outcome run(const OpCall& f, const Tensors& inputs, Upstream upstream = Upstream::random);

/// "" where the tensors agree within `steps` roundings of `dtype`, otherwise what differs. NaN and
/// infinities must stand in the same places.
std::string difference(const Tensor& got, const Tensor& expected, DType dtype, double steps);
std::string difference(const Outcome& got, const Outcome& expected, DType dtype, double steps);
/// "" where they have the same bits.
std::string bit_difference(const Tensor& got, const Tensor& expected);
std::string bit_difference(const Outcome& got, const Outcome& expected);

/// Calls check(op) for every op of the registry (with TARSIER_TEST_OP=softmax for that one alone);
/// what it returns is "" or what is wrong. Exceptions are wrong, too.
void for_each_op(const std::function<std::string(const Op&)>& check);

}  // namespace tarsier::test
