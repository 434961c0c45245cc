#pragma once
// A backward that is excused from "a gradient that is needed and missing is an error".

#include <functional>

#include "tape.h"

namespace tarsier::detail {

/// Marks the backward of a node that stands before tensors which may not be used after it:
///
///   record("gate", inputs, y, Save{}, PartialBackward{backward});
///
/// Where it returns an undefined gradient, that input gets none by this way, although it needs one.
/// Any other backward that does so has forgotten something.
struct PartialBackward {
  BackwardFn backward;
  Grads operator()(const Saved& saved, const Tensor& dy) const { return backward(saved, dy); }
};

/// Whether a recorded backward was given as one.
inline bool is_partial(const BackwardFn& backward) {
  return backward.target<PartialBackward>() != nullptr;
}

}  // namespace tarsier::detail
