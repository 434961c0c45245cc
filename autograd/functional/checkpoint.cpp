#include "autograd/functional/checkpoint.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "autograd/ops.h"
#include "autograd/tape/inner_grad.h"
#include "autograd/tape/recording.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

/// While it lives, the generator is at `state`; afterwards where it was.
class Rewound {
 public:
  Rewound(Generator& generator, RandomKey state) : generator_(generator), now_(generator.state()) {
    generator_.set_state(state);
  }
  ~Rewound() { generator_.set_state(now_); }
  Rewound(const Rewound&) = delete;
  Rewound& operator=(const Rewound&) = delete;

 private:
  Generator& generator_;
  const RandomKey now_;
};

/// Throws if the graph of `y`, as far as it was recorded since `first`, leads to anything but the
/// targets: its gradient would be lost.
void check_reads(const Tensor& y, uint64_t first, const Tensors& targets) {
  std::unordered_set<const void*> known;  // leaves, and the nodes of results
  for (const Tensor& x : targets)
    known.insert(x.is_leaf() ? static_cast<const void*>(x.impl()) : x.impl()->node.get());
  std::vector<const Node*> stack;
  const auto visit = [&](const Node* node, const TensorImpl* leaf, const Shape& shape) {
    if (known.contains(leaf) || known.contains(node)) return;
    check(leaf == nullptr && node->sequence >= first, "checkpoint", "the function reads a tensor ",
          "of shape ", shape, " that needs a gradient, ",
          leaf ? "a leaf" : concat("made by ", node->describe()),
          ", and is in neither list: pass it among the inputs, or among the parameters");
    known.insert(node);
    stack.push_back(node);
  };
  visit(y.is_leaf() ? nullptr : y.impl()->node.get(), y.is_leaf() ? y.impl() : nullptr, y.shape());
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    for (const Node::Edge& edge : node->inputs)
      if (edge.needed()) visit(edge.node.get(), edge.leaf.get(), edge.shape);
  }
}

/// One call of checkpoint(): what its backward needs.
struct Call {
  std::function<Tensor(const Tensors&)> f;
  Tensors inputs, parameters;
  std::vector<int64_t> versions;  // of the inputs, then of the parameters
  Generator* generator;
  RandomKey state;
  std::string path;  // of the module that called

  std::vector<int64_t> versions_now() const {
    std::vector<int64_t> now;
    for (const Tensors* list : {&inputs, &parameters})
      for (const Tensor& x : *list) now.push_back(x.defined() ? x.version() : 0);
    return now;
  }

  void check_unchanged() const {
    const std::vector<int64_t> now = versions_now();
    const auto [saved, changed] = std::mismatch(versions.begin(), versions.end(), now.begin());
    if (saved == versions.end()) return;
    const size_t i = static_cast<size_t>(saved - versions.begin());
    const bool input = i < inputs.size();
    fail("checkpoint", input ? "input " : "parameter ", input ? i : i - inputs.size(),
         " was changed in place after the forward (version ", *changed, ", ", *saved,
         " was kept): the function cannot be computed again from it; change it after backward()");
  }

  /// New handles of the inputs, where the inner walk ends. Those of create_graph lead on.
  Tensors names() const {
    Tensors names;
    for (const Tensor& x : inputs) {
      names.push_back(x);
      if (!x.defined() || !x.requires_grad()) continue;
      names.back() = x.detach();
      if (grad_enabled())
        names.back() = record("alias", {x}, names.back(), Save{},
                              [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
      else
        names.back().requires_grad_();
    }
    return names;
  }

  Grads backward(const Saved& saved, const Tensor& dy) const {
    check_unchanged();
    const uint64_t first = detail::sequence_now();
    const Tensors in = names();
    Tensors all = in;
    all.insert(all.end(), parameters.begin(), parameters.end());
    Tensor y;
    {
      const ModuleScope scope(path);
      const Rewound rewound(*generator, state);
      const detail::Recording recording;
      y = f(in);
    }
    check(y.shape() == dy.shape() && y.dtype() == dy.dtype(), "checkpoint",
          "the function returned ", y.shape(), " ", y.dtype(), " in backward, and ", dy.shape(),
          " ", dy.dtype(), " before: it must be the same function of the same tensors");

    Tensors targets, wanted;
    for (const Tensor& x : all)
      if (x.defined() && x.requires_grad()) targets.push_back(x);
    if (y.requires_grad()) check_reads(y, first, targets);
    for (size_t i = 0; i < all.size(); ++i)
      if (saved.needs(static_cast<int>(i))) wanted.push_back(all[i]);
    Tensors found(wanted.size());
    if (y.requires_grad()) found = detail::inner_grad({y}, wanted, {dy});
    Grads grads(all.size());
    for (size_t i = 0, next = 0; i < all.size(); ++i) {
      if (!saved.needs(static_cast<int>(i))) continue;
      grads[i] = found[next++];
      if (!grads[i].defined()) grads[i] = zeros_like(all[i]);  // f does not use it
    }
    return grads;
  }
};

}  // namespace

Tensor checkpoint(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs,
                  const Tensors& parameters, Generator& generator, SourceLine at) {
  Tensors all = inputs;
  all.insert(all.end(), parameters.begin(), parameters.end());
  if (!needs_recording(all)) return f(inputs);
  check(!detail::compute_log, "capture", "checkpoint() in a step that is captured: capture the ",
        "step without it");
  Call call{f, inputs, parameters, {}, &generator, generator.state(), module_path()};
  call.versions = call.versions_now();
  const Tensor y = no_grad([&] { return f(inputs); }).detach();  // f may return an input
  check(call.versions_now() == call.versions, "checkpoint", "the function changes an input or a ",
        "parameter in place: what it computes in backward would be another result");
  return record("checkpoint", Inputs(all, at), y, Save{},
                [call = std::move(call)](const Saved& saved, const Tensor& dy) -> Grads {
                  return call.backward(saved, dy);
                });
}

}  // namespace tarsier
