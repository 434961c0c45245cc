// The whole Vision Transformer: gradients, names, learning, errors.
#include "zoo/vit/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/threads.h"

namespace tarsier::zoo {
namespace {

/// Two patches from a colour image of 4 × 8.
vit::Config tiny_config(vit::Stem stem, vit::Pooling pooling) {
  return {.image_size = {4, 8},
          .patch_size = 4,
          .channels = 2,
          .classes = 3,
          .width = 4,
          .layers = 2,
          .heads = 2,
          .mlp_width = 5,
          .stem = stem,
          .pooling = pooling};
}

template <class Check>
void for_each_kind(const Check& check) {
  for (const vit::Stem stem : {vit::Stem::patches, vit::Stem::convolutions})
    for (const vit::Pooling pooling : {vit::Pooling::class_token, vit::Pooling::mean}) {
      CAPTURE(static_cast<int>(stem));
      CAPTURE(static_cast<int>(pooling));
      check(tiny_config(stem, pooling));
    }
  CAPTURE("stages");
  check(tiny_config(vit::Stem::stages, vit::Pooling::mean));
}

TEST_CASE("the gradient of every weight of a whole Vision Transformer is right" *
          doctest::test_suite("long")) {
  for_each_kind([](const vit::Config& config) {
    Generator generator(3);
    vit::VisionTransformer model(config, generator);
    model.to(f64);
    // At the initial sizes much is nearly linear: larger weights find more.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    std::vector<Tensor> inputs = model.parameters();
    inputs.push_back(randn({2, 2, 4, 8}, f64, generator).requires_grad_());
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>& x) { return model(x.back()); }, inputs));
  });
}

TEST_CASE("a Vision Transformer learns one batch by heart" * doctest::test_suite("long")) {
  for_each_kind([](vit::Config config) {
    config.width = 16;
    config.heads = 4;
    config.mlp_width = 32;
    Generator generator(4);
    vit::VisionTransformer model(config, generator);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    const Tensor images = randn({8, 2, 4, 8}, f32, generator);
    const Tensor labels = randint(0, 3, {8}, generator);
    double loss = 0;
    for (int step = 0; step < 100; ++step) {
      optimizer.zero_grad();
      const Tensor y = cross_entropy(model(images), labels);
      y.backward();
      optimizer.step();
      loss = y.item();
    }
    CHECK(loss < 0.01);
  });
}

TEST_CASE("the weights of a Vision Transformer have these names and shapes") {
  const auto names = [](const vit::Config& config) {
    std::vector<std::string> out;
    for (const auto& [name, tensor] : vit::VisionTransformer(config).state_dict())
      if (!name.starts_with("encoder.layers.")) out.push_back(concat(name, " ", tensor.shape()));
    return out;
  };
  CHECK(names({}) ==
        std::vector<std::string>{"class_token (1, 1, 64)", "position_embedding (1, 50, 64)",
                                 "stem.patches.weight (64, 1, 4, 4)", "stem.patches.bias (64,)",
                                 "encoder.norm.weight (64,)", "encoder.norm.bias (64,)",
                                 "head.weight (10, 64)", "head.bias (10,)"});
  std::vector<std::string> convolutional;
  for (const std::string& name :
       names({.patch_size = 2, .stem = vit::Stem::convolutions, .pooling = vit::Pooling::mean}))
    if (name.find("norm") == name.npos) convolutional.push_back(name);
  CHECK(convolutional == std::vector<std::string>{
                             "position_embedding (1, 196, 64)", "stem.conv1.weight (64, 1, 3, 3)",
                             "stem.patches.weight (64, 64, 1, 1)", "stem.patches.bias (64,)",
                             "head.weight (10, 64)", "head.bias (10,)"});
  std::vector<std::string> staged;
  for (const std::string& name : names({.stem = vit::Stem::stages, .pooling = vit::Pooling::mean}))
    if (name.find("conv") != name.npos || name.find("relative") != name.npos)
      staged.push_back(name);
  CHECK(staged == std::vector<std::string>{
                      "stem.conv1.weight (32, 1, 3, 3)", "stem.block2.conv1.weight (64, 32, 3, 3)",
                      "stem.block2.conv2.weight (64, 64, 3, 3)",
                      "stem.block3.conv1.weight (64, 64, 3, 3)",
                      "stem.block3.conv2.weight (64, 64, 3, 3)", "relative.table (4, 13, 13)"});
  // ViT-B/16 of the paper's Table 1: 86 million.
  const nn::NoInit guard;
  const vit::Config base{.image_size = 224,
                         .patch_size = 16,
                         .channels = 3,
                         .classes = 1000,
                         .width = 768,
                         .layers = 12,
                         .heads = 12,
                         .mlp_width = 3072};
  CHECK(vit::VisionTransformer(base).num_parameters() == 86'567'656);
}

TEST_CASE("at the start all classes are equally likely, and every weight gets a gradient") {
  Generator generator(1);
  vit::VisionTransformer model({.classes = 7, .stem = vit::Stem::convolutions}, generator);
  const Tensor images = randn({16, 1, 28, 28}, f32, generator);
  const Tensor loss = cross_entropy(model(images), randint(0, 7, {16}, generator));
  CHECK(loss.item() < 2 * std::log(7.0));
  loss.backward();
  // Biases of keys shift all scores of a row alike: their gradient is 0 up to rounding.
  for (const auto& [name, parameter] : model.named_parameters()) {
    CAPTURE(name);
    CHECK(norm(parameter.grad()).item() > 0);
  }
  // Equal seeds make equal models.
  Generator first(9), second(9);
  const TensorDict a = vit::VisionTransformer({}, first).state_dict();
  for (const auto& [name, tensor] : vit::VisionTransformer({}, second).state_dict()) {
    CAPTURE(name);
    CHECK(tensor.to_vector() == a[name].to_vector());
  }
}

TEST_CASE("the number of threads does not change a bit, whatever the stem") {
  for (const vit::Stem stem : {vit::Stem::patches, vit::Stem::convolutions, vit::Stem::stages}) {
    const auto gradients = [&](int threads) {
      const Threads scope(threads);
      Generator generator(6);
      vit::VisionTransformer model({.layers = 1, .stem = stem, .pooling = vit::Pooling::mean},
                                   generator);
      const Tensor images = randn({9, 1, 28, 28}, f32, generator);
      cross_entropy(model(images), randint(0, 10, {9}, generator)).backward();
      std::vector<double> all;
      for (const Tensor& parameter : model.parameters())
        for (const double value : parameter.grad().to_vector()) all.push_back(value);
      return all;
    };
    CHECK(gradients(1) == gradients(3));
  }
}

TEST_CASE("with residual stages only the displacement of patches matters to attention") {
  Generator generator(8);
  vit::VisionTransformer model(
      {.image_size = 16, .layers = 1, .stem = vit::Stem::stages, .pooling = vit::Pooling::mean},
      generator);
  CHECK_FALSE(model.position_embedding.defined());
  model.eval();
  const NoGrad guard;
  const Tensor images = randn({2, 1, 16, 16}, f32, generator);
  CHECK(model.attention(images).shape() == Shape{2, 16});
  const Tensor before = model(images);
  nn::normal_(model.relative->table, 0, 1, generator);
  CHECK_FALSE(allclose(model(images), before, 1e-3));
  // The same for all displacements is nothing: softmax does not see it.
  nn::ones_(model.relative->table);
  const Tensor shifted = model(images);
  nn::zeros_(model.relative->table);
  CHECK(allclose(model(images), shifted, 1e-4, 1e-5));
}

TEST_CASE("the order of the patches matters only through the position embedding") {
  for (const vit::Pooling pooling : {vit::Pooling::class_token, vit::Pooling::mean}) {
    Generator generator(5);
    vit::VisionTransformer model(tiny_config(vit::Stem::patches, pooling), generator);
    model.to(f64);
    model.eval();
    const NoGrad guard;
    const Tensor images = randn({3, 2, 4, 8}, f64, generator);
    const Tensor swapped = roll(images, 4, 3);
    nn::normal_(model.position_embedding, 0, 1, generator);
    CHECK_FALSE(allclose(model(images), model(swapped), 1e-6));
    nn::zeros_(model.position_embedding);
    CHECK(allclose(model(images), model(swapped), 1e-12));
  }
}

TEST_CASE("a Vision Transformer refuses sizes that do not fit, and names them") {
  const auto error = [](const vit::Config& config) {
    return error_of([&] { vit::VisionTransformer model(config); });
  };
  CHECK(error({.patch_size = 5}) ==
        "[vit] patches of 5×5 do not fill an image of 28×28: its sides must be multiples of the "
        "patch's");
  CHECK(error({.heads = 3}).find("heads=3 does not divide width=64") != std::string::npos);
  CHECK(error({.layers = 0}).find("all must be positive") != std::string::npos);
  CHECK(error({.patch_size = 7, .stem = vit::Stem::convolutions}).find("squares of 2, 4, 8") !=
        std::string::npos);
  CHECK(error({.patch_size = {2, 4}, .stem = vit::Stem::convolutions}).find("patches of 2×4") !=
        std::string::npos);
  CHECK(error({.image_size = 32, .patch_size = 16, .width = 4, .stem = vit::Stem::convolutions})
            .find("multiple of 8") != std::string::npos);
  CHECK(error({.stem = vit::Stem::stages}) ==
        "[vit] stem=stages with pooling=class_token: a class token has no place among the patches; "
        "take pooling=mean");
  vit::VisionTransformer model({});
  const auto call_error = [&](const Tensor& x) { return error_of([&] { model(x); }); };
  CHECK(call_error(zeros({2, 1, 28, 32})) ==
        "[vit] images of shape (2, 1, 28, 32): expected (batch, 1, 28, 28)");
  CHECK(call_error(zeros({2, 3, 28, 28})).find("expected (batch, 1, 28, 28)") != std::string::npos);
  CHECK(call_error(zeros({1, 28, 28})).find("expected (batch, 1, 28, 28)") != std::string::npos);
  CHECK(model(zeros({0, 1, 28, 28})).shape() == Shape{0, 10});
}

}  // namespace
}  // namespace tarsier::zoo
