#pragma once
// The tape: what the ops record, and the walk back over it.
//
// Every op on a tensor that requires a gradient records a Node (node.h): the name, edges to what
// made its inputs, what backward will need, and the backward function. Ownership runs one way,
// output → node → inputs, so that there are no cycles. backward() visits the nodes in reverse order
// of creation, which is a reverse topological order because an op's inputs exist before its output.
// Neither the walk nor the destruction of a graph recurses: chains may be millions of ops long.

#include <functional>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../tensor/tensor.h"

namespace tarsier {

/// What a backward function returns: the gradient of every input, in order; an undefined Tensor
/// where saved.needs(i) is false. A gradient may have the broadcast shape of its input: the engine
/// sums it back. A zero gradient is zeros_like(x): an undefined one that is needed is an error.
using Grads = std::vector<Tensor>;

class Saved;
/// dL/d(output) in, dL/d(inputs) out.
using BackwardFn = std::function<Grads(const Saved& saved, const Tensor& dy)>;
/// The same for an op with several outputs: dys[k] is undefined if no gradient came back for output
/// k, but at least one is defined.
using OutputsBackwardFn = std::function<Grads(const Saved& saved, const Grads& dys)>;

/// The tensors that an op saved, as its backward sees them.
class Saved {
 public:
  Saved(Node& node, const std::vector<bool>& wanted) : node_(node), wanted_(wanted) {}

  /// Saved tensor `i`, in the order of the list given to record(). Throws Error with the op's name
  /// if it was changed in place since, and if there is no tensor `i`.
  Tensor operator[](int i) const;
  /// Whether the gradient of input `i` is needed; skip the work if not. Throws Error with the op's
  /// name if there is no input `i`.
  bool needs(int i) const;

 private:
  friend BackwardFn once_differentiable(BackwardFn backward);
  Node& node_;
  const std::vector<bool>& wanted_;
};

/// The inputs of an op, with the line of source that called it.
struct Inputs {
  std::vector<Tensor> tensors;
  SourceLine at;
  Inputs(std::initializer_list<Arg> args);
  Inputs(const std::vector<Tensor>& list, SourceLine place)
      : tensors(list), at(detail::line_in_scope(place)) {}
};

/// The tensors that an op saves for its backward: inputs, the output, or anything else. The output
/// may be among them without making a cycle.
using Save = std::initializer_list<Tensor>;

/// Whether a recorded op on these inputs needs a node: gradients are enabled, and an input requires
/// one.
bool needs_recording(std::initializer_list<Arg> inputs);
bool needs_recording(const std::vector<Tensor>& inputs);

namespace detail {
/// The part of record() that is not a template.
Tensor record_node(const char* name, Inputs inputs, const Tensor& output, Save save,
                   BackwardFn backward, const SourceLine& at);
void check_anomaly(const char* name, const Tensor& output, SourceLine at);

/// What a backward reads without recording it, and what it records: see read_watch.h.
void note_unrecorded(std::initializer_list<Arg> inputs);
void note_recorded(const Inputs& inputs, const SourceLine& at);

/// A compile-time error that says what a backward must be.
template <class Backward>
constexpr void check_backward_type() {
  constexpr bool callable = std::is_invocable_v<Backward&, const Saved&, const Tensor&>;
  static_assert(
      callable,
      "record(): the backward is called as backward(const Saved& saved, const Tensor& dy)");
  if constexpr (callable)
    static_assert(
        std::is_same_v<std::invoke_result_t<Backward&, const Saved&, const Tensor&>, Grads>,
        "record(): the backward returns Grads, one gradient per input: write [](const Saved& "
        "saved, "
        "const Tensor& dy) -> Grads { return {dx}; }");
}

bool all_finite(const Tensor& x);
/// Nodes recorded from now on, on this thread, have this sequence or a higher one.
uint64_t sequence_now();
}  // namespace detail

/// Records an op: `output` becomes the result of `name` applied to `inputs`. Every differentiable
/// op ends with it. Returns `output`, unchanged if nothing needs a gradient.
///
///   /// y = tanh(x).   dx = dy · (1 − y²)   saved: y
///   Tensor tanh(const Arg& x) {
///     Tensor y = map(x, [](auto v) { return std::tanh(v); });
///     return record("tanh", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
///       Tensor y = saved[0];
///       return {dy * (1 - y * y)};
///     });
///   }
///
/// `backward` is written with differentiable ops; it runs without recording unless the caller of
/// backward() asked for create_graph. It must capture only sizes and flags: tensors go through
/// `save`, where in-place changes are noticed and memory is freed in time. A backward that reads
/// raw memory, or computes under NoGrad, would give second derivatives that lack a term: that is an
/// error under create_graph, unless it is marked once_differentiable(). If a gradient does not
/// change with what is read (a mask: x > 0), read x.detach().
/// Requires: one output (record_outputs() takes several), floating dtype, freshly made by the op
/// (or a view of an input).
template <class Backward>
Tensor record(const char* name, std::initializer_list<Arg> inputs, const Tensor& output, Save save,
              Backward&& backward, SourceLine at = SourceLine::current()) {
  detail::check_backward_type<std::remove_reference_t<Backward>>();
  if (!needs_recording(inputs)) {
    if (detail::read_watch) [[unlikely]]
      detail::note_unrecorded(inputs);
    detail::check_anomaly(name, output, inputs.begin()->at);
    return output;
  }
  Inputs all(inputs);
  if (detail::read_watch) [[unlikely]]
    detail::note_recorded(all, at);
  return detail::record_node(name, std::move(all), output, save,
                             BackwardFn(std::forward<Backward>(backward)), at);
}
/// The same for a list of inputs of any length (cat, stack, einsum).
template <class Backward>
Tensor record(const char* name, const Inputs& inputs, const Tensor& output, Save save,
              Backward&& backward, SourceLine at = SourceLine::current()) {
  detail::check_backward_type<std::remove_reference_t<Backward>>();
  if (!needs_recording(inputs.tensors)) {
    detail::check_anomaly(name, output, inputs.at);
    return output;
  }
  if (detail::read_watch) [[unlikely]]
    detail::note_recorded(inputs, at);
  return detail::record_node(name, inputs, output, save,
                             BackwardFn(std::forward<Backward>(backward)), at);
}

/// The same for an op with several outputs, which are used independently: their gradients are
/// collected, and `backward` is called once with all of them. Outputs are floating, of any shapes,
/// and may be views of an input. `save` must not hold an output. Returns the outputs.
///
///   /// y₁ = x + 1, y₂ = 2 x.   dx = dy₁ + 2 dy₂
///   return record_outputs("both", {x}, {y1, y2}, Save{},
///                         [](const Saved&, const Grads& dys) -> Grads {
///     const Tensor dy1 = dys[0], dy2 = dys[1];  // an undefined one stands for 0
///     …
std::vector<Tensor> record_outputs(const char* name, std::initializer_list<Arg> inputs,
                                   const std::vector<Tensor>& outputs, Save save,
                                   OutputsBackwardFn backward,
                                   SourceLine at = SourceLine::current());

/// Marks a backward that cannot be differentiated itself (it loops over raw memory, or calls other
/// software):
///   record("cube", {x}, y, Save{x},
///          once_differentiable([](const Saved& saved, const Tensor& dy) -> Grads { … }));
/// Under create_graph it runs without recording, and a second derivative through its gradients
/// throws Error with the op's name; an unmarked one would throw in the first walk. As
/// torch.autograd.function.once_differentiable, which however silently drops a term of second
/// derivatives if dy requires no gradient.
BackwardFn once_differentiable(BackwardFn backward);

/// The gradients of Σ(output · dy) with respect to `inputs`, where output = reference(inputs): what
/// a fused op with a hand-written backward kernel returns when that backward is itself to be
/// differentiated (create_graph). Usage, at the top of such a backward:
///   if (grad_enabled())
///     return reference_grads({saved[0], saved[1]}, dy,
///         [=](const auto& in) { return rms_norm_reference(in[0], in[1], eps); });
/// Inputs that are undefined or require no gradient are passed on and get an undefined gradient.
Grads reference_grads(const std::vector<Tensor>& inputs, const Tensor& dy,
                      const std::function<Tensor(const std::vector<Tensor>&)>& reference);

/// The gradients of `outputs` with respect to `inputs`. No grad() changes:
/// result[i] = Σ_j upstream[j] · ∂outputs[j]/∂inputs[i], shaped as inputs[i]. An input that the
/// outputs do not depend on is an error, unless `allow_unused`: then its gradient is undefined.
/// `upstream` may be empty if all outputs are scalars. `inputs` may be leaves or results.
/// As torch.autograd.grad. Throws Error("grad").
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& upstream = {}, bool retain_graph = false,
                         bool create_graph = false, bool allow_unused = false,
                         SourceLine at = SourceLine::current());

/// Whether ops on this thread record. On by default.
bool grad_enabled();

/// While it lives, this thread does not record:  { NoGrad guard; add_(weight, …); }
class NoGrad {
 public:
  explicit NoGrad(bool disable = true);
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// f() without recording. For an op that is recorded as one, and computed with other ops:
///   const Tensor y = no_grad([&] { return exp(-square(x)); });
template <class F>
auto no_grad(F&& f) {
  const NoGrad guard;
  return f();
}

/// While it lives, the first op whose result has a NaN or an infinity, and the first backward that
/// makes one, throws Error("anomaly") with op, shape, module path and source line. Slow: it reads
/// every result.
class AnomalyMode {
 public:
  explicit AnomalyMode(bool enable = true);
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};

/// While it lives, recorded nodes have `name` as the last part of their module path
/// ("decoder.layers.1.cross_attn"). nn::Module opens one around every forward. An empty name adds
/// nothing to the path.
class ModuleScope {
 public:
  explicit ModuleScope(std::string_view name);
  ~ModuleScope();
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  std::shared_ptr<const std::string> before_;
};

/// The module path of this thread, "" outside all modules.
std::string module_path();

}  // namespace tarsier
