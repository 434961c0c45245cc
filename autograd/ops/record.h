#pragma once
// Helpers of ops for recording.

#include <initializer_list>
#include <memory>
#include <vector>

#include "../tape/observer.h"
#include "../tape/tape.h"

namespace tarsier::detail {

/// Tells the observer of the thread the reference form of a node.
template <class Reference>
void show_reference(const std::shared_ptr<Node>& node, const Reference& reference) {
  tape_observer->on_reference(node, [node, reference](const std::vector<Tensor>& inputs) {
    const std::vector<bool> wanted(inputs.size(), true);
    return reference(Saved(*node, wanted), inputs);
  });
}

/// record() for an op with a backward kernel of its own: fast(saved, dy) gives its gradients.
/// Higher derivatives come from reference(saved, inputs), the same function of primitive ops. The
/// inputs come first in `save`, in order.
template <class Fast, class Reference>
Tensor record_fused(const char* name, std::initializer_list<Arg> inputs, const Tensor& y, Save save,
                    const Fast& fast, const Reference& reference,
                    SourceLine at = SourceLine::current()) {
  const int count = static_cast<int>(inputs.size());
  const auto backward = [=](const Saved& saved, const Tensor& dy) -> Grads {
    if (!grad_enabled()) return fast(saved, dy);
    std::vector<Tensor> given;
    for (int i = 0; i < count; ++i) given.push_back(saved[i]);
    return reference_grads(given, dy, [&](const auto& in) { return reference(saved, in); });
  };
  const Tensor result = record(name, inputs, y, save, backward, at);
  if (tape_observer && !result.is_leaf()) [[unlikely]]
    show_reference(result.impl()->node, reference);
  return result;
}

/// record(), except for i64 results, which have no gradients and are returned unchanged.
template <class Backward>
Tensor record_floating(const char* name, std::initializer_list<Arg> inputs, const Tensor& y,
                       Save save, const Backward& backward, SourceLine at = SourceLine::current()) {
  return is_floating(y.dtype()) ? record(name, inputs, y, save, backward, at) : y;
}

/// `x` if the backward of an op will need it, because `input` has a gradient; otherwise undefined,
/// so that it is not kept alive for nothing.
inline Tensor saved_for(const Tensor& input, const Tensor& x) {
  return input.requires_grad() ? x : Tensor();
}

}  // namespace tarsier::detail
