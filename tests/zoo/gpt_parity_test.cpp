// A whole GPT compared with PyTorch: loss, gradients, a training run (tests/golden/make_gpt.py).
#include <doctest/doctest.h>

#include "optim/optim.h"
#include "tests/nn/golden.h"
#include "zoo/gpt/model.h"

namespace tarsier::zoo {
namespace {

struct Case {
  std::unique_ptr<gpt::Gpt> model;
  TensorDict numbers;

  Case(bool bias, DType dtype)
      : numbers(golden("gpt.safetensors", bias ? "bias." : "plain.", dtype)) {
    gpt::Config config;
    config.vocab_size = 11;
    config.block_size = 5;
    config.n_layer = 2;
    config.n_head = 2;
    config.n_embd = 8;
    config.bias = bias;
    model = std::make_unique<gpt::Gpt>(config);
    model->to(dtype);
    model->load_state_dict(part(numbers, "state."));
  }

  /// The mean loss on the batch of a step.
  Tensor loss(int64_t step) {
    return model->loss(select(numbers["x"], 0, step), select(numbers["y"], 0, step));
  }
};

template <class Check>
void for_each_case(const Check& check) {
  for (const bool bias : {true, false})
    for (const DType dtype : {f64, f32}) {
      CAPTURE(bias);
      check(Case(bias, dtype));
    }
}

TEST_CASE("a GPT's logits, loss and gradients are PyTorch's") {
  for_each_case([](Case gpt) {
    check_close("logits", (*gpt.model)(select(gpt.numbers["x"], 0, 0)), gpt.numbers["logits"]);
    const Tensor loss = gpt.loss(0);
    check_close("loss", loss, gpt.numbers["loss"]);
    loss.backward();
    const TensorDict parameters = gpt.model->named_parameters();
    const TensorDict expected = part(gpt.numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [name, grad] : expected)
      check_close("d" + name, parameters[name].grad(), grad);
  });
}

TEST_CASE("ten steps of AdamW give a GPT PyTorch's weights") {
  for_each_case([](Case gpt) {
    TensorDict matrices, vectors;
    for (const auto& [name, parameter] : gpt.model->named_parameters())
      (parameter.dim() >= 2 ? matrices : vectors).add(name, parameter);
    optim::AdamWOptions options{.lr = 1e-2, .betas = {0.9, 0.95}, .eps = 1e-6, .weight_decay = 0.1};
    optim::AdamWOptions no_decay = options;
    no_decay.weight_decay = 0;
    optim::AdamW optimizer({{matrices, options}, {vectors, no_decay}});
    for (int64_t step = 0; step < 10; ++step) {
      CAPTURE(step);
      optimizer.zero_grad();
      const Tensor loss = gpt.loss(step);
      check_close("loss", loss, select(gpt.numbers["losses"], 0, step));
      loss.backward();
      optimizer.step();
    }
    const TensorDict state = gpt.model->state_dict();
    for (const auto& [name, value] : part(gpt.numbers, "after.")) {
      // The bias of the keys has no influence, so its gradient is rounding error: in f32 large
      // enough to become a step of Adam.
      if (value.dtype() == f32 && name.ends_with("c_attn.bias")) continue;
      check_close(name, state[name], value);
    }
  });
}

}  // namespace
}  // namespace tarsier::zoo
