#pragma once
// Hooks: the user's functions that run around the forward and the backward of a module.

#include <concepts>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/tensor/tensor.h"

namespace tarsier::nn {

class Module;
using Tensors = std::vector<Tensor>;

/// A function that may return a replacement for its argument. If it returns nothing, or an empty
/// Result, nothing changes.
template <class Result, class... Args>
struct Hook : std::function<Result(Args...)> {
  template <class Fn>
  Hook(Fn fn)
      : std::function<Result(Args...)>([fn = std::move(fn)](Args... args) mutable -> Result {
          if constexpr (std::is_void_v<std::invoke_result_t<Fn&, Args...>>) {
            fn(args...);
            return {};
          } else {
            return fn(args...);
          }
        }) {}
};

/// (module, inputs) before forward; may return other inputs. The inputs are the tensors that the
/// module was called with, in order, without those inside an options struct.
using ForwardPreHook = Hook<Tensors, Module&, const Tensors&>;
/// (module, inputs, output) after forward; may return another output.
using ForwardHook = Hook<Tensor, Module&, const Tensors&, const Tensor&>;
/// (module, grad_inputs, grad_output) after backward() has passed through the module: the gradients
/// of the inputs as far as this call made them, undefined for those that get none. May return
/// others of the same shapes (an undefined one keeps the original). Must not change them in place.
using BackwardHook = Hook<Tensors, Module&, const Tensors&, const Tensor&>;

/// The hooks of one module, by id.
struct Hooks {
  std::string owner;  ///< the type of the module, for errors
  int next_id = 0;
  std::vector<std::pair<int, ForwardPreHook>> before;
  std::vector<std::pair<int, ForwardHook>> after;
  std::vector<std::pair<int, BackwardHook>> backward;
};

namespace detail {

/// One call of a module that has hooks.
class HookedCall {
 public:
  /// Runs the hooks before forward, which may replace `inputs`.
  HookedCall(Module& module, std::shared_ptr<Hooks> hooks, Tensors& inputs,
             std::source_location at);
  /// Runs the hooks after forward.
  Tensor finish(Tensor output);

 private:
  struct Backward;
  Tensors gate_inputs(const Tensors& inputs);

  Module& module_;
  std::shared_ptr<Hooks> hooks_;  // keeps hooks alive that a hook removes
  Tensors inputs_;
  std::source_location at_;
  std::shared_ptr<Backward> backward_;  // null without backward hooks
};

template <class T>
constexpr bool is_tensor = std::derived_from<std::remove_cvref_t<T>, Tensor>;

/// Appends `arg` to `inputs` if it is a tensor.
template <class T>
void collect(const T& arg, Tensors& inputs) {
  if constexpr (is_tensor<T>) inputs.push_back(arg);
}

/// `arg` itself, or, if it is a tensor, a handle of the next of `inputs`.
template <class T>
decltype(auto) replaced(T&& arg, const Tensors& inputs, size_t& next) {
  if constexpr (is_tensor<T>) {
    std::remove_cvref_t<T> other = arg;
    static_cast<Tensor&>(other) = inputs[next++];
    return other;
  } else {
    return std::forward<T>(arg);
  }
}

/// forward(x, rest…) with the hooks around it.
template <class Forward, class... Rest>
Tensor call_with_hooks(Module& module, const std::shared_ptr<Hooks>& hooks, Forward& forward,
                       const Arg& x, Rest&&... rest) {
  Tensors inputs{x};
  (collect(rest, inputs), ...);

  HookedCall call(module, hooks, inputs, x.at);
  if constexpr (sizeof...(Rest) == 0) {
    return call.finish(forward(Arg(inputs[0], x.at)));
  } else {
    size_t next = 1;
    // A tuple, because braces are evaluated from left to right; arguments of a call may not be.
    std::tuple<decltype(replaced(std::forward<Rest>(rest), inputs, next))...> others{
        replaced(std::forward<Rest>(rest), inputs, next)...};
    return call.finish(std::apply(
        [&]<class... Others>(Others&&... other) {
          return forward(Arg(inputs[0], x.at), std::forward<Others>(other)...);
        },
        std::move(others)));
  }
}

}  // namespace detail
}  // namespace tarsier::nn
