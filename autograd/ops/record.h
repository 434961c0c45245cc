#pragma once
// What ops share when they record themselves.

#include <initializer_list>

#include "../tape/tape.h"

namespace tarsier::detail {

/// record(), but for i64 results, which have no gradients: these are returned as they are.
template <class Backward>
Tensor record_floating(const char* name, std::initializer_list<Arg> inputs, const Tensor& y,
                       Save save, const Backward& backward) {
  return is_floating(y.dtype()) ? record(name, inputs, y, save, backward) : y;
}

/// `x` where the backward of an op will ask for it, because `input` has a gradient; otherwise
/// undefined, so that it is not kept alive for nothing.
inline Tensor saved_for(const Tensor& input, const Tensor& x) {
  return input.requires_grad() ? x : Tensor();
}

}  // namespace tarsier::detail
