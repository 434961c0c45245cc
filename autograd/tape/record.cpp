// Recording: what an op stores, and how a graph is destroyed. The walk back is in backward.cpp.
#include <atomic>
#include <cmath>
#include <functional>
#include <utility>

#include "autograd/tape/observer.h"

namespace tarsier {
namespace {

thread_local bool grad_mode = true;
thread_local bool anomaly_mode = false;
thread_local std::shared_ptr<const std::string> current_path;

std::atomic<uint64_t> next_sequence{1};

/// What the destructors of nodes leave for the outermost one to destroy: a chain of a million nodes
/// is destroyed in a loop, where plain destructors would recurse a million deep.
struct Remains {
  Node::Edges edges;
  Node::SavedTensors saved;
};
using Graveyard = std::vector<Remains, detail::SmallMemory<Remains>>;
thread_local Graveyard* graveyard = nullptr;  // of the outermost running destructor, on its stack

/// "decoder.layers" and "1" → "decoder.layers.1". A model calls the same modules in every step, so
/// the paths of the last calls are kept.
std::shared_ptr<const std::string> joined_path(const std::shared_ptr<const std::string>& before,
                                               std::string_view name) {
  struct Kept {
    std::shared_ptr<const std::string> before, path;
  };
  constexpr size_t kKept = 64;
  thread_local Kept all_kept[kKept];
  Kept& kept = all_kept[(std::hash<std::string_view>()(name) ^
                         reinterpret_cast<uintptr_t>(before.get()) / sizeof(std::string)) %
                        kKept];
  const size_t start = before ? before->size() + 1 : 0;
  if (!kept.path || kept.before != before || kept.path->compare(start, kept.path->npos, name) != 0)
    kept = {before, std::make_shared<const std::string>(
                        (before ? *before + "." : std::string()).append(name))};
  return kept.path;
}

}  // namespace

// ------------------------------------------------------------------------------------ recording

Inputs::Inputs(std::initializer_list<Arg> args) : at(args.begin()->at) {
  tensors.reserve(args.size());
  for (const Arg& arg : args) tensors.push_back(arg);
}

bool needs_recording(std::initializer_list<Arg> inputs) {
  if (!grad_mode) return false;
  for (const Arg& x : inputs)
    if (x.defined() && x.requires_grad()) return true;
  return false;
}

bool needs_recording(const std::vector<Tensor>& inputs) {
  if (!grad_mode) return false;
  for (const Tensor& x : inputs)
    if (x.defined() && x.requires_grad()) return true;
  return false;
}

namespace detail {

Node::Edge edge_to(const Tensor& x) {
  Node::Edge edge;
  edge.given = x.defined();
  if (!edge.given) return edge;
  edge.shape = x.shape();
  edge.dtype = x.dtype();
  if (!x.requires_grad()) return edge;
  if (x.is_leaf())
    edge.leaf = x.impl_ptr();
  else
    edge.node = x.impl()->node;
  return edge;
}

uint64_t next_sequence_number() { return next_sequence.fetch_add(1, std::memory_order_relaxed); }

namespace {

std::shared_ptr<Node> new_node(const char* name, SourceLine at) {
  auto node = std::allocate_shared<Node>(SmallMemory<Node>());
  node->name = name;
  node->module_path = current_path;
  node->at = at;
  node->sequence = next_sequence_number();
  return node;
}

void add_edges(Node& node, const std::vector<Tensor>& inputs) {
  node.inputs.reserve(inputs.size());
  for (const Tensor& x : inputs) node.inputs.push_back(edge_to(x));
}

/// From now on `node` made `output`.
void own(const Tensor& output, std::shared_ptr<Node> node) {
  check(is_floating(output.dtype()), node->name, "record(): the output is ", output.dtype(),
        ", but only f32 and f64 have gradients");
  check(output.is_leaf() && !output.requires_grad(), node->name,
        "record(): the output already belongs to the graph; every recorded op makes a new tensor");
  node->output_shape = output.shape();
  node->output_dtype = output.dtype();
  node->output = output.impl_ptr();
  output.impl()->requires_grad = true;
  output.impl()->node = std::move(node);
}

}  // namespace

Tensor record_node(const char* name, Inputs inputs, const Tensor& output, Save save,
                   BackwardFn backward, const SourceLine& at) {
  check_anomaly(name, output, inputs.at);
  const std::shared_ptr<Node> node = new_node(name, inputs.at);
  node->backward = std::move(backward);
  add_edges(*node, inputs.tensors);

  node->saved.reserve(save.size());
  for (const Tensor& x : save) {
    Node::SavedTensor saved;
    if (x.defined()) {
      saved.is_output = x.impl() == output.impl();
      saved.tensor = saved.is_output ? x.detach() : x;
      saved.version = x.version();
    }
    node->saved.push_back(std::move(saved));
  }
  own(output, node);
  if (tape_observer) [[unlikely]]
    tape_observer->on_record({node, inputs.tensors, {output}, at});
  return output;
}

void check_anomaly(const char* name, const Tensor& output, std::source_location at) {
  if (!anomaly_mode || all_finite(output)) return;
  const std::string path = module_path();
  fail("anomaly", "'", name, "' made a NaN or an infinity, shape ", output.shape(), ", called at ",
       at.file_name(), ":", at.line(), path.empty() ? "" : " in ", path);
}

bool anomaly_enabled() { return anomaly_mode; }

bool all_finite(const Tensor& x) {
  if (!is_floating(x.dtype())) return true;
  const std::vector<double> values = x.to_vector<double>();
  for (double value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

bool set_grad_mode(bool enabled) { return std::exchange(grad_mode, enabled); }

uint64_t sequence_now() { return next_sequence.load(std::memory_order_relaxed); }

}  // namespace detail

std::vector<Tensor> record_outputs(const char* name, std::initializer_list<Arg> inputs,
                                   const std::vector<Tensor>& outputs, Save save,
                                   OutputsBackwardFn backward, SourceLine at) {
  for (const Tensor& y : outputs) detail::check_anomaly(name, y, inputs.begin()->at);
  if (!needs_recording(inputs)) {
    if (detail::read_watch) [[unlikely]]
      detail::note_unrecorded(inputs);
    return outputs;
  }
  const Inputs all(inputs);
  if (detail::read_watch) [[unlikely]]
    detail::note_recorded(all, at);
  const std::shared_ptr<Node> op = detail::new_node(name, all.at);
  op->outputs_backward = std::move(backward);
  op->outputs = static_cast<int>(outputs.size());
  detail::add_edges(*op, all.tensors);
  for (const Tensor& x : save) {
    for (const Tensor& y : outputs)
      check(
          !x.defined() || x.impl() != y.impl(), name,
          "record_outputs(): an output cannot be saved, because it would own itself: save inputs");
    op->saved.push_back({x, x.defined() ? x.version() : 0});
  }
  if (detail::tape_observer) [[unlikely]]
    detail::tape_observer->on_record({op, all.tensors, outputs, at});
  for (int k = 0; k < op->outputs; ++k) {
    const Tensor& y = outputs[static_cast<size_t>(k)];
    const std::shared_ptr<Node> part = detail::new_node(name, all.at);
    part->backward = [](const Saved&, const Tensor& dy) -> Grads { return {dy}; };
    part->inputs.push_back(
        {.node = op, .leaf = {}, .shape = y.shape(), .dtype = y.dtype(), .output = k});
    detail::own(y, part);
    if (detail::tape_observer) [[unlikely]]
      detail::tape_observer->on_record({part, {}, {y}, at});
  }
  return outputs;
}

Tensor Saved::operator[](int i) const {
  if (i < 0 || static_cast<size_t>(i) >= node_.saved.size())
    fail(node_.name, "the backward of ", node_.describe(), " asks for saved[", i, "], but ",
         node_.saved.size(), " tensors were saved: list what it needs in the Save{…} of record()");
  const Node::SavedTensor& saved = node_.saved[static_cast<size_t>(i)];
  const Tensor& x = saved.tensor;
  if (!x.defined()) return x;
  if (x.version() != saved.version)
    fail(node_.name, "a tensor of shape ", x.shape(), " that the backward of ", node_.describe(),
         " needs was changed in place by '", x.impl()->storage->changed_by(), "' (version ",
         x.version(), ", ", saved.version,
         " was saved): change a clone() instead, or change it after backward()");
  if (!saved.is_output) return x;
  // The output again, with its place in the graph, for backwards that are themselves recorded.
  Tensor y = x.detach();
  y.impl()->requires_grad = true;
  y.impl()->node = node_.shared_from_this();
  return y;
}

bool Saved::needs(int i) const {
  if (i < 0 || static_cast<size_t>(i) >= wanted_.size()) [[unlikely]]
    fail(node_.name, "the backward of ", node_.describe(), " asks for saved.needs(", i,
         "), but the op has ", wanted_.size(), " inputs: they are numbered from 0");
  return wanted_[static_cast<size_t>(i)];
}

Node::~Node() {
  if (graveyard != nullptr) {
    graveyard->push_back({std::move(inputs), std::move(saved)});
    return;
  }
  Graveyard mine;
  graveyard = &mine;
  inputs.clear();
  saved.clear();
  while (!mine.empty()) {
    const Remains last = std::move(mine.back());  // destroyed after it was removed, for that may
    mine.pop_back();                              // add to the list
  }
  graveyard = nullptr;
}

std::string Node::describe() const {
  const std::string path = module_path ? *module_path : "";
  return concat("'", name, "' called at ", at.file_name(), ":", at.line(),
                path.empty() ? "" : " in ", path);
}

// ---------------------------------------------------------------------------------- guards

bool grad_enabled() { return grad_mode; }

NoGrad::NoGrad(bool disable) : before_(grad_mode) {
  if (disable) grad_mode = false;
}
NoGrad::~NoGrad() { grad_mode = before_; }

AnomalyMode::AnomalyMode(bool enable) : before_(std::exchange(anomaly_mode, enable)) {}
AnomalyMode::~AnomalyMode() { anomaly_mode = before_; }

ModuleScope::ModuleScope(std::string_view name) : before_(current_path) {
  if (!name.empty()) current_path = joined_path(before_, name);
}
ModuleScope::~ModuleScope() { current_path = std::move(before_); }

std::string module_path() { return current_path ? *current_path : ""; }

}  // namespace tarsier
