// The walk back over the tape.
#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "autograd/loops/copy.h"
#include "autograd/tape/accumulate.h"
#include "autograd/tape/capture.h"
#include "autograd/tape/inner_grad.h"
#include "autograd/tape/observer.h"
#include "autograd/tape/partial_backward.h"
#include "autograd/tape/read_watch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

Tensor run_hooks(const std::shared_ptr<std::vector<std::pair<int, TensorHook>>>& hooks,
                 Tensor gradient) {
  if (!hooks) return gradient;
  const auto current = *hooks;  // a hook may remove itself
  for (const auto& [id, hook] : current) {
    Tensor changed = hook(gradient);
    if (!changed.defined()) continue;
    check(changed.shape() == gradient.shape() && changed.dtype() == gradient.dtype(),
          "register_hook", "a hook returned a gradient of shape ", changed.shape(), " and dtype ",
          changed.dtype(), ", expected ", gradient.shape(), " and ", gradient.dtype());
    gradient = changed;
  }
  return gradient;
}

/// One walk. Nodes wait in order of creation, the last one first: when a node is processed, all
/// nodes that used its output have been, and its gradient is complete.
class Walk {
 public:
  Walk(bool retain_graph, bool create_graph)
      : retain_graph_(retain_graph || create_graph), create_graph_(create_graph) {}

  /// Restricts the walk to nodes that lead to these; target_grad() returns their gradients.
  void set_targets(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    restricted_ = true;
    for (const Tensor& target : targets) target_grads_.emplace(key(target), Tensor());
    find_needed(outputs, targets);
  }

  void without_hooks_of_leaves() { leaf_hooks_ = false; }

  void seed(const Tensor& output, const Tensor& upstream) {
    if (output.is_leaf())
      add_to_leaf(output.impl_ptr(), upstream);
    else
      add_to_node(output.impl()->node, -1, upstream);
  }

  void run() {
    // What fails is the backward of an op, at the line that called it, not an op inside it.
    check(!create_graph_ || !detail::compute_log, "capture", "create_graph in a step that is ",
          "captured: gradients of gradients are not captured");
    anomaly_ = detail::anomaly_enabled();
    const AnomalyMode only_results(false);
    const detail::ReadWatch not_of_the_caller(false);
    const bool before = detail::set_grad_mode(create_graph_);
    observer_ = detail::tape_observer;
    if (observer_) [[unlikely]]
      observer_->on_walk_start();
    try {
      while (!pending_.empty()) {
        const auto latest = pending_.extract(pending_.begin());
        visit(*latest.mapped().node, latest.mapped());
      }
      finish_leaves();
    } catch (...) {
      detail::set_grad_mode(before);
      if (observer_) observer_->on_walk_end();
      throw;
    }
    detail::set_grad_mode(before);
    if (observer_) [[unlikely]]
      observer_->on_walk_end();
  }

  Tensor target_grad(const Tensor& target) const { return target_grads_.at(key(target)); }

 private:
  /// A result is identified by its node, a leaf by its impl.
  static const void* key(const Tensor& x) {
    return x.is_leaf() ? static_cast<const void*>(x.impl()) : x.impl()->node.get();
  }

  /// Whether a gradient is needed along this edge.
  bool wants(const Node::Edge& edge) const {
    if (!edge.needed()) return false;
    if (!restricted_) return true;
    if (edge.leaf) return target_grads_.contains(edge.leaf.get());
    return target_grads_.contains(edge.node.get()) || needed_.contains(edge.node.get());
  }

  /// Finds the nodes from which a target can be reached. Inputs come before outputs in order of
  /// creation, so one pass in that order is enough.
  void find_needed(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    // A node older than the oldest target cannot lead to one.
    uint64_t oldest = UINT64_MAX;
    for (const Tensor& target : targets)
      oldest = std::min(oldest, target.is_leaf() ? 0 : target.impl()->node->sequence);
    std::vector<Node*> reachable, stack;
    std::unordered_set<Node*> seen;
    auto visit = [&](Node* node) {
      if (node && node->sequence >= oldest && seen.insert(node).second) stack.push_back(node);
    };
    for (const Tensor& output : outputs) visit(output.impl()->node.get());
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      reachable.push_back(node);
      for (const Node::Edge& edge : node->inputs) visit(edge.node.get());
    }
    std::sort(reachable.begin(), reachable.end(),
              [](const Node* a, const Node* b) { return a->sequence < b->sequence; });
    for (Node* node : reachable)
      if (std::any_of(node->inputs.begin(), node->inputs.end(),
                      [&](const Node::Edge& edge) { return wants(edge); }))
        needed_.insert(node);
  }

  /// Adds to the pending gradient of output `output` of a node with several, or of the only one.
  void add_to_node(const std::shared_ptr<Node>& node, int output, Tensor gradient) {
    auto [at, is_new] = pending_.try_emplace(node->sequence);
    Pending& pending = at->second;
    if (is_new) {
      pending.node = node;
      pending.dys.resize(static_cast<size_t>(node->outputs));
    }
    detail::accumulate(output < 0 ? pending.dy : pending.dys[static_cast<size_t>(output)],
                       std::move(gradient));
  }

  void add_to_leaf(const std::shared_ptr<TensorImpl>& leaf, Tensor gradient) {
    auto [at, is_new] = leaf_index_.try_emplace(leaf.get(), leaves_.size());
    if (is_new) leaves_.emplace_back(leaf, Tensor());
    detail::accumulate(leaves_[at->second].second, std::move(gradient));
  }

  /// The gradients collected for a node: of its output, or of each of several.
  struct Pending {
    std::shared_ptr<Node> node;
    Tensor dy;
    Grads dys;
  };

  void visit(Node& node, Pending& pending) {
    Tensor& dy = pending.dy;
    dy = run_hooks(node.hooks, std::move(dy));
    if (const auto output = node.output.lock(); output && output->retain_grad && !restricted_)
      detail::accumulate_grad(*output, dy);
    if (auto target = target_grads_.find(&node); target != target_grads_.end()) {
      target->second = dy;
      if (!needed_.contains(&node)) return;
    }

    if (!node.backward && !node.outputs_backward) [[unlikely]]
      fail("backward", "the graph at ", node.describe(), " was already walked and freed: pass ",
           "retain_graph = true to the first backward(), or run the forward again");
    std::vector<bool>& wanted = wanted_;
    wanted.resize(node.inputs.size());
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = wants(node.inputs[i]);
    const CallSite site(node.at);
    const bool partial = detail::is_partial(node.backward);
    Grads grads =
        observer_ ? show_backward(node, wanted, pending) : run_backward(node, wanted, pending);
    pending.dy = {};
    pending.dys.clear();
    if (!retain_graph_) {
      node.saved.clear();
      node.backward = nullptr;
      node.outputs_backward = nullptr;
    }
    finish(node, wanted, partial, grads);
    if (observer_) [[unlikely]]
      observer_->on_backward_end({node, grads, backward_time_});
    send(node, std::move(grads));
  }

  /// Checks what a backward returned, and gives every gradient the shape of its input; those that
  /// are not wanted become undefined.
  void finish(const Node& node, const std::vector<bool>& wanted, bool partial, Grads& grads) const {
    check(grads.size() == node.inputs.size(), node.name, "backward returned ", grads.size(),
          " gradients for ", node.inputs.size(), " inputs");
    for (size_t i = 0; i < grads.size(); ++i) {
      const Node::Edge& edge = node.inputs[i];
      if (!wanted[i]) grads[i] = Tensor();
      if (!wanted[i] || (partial && !grads[i].defined())) continue;
      check(grads[i].defined(), node.name, "backward returned no gradient for input ", i,
            " of shape ", edge.shape, ", which needs one: return zeros_like(x) where it is zero, ",
            "and ask saved.needs(i) before leaving one out");
      check(grads[i].dtype() == edge.dtype, node.name, "backward returned a gradient of dtype ",
            grads[i].dtype(), " for input ", i, " of dtype ", edge.dtype);
      if (anomaly_ && !detail::all_finite(grads[i]))
        fail("anomaly", "the backward of ", node.describe(), " made a NaN or an infinity in the ",
             "gradient of input ", i, ", shape ", edge.shape);
      grads[i] = detail::sum_to_shape(grads[i], edge.shape, node, i);
    }
  }

  void send(const Node& node, Grads grads) {
    for (size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].defined()) continue;
      const Node::Edge& edge = node.inputs[i];
      if (edge.node)
        add_to_node(edge.node, edge.output, std::move(grads[i]));
      else
        add_to_leaf(edge.leaf, std::move(grads[i]));
    }
  }

  Grads run_backward(Node& node, const std::vector<bool>& wanted, const Pending& pending) {
    const detail::ReadWatch watch(create_graph_);
    const Saved saved(node, wanted);
    Grads grads = node.outputs > 0 ? node.outputs_backward(saved, pending.dys)
                                   : node.backward(saved, pending.dy);
    watch.check_recorded(node);
    return grads;
  }

  /// run_backward() with an observer, who may itself compute before it starts.
  Grads show_backward(Node& node, const std::vector<bool>& wanted, const Pending& pending) {
    if (node.outputs > 0)
      observer_->on_backward_start({node, pending.dys, wanted});
    else
      observer_->on_backward_start({node, {pending.dy}, wanted});
    const auto start = TapeObserver::Clock::now();
    Grads grads = run_backward(node, wanted, pending);
    backward_time_ = TapeObserver::Clock::now() - start;
    return grads;
  }

  void finish_leaves() {
    for (auto& [leaf, gradient] : leaves_) {
      if (leaf_hooks_) gradient = run_hooks(leaf->hooks, std::move(gradient));
      if (auto target = target_grads_.find(leaf.get()); target != target_grads_.end()) {
        target->second = gradient;
      } else if (!restricted_) {
        detail::note_gradient(leaf);
        detail::accumulate_grad(*leaf, gradient);
      }
    }
  }

  template <class Key, class Value>
  using Entries = detail::SmallMemory<std::pair<const Key, Value>>;

  const bool retain_graph_, create_graph_;
  bool restricted_ = false;
  bool leaf_hooks_ = true;
  bool anomaly_ = false;
  TapeObserver* observer_ = nullptr;
  TapeObserver::Clock::duration backward_time_{};  // of the last node, with an observer
  std::vector<bool> wanted_;                       // of the node that is being visited
  // By the number of the node, the latest first.
  std::map<uint64_t, Pending, std::greater<>, Entries<uint64_t, Pending>> pending_;
  std::vector<std::pair<std::shared_ptr<TensorImpl>, Tensor>> leaves_;
  std::unordered_map<TensorImpl*, size_t, std::hash<TensorImpl*>, std::equal_to<>,
                     Entries<TensorImpl*, size_t>>
      leaf_index_;
  std::unordered_map<const void*, Tensor> target_grads_;
  std::unordered_set<Node*> needed_;
};

Tensor filled_like(const Tensor& x, double value) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  fill_elements(y, value);
  return y;
}

/// The upstream gradient of `output`: the given one, or 1 for a scalar.
Tensor upstream_of(const Tensor& output, const Tensor& given, const char* op) {
  check(output.requires_grad(), op, "the output (shape ", output.shape(),
        ") depends on nothing that requires a gradient: call requires_grad_() on an input, and do ",
        "not compute it under NoGrad");
  if (!given.defined()) {
    check(output.numel() == 1, op, "the output has shape ", output.shape(),
          ": the upstream gradient is 1 by default only for one element; pass one, or reduce with ",
          "sum() or mean()");
    return filled_like(output, 1);
  }
  check(given.shape() == output.shape() && given.dtype() == output.dtype(), op,
        "upstream gradient of shape ", given.shape(), " and dtype ", given.dtype(),
        " for an output of shape ", output.shape(), " and dtype ", output.dtype(),
        ": they must be the same");
  return given;
}

}  // namespace

void Tensor::backward(const Tensor& upstream, bool retain_graph, bool create_graph,
                      SourceLine at) const {
  const CallSite site(at);
  Walk walk(retain_graph, create_graph);
  walk.seed(*this, upstream_of(*this, upstream, "backward"));
  walk.run();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& upstream, bool retain_graph, bool create_graph,
                         bool allow_unused, SourceLine at) {
  const CallSite site(at);
  check(upstream.empty() || upstream.size() == outputs.size(), "grad", upstream.size(),
        " upstream gradients for ", outputs.size(), " outputs: give one for each, or none");
  for (size_t i = 0; i < outputs.size(); ++i)
    check(outputs[i].defined(), "grad", "output ", i,
          " is an undefined tensor: assign the result of an op to it");
  for (size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].requires_grad(), "grad", "input ", i, " (shape ", inputs[i].shape(),
          ") requires no gradient: call requires_grad_() before the forward");

  Walk walk(retain_graph, create_graph);
  walk.set_targets(outputs, inputs);
  for (size_t i = 0; i < outputs.size(); ++i)
    walk.seed(outputs[i],
              upstream_of(outputs[i], upstream.empty() ? Tensor() : upstream[i], "grad"));
  walk.run();

  std::vector<Tensor> grads;
  for (size_t i = 0; i < inputs.size(); ++i) {
    grads.push_back(walk.target_grad(inputs[i]));
    check(grads.back().defined() || allow_unused, "grad", "the outputs do not depend on input ", i,
          " (shape ", inputs[i].shape(), "): pass allow_unused = true if that is intended");
  }
  return grads;
}

std::vector<Tensor> detail::inner_grad(const std::vector<Tensor>& outputs,
                                       const std::vector<Tensor>& inputs,
                                       const std::vector<Tensor>& upstream) {
  Walk walk(/*retain_graph=*/false, grad_enabled());
  walk.without_hooks_of_leaves();
  walk.set_targets(outputs, inputs);
  for (size_t i = 0; i < outputs.size(); ++i) walk.seed(outputs[i], upstream[i]);
  walk.run();
  std::vector<Tensor> grads;
  for (const Tensor& input : inputs) grads.push_back(walk.target_grad(input));
  return grads;
}

Grads reference_grads(const std::vector<Tensor>& inputs, const Tensor& dy,
                      const std::function<Tensor(const std::vector<Tensor>&)>& reference) {
  // New handles of the inputs: the inner walk ends there, and what it computes depends on the
  // inputs through them.
  std::vector<Tensor> names, targets;
  for (const Tensor& x : inputs) {
    const bool target = x.defined() && x.requires_grad();
    names.push_back(target ? record("alias", {x}, x.detach(), Save{},
                                    [](const Saved&, const Tensor& dx) -> Grads { return {dx}; })
                           : x);
    if (target) targets.push_back(names.back());
  }
  const std::vector<Tensor> found =
      grad({reference(names)}, targets, {dy}, /*retain_graph=*/true, grad_enabled(), true);
  Grads grads;
  size_t next = 0;
  for (const Tensor& x : inputs) {
    grads.emplace_back();
    if (!x.defined() || !x.requires_grad()) continue;
    const Tensor& dx = found[next++];
    grads.back() = dx.defined() ? dx : filled_like(x, 0);  // the reference does not use it
  }
  return grads;
}

}  // namespace tarsier
