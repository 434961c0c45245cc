// The attention gate compared with PyTorch, and its errors.
#include "nn/layers/attention_gate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "tests/error_of.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

constexpr const char* kFile = "positions.safetensors";

void check_gate(const std::string& name, int64_t x_channels, int64_t g_channels,
                int64_t inter_channels, Pair stride) {
  const auto make = [&] {
    return std::make_unique<nn::AttentionGate>(x_channels, g_channels, inter_channels, stride);
  };
  check_layer(kFile, name, make, {"x", "g"});
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden(kFile, name + ".", dtype);
    const auto gate = make();
    gate->to(dtype);
    gate->load_state_dict(part(numbers, "state."));
    const nn::AttentionGateResult result = gate->with_alpha(numbers["x"], numbers["g"]);
    check_close("alpha", result.alpha, numbers["alpha"]);
    check_close("output", result.output, numbers["y"]);
  }
}

TEST_CASE("attention gates compute the paper's formula, with PyTorch's gradients") {
  check_gate("gate", 3, 5, 4, 2);
  check_gate("gate_odd", 2, 3, 3, 2);
  check_gate("gate_stride", 2, 3, 2, {4, 1});
}

TEST_CASE("gradients of an attention gate are those of finite differences") {
  nn::AttentionGate gate(2, 3, 4);
  gate.to(f64);
  std::vector<Tensor> inputs = {randn({2, 2, 5, 4}, f64).requires_grad_(),
                                randn({2, 3, 2, 2}, f64).requires_grad_()};
  for (const Tensor& parameter : gate.parameters()) inputs.push_back(parameter);
  gradcheck([&](const std::vector<Tensor>& in) { return gate(in[0], in[1]); }, inputs);
}

TEST_CASE("attention gates refuse what does not fit, and say what would") {
  nn::AttentionGate gate(2, 3, 4);
  CHECK(error_of([&] {
          gate(randn({2, 2, 8, 6}), randn({2, 3, 4, 6}));
        }) ==
        "[attention_gate] x (2, 2, 8, 6) and g (2, 3, 4, 6): with a stride of (2, 2), g must have "
        "height 4 and width 3; another stride fits other sizes, and interpolate() changes g's");
  CHECK(
      error_of([&] {
        gate(randn({2, 3, 8, 6}), randn({2, 2, 4, 3}));
      }) ==
      "[attention_gate] x (2, 3, 8, 6) and g (2, 2, 4, 3): expected (batch, 2, height, width) and "
      "(batch, 3, height', width')");
  CHECK_THROWS_AS(gate(randn({2, 2, 8, 6}), randn({1, 3, 4, 3})), Error);
  CHECK_THROWS_AS(gate(randn({2, 8, 6}), randn({2, 3, 4, 3})), Error);
  CHECK_THROWS_AS(gate(randn({2, 2, 8, 6}), randn({2, 3, 4, 3}, f64)), Error);
  CHECK_THROWS_AS(gate(randn({2, 2, 1, 1}), randn({2, 3, 0, 0})), Error);
  CHECK_THROWS_AS(nn::AttentionGate(2, 3, 0), Error);
  CHECK_THROWS_AS(nn::AttentionGate(2, 3, 4, 0), Error);

  struct Net : nn::Layer<Net> {
    nn::AttentionGate gate{2, 3, 4};
    Net() { register_module("gate", gate); }
    Tensor forward(const Arg& x) { return gate(x, x); }
  };
  Net net;
  const std::string error = error_of([&] { net(randn({2, 2, 8, 6})); });
  CAPTURE(error);
  CHECK(error.ends_with("(in gate)"));
}

}  // namespace
}  // namespace tarsier
