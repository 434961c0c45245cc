#pragma once
// The checks that every op makes of its arguments. `op` is its name, for the error.

#include "../tensor/tensor.h"

namespace tarsier::detail {

inline void check_defined(const Tensor& x, const char* op) {
  check(x.defined(), op, "an undefined tensor was given: assign the result of an op to it");
}

/// Throws Error(op) unless x is defined and of dtype f32 or f64.
inline void check_floating(const Tensor& x, const char* op) {
  check_defined(x, op);
  check(is_floating(x.dtype()), op, "dtype ", x.dtype(),
        " where f32 or f64 is needed: convert with to(x, f32)");
}

}  // namespace tarsier::detail
