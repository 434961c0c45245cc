// Layers against PyTorch: outputs, gradients of the input and of every parameter.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "nn/nn.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

void check_gradients(const nn::Module& module, const TensorDict& expected) {
  const TensorDict parameters = module.named_parameters();
  CHECK(parameters.size() == expected.size());
  for (const auto& [name, grad] : expected) check_close("d" + name, parameters[name].grad(), grad);
}

/// Runs `layer` (freshly made by `make`) on the numbers of `name`, in both dtypes.
template <class Make>
void check_layer(const std::string& name, Make make) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    auto layer = make();
    layer->to(dtype);
    const TensorDict numbers = golden("layers.safetensors", name + ".", dtype);
    layer->load_state_dict(part(numbers, "state."));
    Tensor x = numbers["x"];
    const bool differentiable = is_floating(x.dtype());
    if (differentiable) x.requires_grad_();
    const Tensor y = (*layer)(x);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    if (differentiable) check_close("dx", x.grad(), numbers["dx"]);
    check_gradients(*layer, part(numbers, "grad."));
  }
}

TEST_CASE("layers compute what PyTorch's compute, with the same gradients") {
  using std::make_unique;
  check_layer("linear", [] { return make_unique<nn::Linear>(5, 3); });
  check_layer("linear_no_bias", [] { return make_unique<nn::Linear>(5, 3, false); });
  check_layer("layer_norm", [] { return make_unique<nn::LayerNorm>(5); });
  check_layer("layer_norm_eps", [] { return make_unique<nn::LayerNorm>(5, 0.1); });
  check_layer("layer_norm_plain", [] { return make_unique<nn::LayerNorm>(5, 1e-5, false); });
  check_layer("gelu", [] { return make_unique<nn::GELU>(); });
  check_layer("gelu_tanh", [] { return make_unique<nn::GELU>("tanh"); });
  check_layer("embedding", [] { return make_unique<nn::Embedding>(6, 3); });
  check_layer("embedding_padding", [] { return make_unique<nn::Embedding>(6, 3, 2); });
}

struct AttentionCase {
  std::string name;
  bool bias = true, batch_first = false, is_causal = false;
};

void check_attention(const AttentionCase& c) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(c.name);
    CAPTURE(c.is_causal);
    nn::MultiheadAttention layer(8, 2, {.bias = c.bias, .batch_first = c.batch_first});
    layer.to(dtype);
    const TensorDict numbers = golden("layers.safetensors", c.name + ".", dtype);
    layer.load_state_dict(part(numbers, "state."));

    nn::AttentionOptions options{.is_causal = c.is_causal};
    if (const Tensor* mask = numbers.find("key_padding_mask")) options.key_padding_mask = *mask;
    if (const Tensor* mask = numbers.find("attn_mask"); mask != nullptr && !c.is_causal)
      options.attn_mask = *mask;

    const bool self = numbers.contains("x");
    std::vector<std::string> names = {"query", "key", "value"};
    if (self) names = {"x"};
    std::vector<Tensor> in;
    for (const std::string& name : names) in.push_back(clone(numbers[name]).requires_grad_());

    // Without weights (the fused kernel), and with them.
    for (const bool with_weights : {false, true}) {
      CAPTURE(with_weights);
      Tensor y;
      if (with_weights) {
        const Tensor& key = self ? in[0] : in[1];
        const Tensor& value = self ? in[0] : in[2];
        const nn::AttentionResult mean = layer.with_weights(in[0], key, value, options);
        check_close("weights", mean.weights, numbers["weights"]);
        const nn::AttentionResult by_head = layer.with_weights(in[0], key, value, options, false);
        check_close("weights", by_head.weights, numbers["weights_by_head"]);
        y = mean.output;
      } else {
        y = self ? layer(in[0], options) : layer(in[0], in[1], in[2], options);
      }
      check_close("y", y, numbers["y"]);
      layer.zero_grad();
      for (Tensor& x : in) x.set_grad({});
      y.backward(numbers["dy"]);
      for (size_t i = 0; i < in.size(); ++i)
        check_close("d" + names[i], in[i].grad(), numbers["d" + names[i]]);
      check_gradients(layer, part(numbers, "grad."));
    }
  }
}

TEST_CASE("multi-head attention computes what PyTorch's computes, under every kind of mask") {
  check_attention({.name = "mha_self"});
  check_attention({.name = "mha_no_bias", .bias = false});
  check_attention({.name = "mha_causal", .batch_first = true});
  check_attention({.name = "mha_causal", .batch_first = true, .is_causal = true});
  check_attention({.name = "mha_cross", .batch_first = true});
  check_attention({.name = "mha_padding"});
  check_attention({.name = "mha_mask"});
  check_attention({.name = "mha_heads", .batch_first = true});
  check_attention({.name = "mha_both"});
  check_attention({.name = "mha_both", .is_causal = true});
  check_attention({.name = "mha_both_float"});
  check_attention({.name = "mha_blind", .batch_first = true});
}

TEST_CASE("key and value of the same tensor take one projection, with the same result") {
  nn::MultiheadAttention layer(8, 2);
  layer.to(f64);
  const Tensor query = randn({4, 3, 8}, f64), memory = randn({5, 3, 8}, f64);
  check_close("output", layer(query, memory, memory), layer(query, memory, clone(memory)));
}

TEST_CASE("dropout in attention acts while training only") {
  nn::MultiheadAttention layer(8, 2, {.dropout = 0.5});
  const Tensor x = randn({4, 3, 8});
  const Tensor a = layer(x), b = layer(x);
  CHECK_FALSE(allclose(a, b));
  layer.eval();
  CHECK(relative_error(layer(x), layer(x)) == 0);
  const nn::AttentionResult result = layer.with_weights(x, x, x);
  CHECK(allclose(sum(result.weights, -1), ones({3, 4})));
}

TEST_CASE("attention refuses what does not fit") {
  CHECK_THROWS_WITH_AS(nn::MultiheadAttention(8, 3), doctest::Contains("multiple of num_heads 3"),
                       Error);
  CHECK_THROWS_AS(nn::MultiheadAttention(0, 1), Error);
  CHECK_THROWS_AS(nn::MultiheadAttention(8, 0), Error);
  nn::MultiheadAttention layer(8, 2);
  const Tensor x = randn({4, 3, 8});
  CHECK_THROWS_WITH_AS(layer(randn({4, 8})), doctest::Contains("(time, batch, 8)"), Error);
  CHECK_THROWS_AS(layer(x, randn({5, 3, 8}), randn({4, 3, 8})), Error);
  CHECK_THROWS_AS(layer(x, randn({5, 2, 8}), randn({5, 2, 8})), Error);
  CHECK_THROWS_WITH_AS(layer(x, {.key_padding_mask = zeros({4, 3}, boolean)}),
                       doctest::Contains("expected (batch, keys) = (3, 4)"), Error);
  CHECK_THROWS_AS(layer(x, {.attn_mask = zeros({4, 5}, boolean)}), Error);
  CHECK_THROWS_AS(layer(x, {.attn_mask = zeros({4, 4}, i64)}), Error);
}

TEST_CASE("dropout: off in eval, scaled in training") {
  nn::Dropout layer(0.25);
  const Tensor x = ones({10000});
  const std::vector<double> y = layer(x).to_vector();
  int64_t zeros = 0;
  for (const double value : y) {
    zeros += value == 0;
    CHECK((value == 0 || std::abs(value - 4.0 / 3) < 1e-6));
  }
  // Binomial: 2500 ± 43; six deviations.
  CHECK(std::abs(zeros - 2500) < 260);
  layer.eval();
  CHECK(relative_error(layer(x), x) == 0);
  CHECK_THROWS_AS(nn::Dropout(1.5), Error);
  CHECK_THROWS_AS(nn::Dropout(NAN), Error);
}

TEST_CASE("layers refuse wrong sizes and arguments") {
  CHECK_THROWS_AS(nn::Linear(0, 3), Error);
  CHECK_THROWS_AS(nn::Linear(3, -1), Error);
  CHECK_THROWS_AS(nn::Linear(3, 2)(randn({4, 4})), Error);
  CHECK_THROWS_AS(nn::Embedding(3, 2, 3), Error);
  CHECK_THROWS_AS(nn::Embedding(3, 2)(tensor({3}, i64)), Error);
  CHECK_THROWS_AS(nn::LayerNorm(4)(randn({4, 3})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(4, 1e-5, false)(randn({4, 3})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(4)(scalar(1)), Error);
  CHECK_THROWS_AS(nn::GELU("erf"), Error);
}

TEST_CASE("the padding row of an embedding starts at zero; a negative index counts from the end") {
  nn::Embedding layer(4, 3, -1);
  CHECK(layer.padding_idx == 3);
  CHECK(norm(select(layer.weight, 0, 3)).item() == 0);
  CHECK(norm(select(layer.weight, 0, 2)).item() > 0);
}

TEST_CASE("activations are the ops of the same name") {
  const Tensor x = linspace(-2, 2, 9);
  CHECK(relative_error(nn::ReLU()(x), relu(x)) == 0);
  CHECK(relative_error(nn::SiLU()(x), silu(x)) == 0);
  CHECK(relative_error(nn::Tanh()(x), tanh(x)) == 0);
  CHECK(relative_error(nn::Sigmoid()(x), sigmoid(x)) == 0);
}

}  // namespace
}  // namespace tarsier
