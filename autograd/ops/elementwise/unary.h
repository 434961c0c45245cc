#pragma once
// The functions of functions.h on tensors: of any strides, on all threads.

#include "../../tape/tape.h"
#include "functions.h"

namespace tarsier::detail {

/// The parameters of a function besides its argument, such as a slope or a threshold, in the order
/// of its `value`.
struct Parameters {
  double a = 0, b = 0;
};

/// f as an op: y = f(x), recorded under f's name. Its backward is f's gradient, in one pass over
/// memory. If that is differentiated again, the same formula records ops (traced.h).
Tensor unary(kernels::Unary f, const Arg& x, Parameters p = {});

/// A new tensor f(x), not recorded. `op` names the caller in errors. Floating dtypes only.
Tensor unary_value(kernels::Unary f, const Tensor& x, const char* op, Parameters p = {});

}  // namespace tarsier::detail
