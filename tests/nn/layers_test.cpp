// Layers compared with PyTorch: outputs, gradients of the input and of every parameter.
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
void check_golden(const std::string& name, Make make) {
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
  check_golden("linear", [] { return make_unique<nn::Linear>(5, 3); });
  check_golden("linear_no_bias", [] { return make_unique<nn::Linear>(5, 3, false); });
  check_golden("layer_norm", [] { return make_unique<nn::LayerNorm>(5); });
  check_golden("layer_norm_eps", [] { return make_unique<nn::LayerNorm>(5, 0.1); });
  check_golden("layer_norm_plain", [] { return make_unique<nn::LayerNorm>(5, 1e-5, false); });
  check_golden("gelu", [] { return make_unique<nn::GELU>(); });
  check_golden("gelu_tanh", [] { return make_unique<nn::GELU>("tanh"); });
  check_golden("embedding", [] { return make_unique<nn::Embedding>(6, 3); });
  check_golden("embedding_padding", [] { return make_unique<nn::Embedding>(6, 3, 2); });
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

}  // namespace
}  // namespace tarsier
