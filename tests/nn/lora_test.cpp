// Low-rank adapters.
#include "nn/layers/lora.h"

#include <doctest/doctest.h>

#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

/// A map with an adapter that changes something.
struct Adapted : nn::Module {
  nn::LoraLinear fc{4, 3, true, {.r = 2, .lora_alpha = 5}};
  nn::Linear plain{3, 2};
  Adapted() {
    register_module("fc", fc);
    register_module("plain", plain);
    nn::normal_(fc.lora_B->weight);
  }
};

TEST_CASE("lora: the product of two thin matrices is added, scaled by alpha / r") {
  Adapted model;
  model.to(f64);
  nn::LoraLinear& fc = model.fc;
  const Tensor x = randn({5, 4}, f64);
  const Tensor thin =
      matmul(matmul(x, transpose(fc.lora_A->weight, 0, 1)), transpose(fc.lora_B->weight, 0, 1));
  check_close("forward", fc(x), linear(x, fc.weight, fc.bias) + thin * 2.5);
  check_close("merged", fc(x), linear(x, fc.merged_weight(), fc.bias));
  CHECK(fc.lora_A->weight.shape() == Shape{2, 4});
  CHECK(fc.lora_B->weight.shape() == Shape{3, 2});
  CHECK(fc.scaling() == 2.5);
}

TEST_CASE("lora: at first it changes nothing, and without a rank it is Linear") {
  nn::LoraLinear fresh(4, 3, false, {.r = 2});
  const Tensor x = randn({5, 4});
  CHECK(fresh(x).to_vector() == linear(x, fresh.weight).to_vector());
  CHECK(fresh.scaling() == 4);  // PEFT's lora_alpha is 8

  nn::LoraLinear none(4, 3);
  CHECK(none.state_dict().size() == 2);
  CHECK(none.type_name() == "Linear");
  CHECK(none(x).to_vector() == linear(x, none.weight, none.bias).to_vector());
  CHECK(none.call(x).to_vector() == none(x).to_vector());
  CHECK(error_of([] { nn::LoraLinear(4, 3, true, {.r = -1}); }) ==
        "[lora] a rank of -1: it must be 0 (no adapter) or more");
}

TEST_CASE("lora: dropout acts on the adapter only, in training") {
  nn::LoraLinear fc(4, 3, true, {.r = 2, .lora_dropout = 0.99});
  nn::normal_(fc.lora_B->weight);
  const Tensor x = ones({1, 4});
  fc.eval();
  CHECK(fc(x).to_vector() == fc(x).to_vector());
  CHECK(fc(x).to_vector() != linear(x, fc.weight, fc.bias).to_vector());
  fc.train();
  int dropped = 0;
  for (int i = 0; i < 50; ++i)
    dropped += fc(x).to_vector() == linear(x, fc.weight, fc.bias).to_vector();
  CHECK(dropped > 25);
}

TEST_CASE("lora: only adapters are trained, and merging leaves the names of Linear") {
  Adapted model;
  nn::train_only_lora(model);
  for (const auto& [name, parameter] : model.named_parameters())
    CHECK(parameter.requires_grad() == (name.find("lora_") != name.npos));
  sum(square(model.plain(model.fc(ones({1, 4}))))).backward();
  CHECK(!model.fc.weight.grad().defined());
  CHECK(model.fc.lora_A->weight.grad().defined());

  const TensorDict merged = nn::merged_state_dict(model);
  CHECK(merged.size() == 4);
  CHECK(merged["fc.weight"].to_vector() == model.fc.merged_weight().to_vector());
  CHECK(merged["plain.weight"].to_vector() == model.plain.weight.to_vector());
  nn::Linear without(2, 2);
  check_error("[lora] no layer of the module has an adapter",
              [&] { nn::train_only_lora(without); });
}

}  // namespace
}  // namespace tarsier
