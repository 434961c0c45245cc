#include "nn/layers/activation.h"

namespace tarsier::nn {

Activation::Function Activation::named(const std::string& name) {
  if (name == "relu") return relu;
  if (name == "gelu") return [](const Arg& x) { return gelu(x); };
  if (name == "gelu_tanh") return [](const Arg& x) { return gelu(x, "tanh"); };
  if (name == "silu") return silu;
  if (name == "tanh") return tanh;
  if (name == "sigmoid") return sigmoid;
  fail("activation", "no function '", name,
       "': use relu, gelu, gelu_tanh, silu, tanh, sigmoid, or a function of your own");
}

}  // namespace tarsier::nn
