#pragma once
// Module: a tree of parameters. Layer: a module that can be called.
//
// A layer of your own is one struct; naming its parts gives it everything else on this page:
//
//   struct Mlp : nn::Layer<Mlp> {
//     nn::Linear up, down;
//     explicit Mlp(int64_t C) : up(C, 4 * C), down(4 * C, C) {
//       register_module("up", up);
//       register_module("down", down);
//     }
//     Tensor forward(const Arg& x) { return down(gelu(up(x))); }
//   };

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/base/error.h"
#include "../autograd/ops.h"
#include "../autograd/tape/tape.h"
#include "../autograd/tensor/tensor.h"
#include "../autograd/tensor/tensor_dict.h"
#include "hooks.h"

namespace tarsier::nn {

namespace detail {
struct Entry;
}

/// The names that load_state_dict(…, strict = false) skipped.
struct LoadReport {
  std::vector<std::string> missing;     ///< names that the module has and the dict lacks
  std::vector<std::string> unexpected;  ///< names that the dict has and the module lacks
};

/// A node of the tree: parameters (trained), buffers (saved, not trained) and children, each under
/// a name. It holds pointers to the members of the derived class, so it can be neither copied nor
/// moved. Names, order and keys are those of torch.nn.Module.
class Module {
 public:
  Module();
  virtual ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // ---- what is in it ----

  /// All parameters of this module, then of its children in order of registration. One that is
  /// registered twice (tied weights) appears once, under its first name.
  /// This, and every recorded call of a module, throws Error("module") if a parameter's member was
  /// assigned a tensor that requires no gradient (`fc.weight = zeros(…)`), which would not be
  /// trained. guard.h lists what else is checked.
  TensorDict named_parameters() const;
  std::vector<Tensor> parameters() const;
  /// The number of elements of all parameters, tied ones counted once.
  int64_t num_parameters() const;
  /// This module (under the name "") and all below it, in order: ("layers.0.fc", module).
  std::vector<std::pair<std::string, Module*>> named_modules();
  std::vector<std::pair<std::string, const Module*>> named_modules() const;
  /// Calls fn(module) for all modules below this one, children before their parents, then for this.
  void apply(const std::function<void(Module&)>& fn);

  // ---- state ----

  /// Parameters and persistent buffers under PyTorch's keys, tied ones under each of their names.
  /// The tensors share the module's memory and are cut off from the graph.
  TensorDict state_dict() const;
  /// Copies the values of `state` into this module's tensors, converting between f32 and f64.
  /// Throws Error("load_state_dict") that lists missing and unexpected names (unless not `strict`:
  /// then they are in the report) and tensors of the wrong shape or kind with both shapes; the
  /// first ten of each, and how many more. Then nothing is changed.
  LoadReport load_state_dict(const TensorDict& state, bool strict = true);

  /// Switches to training (dropout acts) or to evaluation, for this module and all below it.
  void train(bool mode = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  /// Drops the gradients of all parameters (grad() is undefined afterwards).
  void zero_grad();
  /// Makes all parameters require gradients, or not (a frozen model).
  void requires_grad_(bool value = true);
  /// Converts floating parameters and buffers, and their gradients, to f32 or f64. The tensors stay
  /// the same objects: weights stay tied, and an optimiser's handles stay valid.
  /// Throws Error("to") for the other dtypes.
  void to(DType dtype);

  // ---- names ----

  /// The name under which the parent registered this module; "" for the root.
  const std::string& name() const { return name_; }
  /// "Linear".
  virtual std::string type_name() const { return "Module"; }
  /// The text in parentheses when the module is printed: "3, 4, bias=true".
  virtual std::string extra_repr() const { return ""; }

  // ---- calling, without knowing the type ----

  /// Calls a layer that takes one tensor and returns one, as Sequential does.
  /// Throws Error("module") if this module is not such a layer.
  virtual Tensor call(const Arg& x);

  // ---- hooks ----

  /// Run around every call of this module, in order of registration; hooks.h describes their
  /// arguments. They are for layers that return one tensor: a call of another module with hooks
  /// throws Error("hook"). Each returns an id for remove_hook. As torch.nn.Module.register_….
  int register_forward_pre_hook(ForwardPreHook hook);
  int register_forward_hook(ForwardHook hook);
  /// Its gradients are those of this call only, even if an input is also used elsewhere. It runs
  /// when the gradients of all inputs are known, or, if no input requires one, that of the output.
  int register_full_backward_hook(BackwardHook hook);
  void remove_hook(int id);

 protected:
  /// Makes `member` a parameter: sets it to `initial` and lets it require a gradient. An undefined
  /// `initial` means that there is none (bias = false).
  /// All three throw Error("module") for names that are empty, taken, or contain a dot.
  void register_parameter(std::string name, Tensor& member, Tensor initial);
  /// Makes `member` a buffer: in the state dict (if `persistent`), but not trained.
  void register_buffer(std::string name, Tensor& member, Tensor initial, bool persistent = true);
  /// Makes `member` a child. It must live as long as this module.
  void register_module(std::string name, Module& member);
  /// Makes `member` the child `name` in place of the previous one, which is a child no longer.
  /// Throws Error("module") if there is none of this name.
  void replace_module(std::string_view name, Module& member);

  /// Runs `body` with this module's name on the module path, so that recorded nodes and errors say
  /// where they come from. Layer does this around forward; use it for further entry points.
  template <class Body>
  decltype(auto) scoped(Body&& body) {
    const Calling calling(*this);
    try {
      return body();
    } catch (const Error& error) {
      rethrow_with_path(error);
    }
  }

  /// forward(x, rest…) as a call of this module: on its path, with its hooks. For a layer with its
  /// own operator(); Layer's calls this already.
  template <class Forward, class... Rest>
  decltype(auto) called(Forward&& forward, const Arg& x, Rest&&... rest) {
    using Result = std::invoke_result_t<Forward&, const Arg&, Rest...>;
    return scoped([&]() -> Result {
      if (!x.defined()) [[unlikely]]
        fail_undefined();
      if (!hooks_) [[likely]]
        return forward(x, std::forward<Rest>(rest)...);
      if constexpr (std::same_as<Result, Tensor>)
        return detail::call_with_hooks(*this, hooks_, forward, x, std::forward<Rest>(rest)...);
      else
        fail_hooked();
    });
  }

  /// Whether calls of this module put it on the module path. Modules that are not called (a
  /// ModuleList) leave it to their children.
  virtual bool opens_scope() const { return false; }

  /// Whether the next recorded call is the first, which check_leaves() looks at.
  bool wants_leaf_check() const {
    return !leaves_checked_.load(std::memory_order_relaxed) && grad_enabled();
  }
  /// Throws Error("module") if the graph of `output`, as far as it was recorded since `first`, has
  /// a leaf that is neither one of the call's `arguments` nor a parameter of any module: an
  /// unregistered member.
  void check_leaves(const Tensor& output, uint64_t first, const std::vector<Tensor>& arguments);

 private:
  using Entry = detail::Entry;

  /// While it lives, this thread is in a call of this module.
  class Calling {
   public:
    explicit Calling(const Module& module);
    ~Calling();
    Calling(const Calling&) = delete;
    Calling& operator=(const Calling&) = delete;

   private:
    const Module* before_;
    const SourceLine* scope_line_before_;
    ModuleScope scope_;
  };

  /// Handles parameters, here and below, whose member was assigned another tensor.
  void notice_assigned() const;
  void take_in(Entry& entry) const;
  static void count_again(Entry& entry);
  void check_registered(const Module& caller) const;
  TensorDict collect_parameters() const;
  std::string path() const;
  /// Calls visit(full name, entry) for all parameters and buffers in the order of the state dict.
  template <class Visit>
  void visit_tensors(const std::string& prefix, const Visit& visit) const;
  template <class Self>
  static void collect_modules(Self& module, const std::string& name,
                              std::vector<std::pair<std::string, Self*>>& out);
  void check_name(const std::string& name) const;
  void check_child(const std::string& name, const Module& member) const;
  std::string scope_name() const;
  [[noreturn]] static void rethrow_with_path(const Error& error);
  [[noreturn]] void fail_undefined() const;
  [[noreturn]] void fail_hooked() const;
  void print(std::ostream& out, int indent) const;
  friend std::ostream& operator<<(std::ostream& out, const Module& module);

  std::string name_;
  const Module* parent_ = nullptr;
  const uint64_t birth_;                         // modules made later have higher numbers
  std::vector<std::unique_ptr<Entry>> tensors_;  // parameters and buffers
  std::vector<Module*> children_;
  std::shared_ptr<Hooks> hooks_;  // null without hooks
  bool training_ = true;
  std::atomic<bool> leaves_checked_ = false;
};

/// Prints the tree as PyTorch does, equal neighbours in a list once, and the number of parameters:
///   Sequential(
///     (0): Linear(in_features=2, out_features=3, bias=true)
///     (1): GELU()
///   )
///   9 parameters
std::ostream& operator<<(std::ostream& out, const Module& module);

namespace detail {
/// A tensor, or a type without tensors inside, unlike an options struct.
template <class T>
constexpr bool holds_no_hidden_tensor =
    is_tensor<T> || std::is_arithmetic_v<std::remove_cvref_t<T>> ||
    std::is_enum_v<std::remove_cvref_t<T>> || std::is_null_pointer_v<std::remove_cvref_t<T>>;
}  // namespace detail

/// "Linear" for tarsier::nn::Linear: without namespaces and template arguments.
template <class T>
std::string type_name_of() {
  // The compilers spell this function as "… type_name_of() [with T = ns::Linear; …]".
  std::string_view text = std::source_location::current().function_name();
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of("<;]"));
  const size_t colon = text.rfind(':');
  return std::string(colon == text.npos ? text : text.substr(colon + 1));
}

/// A module that can be called: layer(x, …) runs Self::forward(x, …) on this module's path.
/// Self declares `Tensor forward(const Arg& x)`, optionally with further arguments. x carries the
/// line that called the layer to the nodes and errors of the ops that x is passed to.
template <class Self>
class Layer : public Module {
 public:
  template <class... Rest>
  decltype(auto) operator()(const Arg& x, Rest&&... rest) {
    static_assert(
        requires(Self & s) { s.forward(x, std::forward<Rest>(rest)...); },
        "a Layer needs a public `Tensor forward(const Arg& x)`, with as many further "
        "parameters as it is called with");
    const auto forward = [&]<class... Args>(Args&&... args) -> decltype(auto) {
      return self().forward(std::forward<Args>(args)...);
    };
    using Result = decltype(called(forward, x, std::forward<Rest>(rest)...));
    if constexpr (std::same_as<Result, Tensor> && (detail::holds_no_hidden_tensor<Rest> && ...)) {
      if (wants_leaf_check()) [[unlikely]] {
        const uint64_t first = tarsier::detail::sequence_now();
        Tensors arguments{x};
        (detail::collect(rest, arguments), ...);
        Tensor y = called(forward, x, std::forward<Rest>(rest)...);
        check_leaves(y, first, arguments);
        return y;
      }
    }
    return called(forward, x, std::forward<Rest>(rest)...);
  }

  Tensor call(const Arg& x) override {
    if constexpr (requires(Self & s) {
                    { s.forward(x) } -> std::convertible_to<Tensor>;
                  }) {
      return (*this)(x);
    } else {
      return Module::call(x);
    }
  }

  std::string type_name() const override { return type_name_of<Self>(); }

 protected:
  bool opens_scope() const override { return true; }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace tarsier::nn
