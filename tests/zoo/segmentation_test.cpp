// The whole segmenter: gradients, losses, answers, learning.
#include "zoo/segmentation/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "zoo/segmentation/answers.h"
#include "zoo/segmentation/loss.h"

namespace tarsier::zoo::segmentation {
namespace {

/// Eight patches and three classes.
Config tiny_config(Stem stem = Stem::convolution) {
  return {.image_size = {4, 8},
          .classes = 3,
          .width = 4,
          .stride = 2,
          .detail = 2,
          .stem_layers = 1,
          .layers = 1,
          .decoder_layers = 1,
          .heads = 2,
          .mlp_width = 3,
          .dropout = 0,
          .stem = stem};
}

/// Two masks of 4 × 8 pixels: a class in each half, some void.
Tensor some_masks() {
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < 64; ++i)
    classes.push_back(i % 13 == 5 ? int64_t{kVoid} : i % 8 < 4 ? i / 32 : 2);
  return from_vector(classes, {2, 4, 8});
}

TEST_CASE("the gradient of every weight of a whole segmenter is right, with every stem") {
  for (const Stem stem : {Stem::convolution, Stem::patches, Stem::stages}) {
    Generator generator(3);
    Segmenter model(tiny_config(stem), generator);
    model.to(f64);
    // At the initial sizes much is nearly linear: larger weights find more.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
    std::vector<Tensor> inputs = model.parameters();
    inputs.push_back(randn({2, 3, 4, 4}, f64, generator).requires_grad_());
    const LossOptions options{.dice = 0.7, .label_smoothing = 0.1};
    const Tensor masks = slice(some_masks(), 2, 2, 6);
    CHECK_NOTHROW(gradcheck(
        [&](const std::vector<Tensor>& x) {
          return mask_loss(model(x.back()).logits, masks, {0.5, 1, 2}, 30, options);
        },
        inputs, {.any_layout = false}));
  }
}

TEST_CASE("a segmenter learns two pictures by heart, with every stem") {
  for (const Stem stem : {Stem::convolution, Stem::patches, Stem::stages}) {
    Config config = tiny_config(stem);
    config.width = 16;
    config.mlp_width = 16;
    config.detail = 8;
    Generator generator(4);
    Segmenter model(config, generator);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    const Tensor images = randn({2, 3, 4, 8}, f32, generator), masks = some_masks();
    for (int step = 0; step < 100; ++step) {
      optimizer.zero_grad();
      mask_loss(model(images).logits, masks, {1, 1, 1}, 59, {.label_smoothing = 0}).backward();
      optimizer.step();
    }
    const NoGrad no_grad;
    const Tensor found = argmax(model(images).logits, 1);
    CHECK(sum(found != masks).item() == sum(masks == kVoid).item());
  }
}

TEST_CASE("a segmenter's output: logits of every pixel, and what the classes look at") {
  Generator generator(7);
  Segmenter model(tiny_config(), generator);
  model.eval();
  const NoGrad no_grad;
  const Tensor images = randn({2, 3, 4, 8}, f32, generator);
  const Output output = model(images, true);
  CHECK(output.logits.shape() == Shape{2, 3, 4, 8});
  CHECK(output.attention.shape() == Shape{2, 3, 8});
  for (const double s : sum(output.attention, {-1}).to_vector()) CHECK(s == doctest::Approx(1));
  CHECK(allclose(model(images).logits, output.logits));
  // Any other size whose sides are whole patches.
  CHECK(model(zeros({1, 3, 6, 2})).logits.shape() == Shape{1, 3, 6, 2});
  const std::string expected = ": expected (batch, 3, height, width), both sides multiples of 2";
  CHECK(error_of([&] {
          model(zeros({1, 3, 5, 8}));
        }) == "[segmentation] images of shape (1, 3, 5, 8)" + expected);
  CHECK(error_of([&] {
          model(zeros({1, 1, 4, 8}));
        }) == "[segmentation] images of shape (1, 1, 4, 8)" + expected);
}

TEST_CASE("the position of a patch counts, and is interpolated in other pictures") {
  Generator generator(8);
  Segmenter model(tiny_config(Stem::patches), generator);
  model.eval();
  const NoGrad no_grad;
  nn::normal_(model.position_embedding, 0, 2, generator);
  const Tensor plain = zeros({1, 3, 4, 8});
  const Tensor logits = model(plain).logits;
  CHECK_FALSE(allclose(select(logits, 3, 0), select(logits, 3, 7), 0.01, 0.01));
  // With the same position everywhere, a plain picture of any size looks alike everywhere inside.
  nn::constant_(model.position_embedding, 0.5);
  const Tensor large = model(zeros({1, 3, 16, 16})).logits;
  CHECK(allclose(select(select(large, 3, 7), 2, 7), select(select(large, 3, 8), 2, 6), 1e-4, 1e-5));
}

TEST_CASE("the loss of masks is that of PyTorch, with its gradient") {
  const TensorDict golden = tarsier::golden("segmentation.safetensors", "");
  const Tensor logits = clone(golden["logits"]).requires_grad_();
  const Tensor masks = golden["masks"];
  const std::vector<double> weights = golden["weights"].to_vector();
  for (const bool smooth : {false, true}) {
    const std::string name = smooth ? "smooth" : "plain";
    const LossOptions options{.dice = smooth ? 0.7 : 0, .label_smoothing = smooth ? 0.1 : 0};
    const Tensor loss = mask_loss(logits, masks, weights, golden["total"].item(), options);
    CHECK(relative_error(loss, golden[name + ".loss"]) < 1e-12);
    CHECK(relative_error(grad({loss}, {logits})[0], golden[name + ".dlogits"]) < 1e-12);
  }
}

TEST_CASE("dice: 0 for what is right, 1 for what is wrong, classes that do not occur left out") {
  const Tensor masks = reshape(tensor({0, 0, 1, 255}, i64), {1, 1, 4});
  const auto sure = [](const std::vector<int64_t>& classes) {
    std::vector<double> values(12, 0);
    for (size_t i = 0; i < 4; ++i) values[static_cast<size_t>(classes[i]) * 4 + i] = 200;
    return from_vector(values, {1, 3, 1, 4});
  };
  CHECK(dice_loss(sure({0, 0, 1, 2}), masks).item() == doctest::Approx(0));
  CHECK(dice_loss(sure({1, 1, 0, 0}), masks).item() == doctest::Approx(1));
  // Class 0: 2 · 1 / (1 + 2), class 1: 2 · 1 / (2 + 1).
  CHECK(dice_loss(sure({0, 1, 1, 0}), masks).item() == doctest::Approx(1.0 / 3));
  const Tensor none = full({1, 1, 4}, 255, i64);
  CHECK(dice_loss(sure({0, 0, 0, 0}), none).item() == 0);
  CHECK(mask_loss(sure({0, 0, 0, 0}), none, {1, 1, 1}, 1, {}).item() == 0);
}

TEST_CASE("weights of classes: 1 on average over the pixels, void and absent classes 0") {
  const std::vector<Picture> masks{{1, 1, 4, {0, 0, 0, 1}}, {1, 1, 3, {0, 255, 255}}};
  CHECK(class_weights(masks, 3, 0) == std::vector<double>{1, 1, 0});
  const std::vector<double> even = class_weights(masks, 3, 1);
  CHECK(even[0] == doctest::Approx(5.0 / 8));
  CHECK(even[1] == doctest::Approx(5.0 / 2));
  CHECK(even[2] == 0);
  const std::vector<double> half = class_weights(masks, 3, 0.5);
  CHECK(half[1] / half[0] == doctest::Approx(2));
  CHECK(4 * half[0] + half[1] == doctest::Approx(5));
}

TEST_CASE("answers: the likeliest class of each pixel at any size, and its entropy") {
  const Tensor logits = from_vector<double>({0, 0, 3, 0, 0, 2, 0, 0}, {1, 2, 2, 2});
  CHECK(best_classes(logits, 2, 2).pixels == std::vector<uint8_t>{0, 1, 0, 0});
  const Picture large = best_classes(logits, 4, 6);
  CHECK(large.width == 6);
  CHECK(large.at(0, 0, 5) == 1);
  CHECK(large.at(0, 3, 0) == 0);
  const auto [total, pixels] = entropy_of(logits, {1, 2, 2, {0, 1, 255, 1}});
  CHECK(pixels == 3);
  CHECK(total == doctest::Approx(2 * std::log(2.0) + std::log(1 + std::exp(-2.0))));
  ConfusionMatrix confusion(2);
  count_pixels(confusion, {1, 1, 4, {0, 1, 255, 1}}, {1, 1, 4, {0, 0, 1, 1}});
  CHECK(confusion.total() == 3);
  CHECK(confusion.at(1, 0) == 1);
}

TEST_CASE("a segmenter of sizes that do not fit together is refused") {
  const auto message = [](const std::function<void(Config&)>& change) {
    Config config = tiny_config();
    change(config);
    return error_of([&] { Segmenter model(config); });
  };
  CHECK(message([](Config& c) { c.stride = 3; }) ==
        "[segmentation] stride=3: the picture is halved repeatedly, so it must be 2, 4, 8, …");
  CHECK(message([](Config& c) {
          c.image_size = {4, 9};
        }) ==
        "[segmentation] patches of 2 pixels do not fill an image of 4×9: its sides must be "
        "multiples of the stride");
  CHECK(message([](Config& c) { c.heads = 3; }) ==
        "[segmentation] heads=3 does not divide width=4: every head gets an equal share of the "
        "width; take another number of heads or width");
  CHECK(message([](Config& c) { c.detail = 0; }) ==
        "[segmentation] a size is 0: all must be positive");
  CHECK(message([](Config& c) { c.classes = 1; }) ==
        "[segmentation] classes=1: at least 2 are needed");
}

}  // namespace
}  // namespace tarsier::zoo::segmentation
