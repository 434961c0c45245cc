// CLIP: the loss by hand, the scale and its bounds, the whole model, recall.
#include "zoo/clip/model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "zoo/clip/matching.h"
#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::clip {
namespace {

Config tiny_config(vit::Stem stem) {
  return {.image_size = {4, 8},
          .patch_size = 4,
          .vocab = 7,
          .width = 4,
          .layers = 1,
          .text_layers = 1,
          .heads = 2,
          .mlp_width = 5,
          .space = 3,
          .dropout = 0,
          .stem = stem};
}

/// Three texts, the last of which ends early.
const std::vector<std::vector<int32_t>> kTexts = {{4, 5, kEnd}, {6, 4, kEnd}, {5, kEnd}};

TEST_CASE("the contrastive loss by hand") {
  const Tensor logits = from_vector<double>({2, 1, 0, 3}, {2, 2});
  const auto cost = [](double right, double wrong) { return std::log1p(std::exp(wrong - right)); };
  const double rows = (cost(2, 1) + cost(3, 0)) / 2, columns = (cost(2, 0) + cost(3, 1)) / 2;
  const Tensor own = from_vector<double>({1, 0, 0, 1}, {2, 2});
  CHECK(contrastive_loss(logits, own).item() == doctest::Approx((rows + columns) / 2));
  // Swapping both sides changes nothing.
  CHECK(contrastive_loss(transpose(logits, 0, 1), own).item() ==
        doctest::Approx(contrastive_loss(logits, own).item()));
  // Two pairs that are alike: nothing can be wrong, and even answers cost least.
  const Tensor alike = from_vector<double>({1, 1, 1, 1}, {2, 2});
  CHECK(contrastive_loss(zeros({2, 2}, f64), alike).item() == doctest::Approx(std::log(2.0)));
  CHECK(contrastive_loss(logits, alike).item() > std::log(2.0));
}

TEST_CASE("pairs with the same picture or the same text belong together") {
  const Tensor same = belonging({3, 4, 3}, {{5, 3}, {6, 3}, {6, 3}});
  CHECK(same.to_vector() == std::vector<double>{1, 0, 1,  //
                                                0, 1, 1,  //
                                                1, 1, 1});
}

TEST_CASE("the scale starts at 1/0.07, and stays between 1 and 100") {
  Generator generator(1);
  Clip model(tiny_config(vit::Stem::patches), generator);
  CHECK(model.logit_scale.item() == doctest::Approx(2.659260).epsilon(1e-6));
  CHECK(std::exp(model.logit_scale.item()) == doctest::Approx(1 / 0.07).epsilon(1e-6));
  const Tensor one = from_vector<float>({0.6f, 0.8f}, {1, 2}),
               other = from_vector<float>({1, 0}, {1, 2});
  for (const auto& [given, kept] : {std::pair{6.0, std::log(100.0)}, {-1.0, 0.0}, {3.0, 3.0}}) {
    nn::constant_(model.logit_scale, given);
    // The model itself has no bounds, as transformers' has none: e⁶ · cosine.
    CHECK(model.logits(one, other).item() == doctest::Approx(std::exp(given) * 0.6));
    model.clamp_scale();
    CHECK(model.logit_scale.item() == doctest::Approx(kept));
  }
  nn::constant_(model.logit_scale, 6.0);
  CHECK(model.logits(other, other).item() == doctest::Approx(403.4288));
}

TEST_CASE("the gradient of every weight of a whole CLIP is right" * doctest::test_suite("long")) {
  for (const vit::Stem stem : {vit::Stem::patches, vit::Stem::convolutions}) {
    CAPTURE(static_cast<int>(stem));
    Generator generator(3);
    Clip model(tiny_config(stem), generator);
    model.to(f64);
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    std::vector<Tensor> inputs = model.parameters();
    inputs.push_back(randn({3, 3, 4, 8}, f64, generator).requires_grad_());
    const Tensor texts = pad_rows(kTexts, kPad), padding = padding_mask(kTexts),
                 same = to(belonging({0, 1, 0}, kTexts), f64);
    CHECK_NOTHROW(gradcheck(
        [&](const std::vector<Tensor>& x) { return model(x.back(), texts, padding, same); },
        inputs));
  }
}

TEST_CASE("CLIP learns one batch by heart, and finds every pair") {
  Config config = tiny_config(vit::Stem::convolutions);
  config.width = config.mlp_width = 32;
  config.heads = 4;
  config.space = 16;
  Generator generator(4);
  Clip model(config, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
  const Tensor images = randn({3, 3, 4, 8}, f32, generator), same = eye(3);
  double loss = 0;
  for (int step = 0; step < 80; ++step) {
    optimizer.zero_grad();
    const Tensor y = model(images, pad_rows(kTexts, kPad), padding_mask(kTexts), same);
    y.backward();
    optimizer.step();
    model.clamp_scale();
    loss = y.item();
  }
  CHECK(loss < 0.01);
  model.eval();
  const NoGrad no_grad;
  const Recall recall = recall_of({model.see(images), read_all(model, kTexts), {{0}, {1}, {2}}});
  CHECK(recall.image_to_text.hit_rate(1) == 1);
  CHECK(recall.text_to_image.hit_rate(1) == 1);
}

TEST_CASE("padding of a text changes nothing") {
  Generator generator(5);
  Clip model(tiny_config(vit::Stem::patches), generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const std::vector<std::vector<int32_t>> alone = {kTexts[2]};
  const Tensor together = slice(model.read(pad_rows(kTexts, kPad), padding_mask(kTexts)), 0, 2),
               single = model.read(pad_rows(alone, kPad), {});
  CHECK(max(abs(together - single)).item() < 1e-12);
  CHECK(norm(single).item() == doctest::Approx(1));
}

TEST_CASE("recall counts the first right answer, both ways") {
  // Pictures at 0°, 90°; texts at 10° and 80° for the first, at 100° for the second.
  const auto at = [](const std::vector<double>& degrees) {
    std::vector<float> values;
    for (const double d : degrees)
      for (const double v : {std::cos(d * std::numbers::pi / 180), std::sin(d * M_PI / 180)})
        values.push_back(static_cast<float>(v));
    return from_vector(values, {std::ssize(degrees), 2});
  };
  const Matching matching{at({0, 90}), at({10, 80, 105}), {{0, 1}, {2}}};
  const Recall recall = recall_of(matching);
  // The second picture's nearest text is the one at 80°, which is the first one's.
  CHECK(recall.image_to_text.hit_rate(1) == 0.5);
  CHECK(recall.image_to_text.hit_rate(2) == 1);
  CHECK(recall.text_to_image.hit_rate(1) == doctest::Approx(2.0 / 3));
  CHECK(recall.text_to_image.hit_rate(5) == 1);
  CHECK(best({0.1, 0.7, 0.7, 0.2}, 3) == std::vector<size_t>{1, 2, 3});
}

}  // namespace
}  // namespace tarsier::zoo::clip
