// The members of Tensor that use the graph.
#include <atomic>
#include <utility>
#include <vector>

#include "autograd/tape/capture.h"
#include "autograd/tape/node.h"

namespace tarsier {
namespace {

/// The list of hooks of a leaf, or of the node that made x.
std::shared_ptr<std::vector<std::pair<int, TensorHook>>>& hooks_of(const Tensor& x) {
  return x.is_leaf() ? x.impl()->hooks : x.impl()->node->hooks;
}

}  // namespace

Tensor& Tensor::requires_grad_(bool value, SourceLine at) {
  const CallSite site(at);
  TensorImpl& impl = get();
  check(!value || is_floating(impl.dtype), "requires_grad_", "only f32 and f64 tensors have ",
        "gradients, this one is ", impl.dtype, ": convert it with to(x, f32)");
  check(impl.node == nullptr, "requires_grad_", "this tensor is the result of '", grad_fn(),
        "': only leaves can be switched; use detach() to cut it from the graph");
  impl.requires_grad = value;
  return *this;
}

void Tensor::set_grad(const Tensor& grad, SourceLine at) const {
  const CallSite site(at);
  if (grad.defined())
    check(grad.shape() == shape() && grad.dtype() == dtype(), "set_grad", "gradient of shape ",
          grad.shape(), " and dtype ", grad.dtype(), " for a tensor of shape ", shape(),
          " and dtype ", dtype(), ": they must be the same");
  detail::note_cleared(impl_);
  get().grad = grad.impl_ptr();
}

int Tensor::register_hook(TensorHook hook, SourceLine at) const {
  const CallSite site(at);
  check(requires_grad(), "register_hook", "this tensor requires no gradient, so the hook would ",
        "never be called: call requires_grad_() first");
  auto& hooks = hooks_of(*this);
  if (!hooks) hooks = std::make_shared<std::vector<std::pair<int, TensorHook>>>();
  static std::atomic<int> next_id = 0;  // never reused: an old id must not name a new hook
  const int id = next_id.fetch_add(1, std::memory_order_relaxed);
  hooks->emplace_back(id, std::move(hook));
  return id;
}

void Tensor::remove_hook(int id) const {
  if (auto& hooks = hooks_of(*this))
    std::erase_if(*hooks, [id](const auto& hook) { return hook.first == id; });
}

std::string Tensor::grad_fn() const { return is_leaf() ? "" : get().node->name; }

}  // namespace tarsier
