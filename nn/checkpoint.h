#pragma once
// Activation checkpointing of a module: its forward runs again in backward.

#include <tuple>
#include <type_traits>
#include <vector>

#include "../autograd/functional/checkpoint.h"
#include "module.h"

namespace tarsier::nn {

namespace detail {

/// Notices buffers of a module (those in its state dict) that a call changes.
class UnchangedBuffers {
 public:
  explicit UnchangedBuffers(const Module& module);
  /// Throws Error("checkpoint") with the name of the first one.
  void check_now() const;

 private:
  const TensorDict state_;
  std::vector<int64_t> versions_;
};

}  // namespace detail

/// module(x, rest…), of which only the arguments are kept for backward: see
/// autograd/functional/checkpoint.h. For the blocks of a deep model:
///   for (Block& block : blocks) x = nn::checkpoint(block, x);
/// `rest` is copied: tensors, numbers, options; no pointer to what is gone at the time of backward.
/// Throws Error("checkpoint") if the call changes a buffer of the module (a batch norm in training):
/// the second one would change it again. As torch.utils.checkpoint.checkpoint.
template <class M, class... Rest>
Tensor checkpoint(M& module, const Arg& x, const Rest&... rest) {
  std::vector<Tensor> inputs{x};
  [[maybe_unused]] const auto keep = [&](const auto& argument) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(argument)>, Tensor>)
      inputs.push_back(argument);
  };
  (keep(rest), ...);
  const auto call = [&module, rest...](const std::vector<Tensor>& in) {
    size_t next = 1;
    [[maybe_unused]] const auto pass = [&](const auto& argument) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(argument)>, Tensor>)
        return in[next++];
      else
        return argument;
    };
    return std::apply([&](const auto&... all) { return module(in[0], all...); },
                      std::tuple<Rest...>{pass(rest)...});  // braces: from left to right
  };
  const detail::UnchangedBuffers buffers(module);
  const Tensor y =
      tarsier::checkpoint(call, inputs, module.parameters(), default_generator(), x.at);
  buffers.check_now();
  return y;
}

}  // namespace tarsier::nn
