#pragma once
// Functions of one variable, element by element: y = f(x), and dx = dy · f′.

#include <cstdint>

#include "functions.h"

namespace tarsier::kernels {

/// For every Unary, in the order of the list. `a` and `b` are the function's parameters, if it has
/// any. Results may replace an operand (the same pointer), but not overlap one otherwise.
template <class T>
struct UnaryKernels {
  using Value = void(int64_t n, const T* x, T* y, double a, double b);
  using Grad = void(int64_t n, const T* saved, const T* dy, T* dx, double a, double b);

  Value* values[static_cast<int>(Unary::count)];
  /// From the tensor that Function<f>::saves names; `saved` is not read if that is nothing.
  Grad* grads[static_cast<int>(Unary::count)];

  Value* value(Unary f) const { return values[static_cast<int>(f)]; }
  Grad* grad(Unary f) const { return grads[static_cast<int>(f)]; }
};

}  // namespace tarsier::kernels
