#pragma once
// A backward that may leave out a gradient that is needed.

#include <functional>

#include "tape.h"

namespace tarsier::detail {

/// Marks the backward of a node in front of tensors that may not be used after it:
///
///   record("gate", inputs, y, Save{}, PartialBackward{backward});
///
/// If it returns an undefined gradient, that input gets none on this path, although it needs one.
/// For any other backward this is an error.
struct PartialBackward {
  BackwardFn backward;
  Grads operator()(const Saved& saved, const Tensor& dy) const { return backward(saved, dy); }
};

/// Whether a recorded backward is a PartialBackward.
inline bool is_partial(const BackwardFn& backward) {
  return backward.target<PartialBackward>() != nullptr;
}

}  // namespace tarsier::detail
