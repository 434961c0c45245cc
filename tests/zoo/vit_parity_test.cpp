// A whole Vision Transformer compared with PyTorch: loss, gradients, and a training run
// (tests/golden/make_vit.py).
#include <doctest/doctest.h>

#include <memory>

#include "optim/optim.h"
#include "tests/nn/golden.h"
#include "zoo/vit/model.h"

namespace tarsier::zoo {
namespace {

/// The model of a case, with PyTorch's weights.
struct Case {
  TensorDict numbers;
  std::unique_ptr<vit::VisionTransformer> model;

  Case(const std::string& name, DType dtype) : numbers(golden("vit.safetensors", name, dtype)) {
    vit::Config config{.image_size = {12, 8},
                       .patch_size = 4,
                       .channels = 3,
                       .classes = 5,
                       .width = 12,
                       .layers = 2,
                       .heads = 3,
                       .mlp_width = 20};
    if (name == "mean.") {
      config.stem = vit::Stem::convolutions;
      config.pooling = vit::Pooling::mean;
    }
    model = std::make_unique<vit::VisionTransformer>(config);
    model->to(dtype);
    model->load_state_dict(part(numbers, "state."));
  }
};

template <class Check>
void for_each_case(const Check& check) {
  for (const std::string name : {"class_token.", "mean."})
    for (const DType dtype : {f64, f32}) {
      CAPTURE(name);
      check(Case(name, dtype));
    }
}

TEST_CASE("a Vision Transformer's logits, loss and gradients are PyTorch's") {
  for_each_case([](const Case& vit) {
    Tensor images = vit.numbers["images"];
    images.requires_grad_();
    const Tensor labels = vit.numbers["labels"];
    const Tensor logits = (*vit.model)(images);
    const Tensor loss = cross_entropy(logits, labels);
    loss.backward();
    check_close("logits", logits, vit.numbers["logits"]);
    check_close("loss", loss, vit.numbers["loss"]);
    check_close("dimages", images.grad(), vit.numbers["dimages"]);
    const TensorDict parameters = vit.model->named_parameters();
    const TensorDict expected = part(vit.numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [name, grad] : expected)
      check_close("d" + name, parameters[name].grad(), grad);
  });
}

TEST_CASE("ten steps of AdamW give a Vision Transformer PyTorch's loss") {
  for_each_case([](const Case& vit) {
    optim::AdamW optimizer(vit.model->named_parameters(), {.lr = 3e-3, .weight_decay = 0.05});
    std::vector<Tensor> curve;
    for (int step = 0; step < 10; ++step) {
      optimizer.zero_grad();
      const Tensor loss = cross_entropy((*vit.model)(vit.numbers["images"]), vit.numbers["labels"]);
      loss.backward();
      optimizer.step();
      curve.push_back(loss.detach());
    }
    check_close("curve", stack(curve), vit.numbers["curve"]);
  });
}

}  // namespace
}  // namespace tarsier::zoo
