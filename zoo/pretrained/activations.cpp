// Activations by transformers' names.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "zoo/pretrained/hugging_face.h"

namespace tarsier::zoo {

namespace {

using Function = Tensor (*)(const Arg&);

/// x · σ(1.702·x). Source: Hendrycks & Gimpel 2016.
Tensor quick_gelu(const Arg& x) { return x * sigmoid(x * 1.702); }

/// max(x, 0)². Source: So et al. 2021, "Primer".
Tensor squared_relu(const Arg& x) { return square(relu(x)); }

/// GELU, cut off at ±10.
Tensor gelu_10(const Arg& x) { return clamp(gelu(x), -10, 10); }

/// (1 + erf((x − μ) / (σ·√2))) / 2, μ = √½, σ = √(1/4π). Source: Ma et al. 2022, "Mega".
Tensor laplace(const Arg& x) {
  constexpr double mean = 0.707107, deviation = 0.282095;  // as transformers has them
  return (1 + erf((x - mean) / (deviation * std::numbers::sqrt2))) / 2;
}

Tensor identity(const Arg& x) { return x; }
Tensor leaky_relu_001(const Arg& x) { return leaky_relu(x); }

/// A name in transformers, and nn::Activation's name or, if it has none, the function.
struct Named {
  std::string_view theirs, ours;
  Function function = nullptr;
};
/// If a function has several names, the first is written.
constexpr Named kActivations[] = {
    {"gelu", "gelu"},
    {"gelu_python", "gelu"},
    {"gelu_new", "gelu_tanh"},
    {"gelu_pytorch_tanh", "gelu_tanh"},
    {"gelu_python_tanh", "gelu_tanh"},
    {"gelu_fast", "gelu_tanh"},
    {"gelu_accurate", "gelu_tanh"},
    {"gelu_10", "gelu_10", gelu_10},
    {"quick_gelu", "quick_gelu", quick_gelu},
    {"relu", "relu"},
    {"relu2", "relu2", squared_relu},
    {"relu6", "relu6", relu6},
    {"leaky_relu", "leaky_relu", leaky_relu_001},
    {"silu", "silu"},
    {"swish", "silu"},
    {"hardswish", "hardswish", hardswish},
    {"mish", "mish", mish},
    {"tanh", "tanh"},
    {"sigmoid", "sigmoid"},
    {"laplace", "laplace", laplace},
    {"linear", "linear", identity},
};

}  // namespace

nn::Activation activation_of(const Pretrained& file, std::string_view key,
                             const std::string& otherwise) {
  const std::string name = file.text(key, otherwise);
  std::string known;
  for (const auto& [theirs, ours, function] : kActivations) {
    if (theirs == name)
      return function != nullptr ? nn::Activation(function, std::string(ours))
                                 : nn::Activation(ours);
    known += concat(known.empty() ? "" : ", ", theirs);
  }
  fail("pretrained", file.config_path, ": ", key, " '", name, "' is not supported: expected ",
       known);
}

std::string name_of(const nn::Activation& activation) {
  for (const auto& [theirs, ours, function] : kActivations)
    if (ours == activation.name()) return std::string(theirs);
  fail("pretrained", "the activation '", activation.name(), "' has no name in transformers");
}

}  // namespace tarsier::zoo
