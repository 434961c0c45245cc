#pragma once
// Comparison and logic, elementwise: any dtype (both the same) → bool. No gradient. A part of ops.h.

#include "../../tensor/tensor.h"

namespace tarsier {

Tensor operator==(const Arg& a, const Arg& b);
Tensor operator!=(const Arg& a, const Arg& b);
Tensor operator<(const Arg& a, const Arg& b);
Tensor operator<=(const Arg& a, const Arg& b);
Tensor operator>(const Arg& a, const Arg& b);
Tensor operator>=(const Arg& a, const Arg& b);
Tensor operator==(const Arg& a, double b);
Tensor operator!=(const Arg& a, double b);
Tensor operator<(const Arg& a, double b);
Tensor operator<=(const Arg& a, double b);
Tensor operator>(const Arg& a, double b);
Tensor operator>=(const Arg& a, double b);
Tensor operator&&(const Arg& a, const Arg& b);  ///< of bool
Tensor operator||(const Arg& a, const Arg& b);  ///< of bool
Tensor operator!(const Arg& x);                 ///< of bool
Tensor isfinite(const Arg& x);
Tensor isinf(const Arg& x);
Tensor isnan(const Arg& x);
/// Whether all elements are close: |a − b| ≤ atol + rtol · |b|; with equal shapes and dtypes.
bool allclose(const Arg& a, const Arg& b, double rtol = 1e-5, double atol = 1e-8,
              bool equal_nan = false);

}  // namespace tarsier
