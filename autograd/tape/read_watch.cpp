// Finds backwards that are differentiated but cannot be, and handles those marked as such.
#include "autograd/tape/read_watch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "autograd/tape/node.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace detail {
namespace {

/// The same result, or the same leaf: copies of a handle, and views without a node, may have
/// other addresses.
bool is_same(const Tensor& a, const Tensor& b) {
  if (!b.defined()) return false;
  return a.is_leaf() || b.is_leaf() ? a.impl() == b.impl() : a.impl()->node == b.impl()->node;
}

}  // namespace

ReadWatch::ReadWatch(bool watch)
    : before_(std::exchange(read_watch, watch ? this : capture_watch)),
      first_sequence_(watch ? next_sequence_number() : 0) {}
ReadWatch::~ReadWatch() { read_watch = before_; }

void ReadWatch::note(const Tensor& x, const SourceLine& at, bool raw) {
  for (const Read& read : reads_)
    if (is_same(read.x, x) && read.raw == raw) return;
  reads_.push_back({x, at, raw});
}

/// Whether x is one of these, or was computed from one by ops that this backward recorded
/// (contiguous(x)).
bool ReadWatch::is_made_of(const Tensor& x, const std::vector<Tensor>& inputs) const {
  for (const Tensor& input : inputs)
    if (is_same(x, input)) return true;
  std::vector<const Node*> stack = {x.impl()->node.get()};
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (!node || node->sequence < first_sequence_) continue;
    for (const Node::Edge& edge : node->inputs) {
      for (const Tensor& input : inputs) {
        if (!input.defined()) continue;
        if (edge.leaf ? edge.leaf == input.impl_ptr()
                      : edge.node && edge.node == input.impl()->node)
          return true;
      }
      stack.push_back(edge.node.get());
    }
  }
  return false;
}

void ReadWatch::check_recorded(const Node& node) const {
  if (reads_.empty()) return;
  const Read& read = reads_.front();
  fail(node.name, "the backward of ", node.describe(), " reads a tensor of shape ", read.x.shape(),
       " that requires a gradient ", read.raw ? "as raw memory" : "under NoGrad", " at ",
       read.at.file_name(), ":", read.at.line(),
       ", so with create_graph the second derivative would lack a term: write it with recorded ops "
       "(or reference_grads()), mark it once_differentiable(…), or read x.detach() where the "
       "gradient does not change with x");
}

namespace {

/// "cumsum" from "tarsier::Tensor tarsier::cumsum(const tarsier::Arg&, int64_t)".
std::string_view function_at(const SourceLine& at) {
  constexpr std::string_view kUnnamed = "(anonymous namespace)::";  // so written by clang
  std::string_view name = at.function_name();
  if (const size_t found = name.find(kUnnamed); found != name.npos)
    name.remove_prefix(found + kUnnamed.size());
  name = name.substr(0, name.find_first_of("(<"));
  return name.substr(name.find_last_of(": ") + 1);
}

[[noreturn]] void refuse_access(const SourceLine& at) {
  if (!in_library(at))
    fail("capture", "the step reads or writes elements at ", at.file_name(), ":", at.line(),
         " (item(), to_vector(), data()), which would be done only now: read results after the ",
         "step, and copy_() new numbers into its tensors before it");
  fail("capture", "'", function_at(at),
       "' cannot be captured: it reads or writes elements itself (", at.file_name(), ":", at.line(),
       "), which would be done only now: use it before the step, or ", "after it");
}

}  // namespace

void note_read(const Tensor& x, const SourceLine& at) {
  if (compute_log != nullptr) refuse_access(at);
  if (read_watch == capture_watch) return;  // a computation that is being captured
  if (x.requires_grad() && !in_library(at)) read_watch->note(x, at, true);
}

void note_unrecorded(std::initializer_list<Arg> inputs) {
  if (read_watch == capture_watch) return;
  for (const Arg& x : inputs)
    if (x.defined() && x.requires_grad() && !in_library(x.at)) read_watch->note(x, x.at, false);
}

void note_recorded(const Inputs& inputs, const SourceLine& at) {
  if (read_watch == capture_watch) return;
  auto& reads = read_watch->reads_;
  if (reads.empty()) return;
  const bool library = in_library(at);  // the library's ops read raw memory only for themselves
  std::erase_if(reads, [&](const ReadWatch::Read& read) {
    return !(library && read.raw) && read_watch->is_made_of(read.x, inputs.tensors);
  });
}

}  // namespace detail

// ------------------------------------------------------------------------- once differentiable

/// The gradients as computed, with a node that leads to everything that they may depend on and that
/// refuses to be walked.
BackwardFn once_differentiable(BackwardFn backward) {
  return [backward = std::move(backward)](const Saved& saved, const Tensor& dy) -> Grads {
    if (!grad_enabled()) return backward(saved, dy);
    Grads grads;
    {
      const NoGrad guard;
      const detail::ReadWatch off(false);
      grads = backward(saved, dy);
    }
    const Node& node = saved.node_;
    for (Tensor& dx : grads) {
      if (!dx.defined()) continue;
      auto refusal = std::make_shared<Node>();
      refusal->name = node.name;
      refusal->module_path = node.module_path;
      refusal->at = node.at;
      refusal->sequence = detail::next_sequence_number();
      refusal->inputs = node.inputs;
      refusal->inputs.push_back(detail::edge_to(dy));
      refusal->output_shape = dx.shape();
      refusal->output_dtype = dx.dtype();
      refusal->backward = [where = node.describe(), name = node.name](const Saved&,
                                                                      const Tensor&) -> Grads {
        fail(name, "a second derivative through ", where, ", whose backward is marked ",
             "once_differentiable: write the backward with recorded ops to get one");
      };
      dx = dx.detach();
      refusal->output = dx.impl_ptr();
      dx.impl()->requires_grad = true;
      dx.impl()->node = std::move(refusal);
    }
    return grads;
  };
}

}  // namespace tarsier
