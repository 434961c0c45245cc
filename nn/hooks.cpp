#include "nn/hooks.h"

#include "autograd/ops.h"
#include "autograd/tape/partial_backward.h"

namespace tarsier::nn {

namespace detail {

/// The gradients of the walk back through one call so far.
struct HookedCall::Backward {
  Module& module;
  std::weak_ptr<Hooks> hooks;  // gone with the module; a graph may live longer
  Tensors grad_inputs;
  Tensor grad_output;

  /// Runs the hooks; returns the gradients to pass on.
  Tensors run() {
    const Tensor dy = std::exchange(grad_output, {});
    Tensors grads = std::exchange(grad_inputs, Tensors(grad_inputs.size()));
    const std::shared_ptr<Hooks> alive = hooks.lock();
    // A second derivative may reach the inputs on another path than through the output.
    if (!alive || !dy.defined()) return grads;
    const auto current = alive->backward;  // a hook may remove itself
    for (const auto& [id, hook] : current) {
      const Tensors changed = hook(module, grads, dy);
      if (changed.empty()) continue;
      check(changed.size() == grads.size(), "register_full_backward_hook", "a hook of ",
            alive->owner, " returned ", changed.size(), " gradients for ", grads.size(),
            " inputs: return one for each, or none at all");
      for (size_t i = 0; i < grads.size(); ++i) {
        if (!changed[i].defined()) continue;
        check(grads[i].defined(), "register_full_backward_hook", "a hook of ", alive->owner,
              " returned a gradient for input ", i, ", which gets none");
        check(changed[i].shape() == grads[i].shape() && changed[i].dtype() == grads[i].dtype(),
              "register_full_backward_hook", "a hook of ", alive->owner,
              " returned a gradient of shape ", changed[i].shape(), " and dtype ",
              changed[i].dtype(), " for input ", i, ", expected ", grads[i].shape(), " and ",
              grads[i].dtype());
        grads[i] = changed[i];
      }
    }
    return grads;
  }
};

HookedCall::HookedCall(Module& module, std::shared_ptr<Hooks> hooks, Tensors& inputs,
                       std::source_location at)
    : module_(module), hooks_(std::move(hooks)), at_(at) {
  const auto current = hooks_->before;  // a hook may remove itself
  for (const auto& [id, hook] : current) {
    const Tensors changed = hook(module_, inputs);
    if (changed.empty()) continue;
    check(changed.size() == inputs.size(), "register_forward_pre_hook", "a hook of ", hooks_->owner,
          " returned ", changed.size(), " tensors for ", inputs.size(),
          " inputs: return one for each, or none at all");
    inputs = changed;
  }
  if (!hooks_->backward.empty()) {
    backward_ = std::make_shared<Backward>(Backward{module_, hooks_, Tensors(inputs.size()), {}});
    inputs = gate_inputs(inputs);
  }
  inputs_ = inputs;
}

/// Views of the inputs. A view gets the gradient of this call only, while the input itself may also
/// be used elsewhere. The hooks need all gradients at once: each view leaves its gradient in
/// `backward_`, and a node recorded before the views, which the walk visits after them, passes them
/// on.
Tensors HookedCall::gate_inputs(const Tensors& inputs) {
  const Tensor gate =
      record("module_inputs", Inputs(inputs, at_), zeros({}), Save{},
             // forward may not use all of them
             tarsier::detail::PartialBackward{
                 [call = backward_](const Saved&, const Tensor&) { return call->run(); }});
  Tensors views = inputs;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (gate.requires_grad() && inputs[i].defined() && inputs[i].requires_grad())
      views[i] = record("module_input", {Arg(gate, at_)}, inputs[i].detach(), Save{},
                        [call = backward_, i](const Saved&, const Tensor& dy) -> Grads {
                          call->grad_inputs[i] = dy;
                          return {zeros({})};
                        });
  return views;
}

Tensor HookedCall::finish(Tensor output) {
  const auto current = hooks_->after;  // a hook may remove itself
  for (const auto& [id, hook] : current)
    if (const Tensor changed = hook(module_, inputs_, output); changed.defined()) output = changed;
  if (!backward_ || !output.defined() || !grad_enabled() || !output.requires_grad()) return output;

  bool has_gate = false;  // otherwise the hooks run here, without gradients of inputs
  for (const Tensor& x : inputs_) has_gate = has_gate || (x.defined() && x.requires_grad());
  return record("module_output", {Arg(output, at_)}, output.detach(), Save{},
                [call = backward_, has_gate](const Saved&, const Tensor& dy) -> Grads {
                  call->grad_output = dy;
                  if (!has_gate) call->run();
                  return {dy};
                });
}

}  // namespace detail
}  // namespace tarsier::nn
