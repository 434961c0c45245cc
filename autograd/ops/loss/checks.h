#pragma once
// Checks and helpers of losses, here and in nn/.

#include <string_view>

#include "../../ops.h"

namespace tarsier::detail {

/// Throws Error(op) unless both are floating tensors of one shape and dtype.
inline void check_alike(const char* op, std::string_view name_a, const Tensor& a,
                        std::string_view name_b, const Tensor& b) {
  check(is_floating(a.dtype()), op, name_a, " is ", a.dtype(), ", but f32 or f64 is needed");
  check(a.dtype() == b.dtype(), op, name_a, " is ", a.dtype(), ", but ", name_b, " is ", b.dtype(),
        ": convert one with to(x, dtype)");
  check(a.shape() == b.shape(), op, name_a, " of shape ", a.shape(), " and ", name_b, " of shape ",
        b.shape(), ": they must be equal");
}

/// Throws Error(op) unless `weight` is undefined, or broadcasts to the input without stretching it.
inline void check_weight(const char* op, std::string_view name, const Tensor& weight,
                         const Tensor& input) {
  if (!weight.defined()) return;
  check(weight.dtype() == input.dtype(), op, name, " is ", weight.dtype(), ", but input is ",
        input.dtype());
  check(broadcast_shapes(weight.shape(), input.shape(), op) == input.shape(), op, name,
        " of shape ", weight.shape(), " does not broadcast to the input's ", input.shape());
}

/// Reduces one loss per element as requested.
inline Tensor reduce(const Tensor& loss, Reduction reduction) {
  if (reduction == Reduction::none) return loss;
  return reduction == Reduction::sum ? sum(loss) : mean(loss);
}

}  // namespace tarsier::detail
