// The whole captioner: gradients, learning by heart, decoding, what is right.
#include "zoo/captioning/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "zoo/captioning/describe.h"
#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::captioning {
namespace {

/// Two patches, seven words.
Config tiny_config(vit::Stem stem) {
  return {.image_size = {4, 8},
          .patch_size = 4,
          .vocab = 7,
          .width = 4,
          .layers = 1,
          .decoder_layers = 1,
          .heads = 2,
          .mlp_width = 5,
          .dropout = 0,
          .stem = stem};
}

TEST_CASE("the gradient of every weight of a whole captioner is right" *
          doctest::test_suite("long")) {
  for (const vit::Stem stem : {vit::Stem::patches, vit::Stem::convolutions}) {
    CAPTURE(static_cast<int>(stem));
    Generator generator(3);
    Captioner model(tiny_config(stem), generator);
    model.to(f64);
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    std::vector<Tensor> inputs = model.parameters();
    inputs.push_back(randn({2, 3, 4, 8}, f64, generator).requires_grad_());
    const Tensor target = from_vector(std::vector<int64_t>{2, 5, 4, 2, 6, 0}, {2, 3});
    CHECK_NOTHROW(
        gradcheck([&](const std::vector<Tensor>& x) { return model(x.back(), target); }, inputs));
  }
}

TEST_CASE("a captioner learns one batch by heart, and then writes it") {
  Config config = tiny_config(vit::Stem::convolutions);
  config.width = config.mlp_width = 32;
  config.heads = 4;
  Generator generator(4);
  Captioner model(config, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 3e-3, .weight_decay = 0});
  const Tensor images = randn({4, 3, 4, 8}, f32, generator);
  const std::vector<std::vector<int32_t>> captions = {
      {4, 5, kEnd}, {5, 5, 4, kEnd}, {6, kEnd}, {4, 6, kEnd}};
  const Teaching teaching = teaching_of(captions);
  CHECK(teaching.words == 12);
  CHECK(teaching.target.to_vector<int64_t>() ==
        std::vector<int64_t>{2, 4, 5, 0, 2, 5, 5, 4, 2, 6, 0, 0, 2, 4, 6, 0});
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    cross_entropy(flatten(model(images, teaching.target), 0, 1), flatten(teaching.next),
                  {.ignore_index = kPad})
        .backward();
    optimizer.step();
  }
  model.eval();
  const std::vector<bool> right = all_right(model(images, teaching.target), teaching.next);
  for (size_t i = 0; i < captions.size(); ++i)
    for (const int64_t beams : {1, 3}) {
      CHECK(right[i]);
      std::vector<int32_t> written =
          describe(model, slice(images, 0, static_cast<int64_t>(i), static_cast<int64_t>(i) + 1),
                   {.beams = beams, .max_length = 10});
      written.push_back(kEnd);
      CHECK(written == captions[i]);
    }
}

TEST_CASE("a caption is right only if every word and the end is; padding does not count") {
  // Likeliest: 4, 5, end | 5, end, end
  Tensor logits = zeros({2, 3, 7});
  std::vector<float> values(2 * 3 * 7, 0);
  const std::vector<size_t> likeliest = {4, 5, 3, 5, 3, 3};
  for (size_t i = 0; i < likeliest.size(); ++i) values[i * 7 + likeliest[i]] = 1;
  logits = from_vector(values, {2, 3, 7});
  const auto right = [&](const std::vector<std::vector<int32_t>>& captions) {
    return all_right(logits, teaching_of(captions).next);
  };
  CHECK(right({{4, 5, 3}, {5, 3}}) == std::vector<bool>{true, true});
  CHECK(right({{4, 5, 4}, {5, 3}}) == std::vector<bool>{false, true});
  CHECK(right({{4, 5, 3}, {4, 3}}) == std::vector<bool>{true, false});
}

TEST_CASE("word by word, a captioner computes what it computes at once") {
  Generator generator(5);
  Captioner model(tiny_config(vit::Stem::convolutions), generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Tensor images = randn({2, 3, 4, 8}, f64, generator);
  const Tensor target = from_vector(std::vector<int64_t>{2, 5, 4, 2, 6, 6}, {2, 3});
  const Tensor memory = model.see(images);
  CHECK(memory.shape() == Shape{2, 2, 4});
  const Tensor whole = model.decode(target, memory);
  nn::DecoderCache cache;
  for (int64_t t = 0; t < 3; ++t) {
    const Tensor one = model.decode(slice(target, 1, t, t + 1), memory, &cache);
    CHECK(max(abs(one - slice(whole, 1, t, t + 1))).item() < 1e-12);
  }
  const Tensor attention = model.cross_attention(images, target);
  CHECK(attention.shape() == Shape{2, 3, 2});
  CHECK(max(abs(sum(attention, {2}) - 1)).item() < 1e-12);
}

TEST_CASE("a Vision Transformer without classes has no head") {
  Generator generator(6);
  vit::VisionTransformer model({.classes = 0, .pooling = vit::Pooling::mean}, generator);
  for (const auto& [name, tensor] : model.state_dict()) CHECK(!name.starts_with("head"));
  const Tensor images = randn({2, 1, 28, 28}, f32, generator);
  model.eval();
  CHECK(model(images).shape() == Shape{2, 64});
  CHECK(model.encoded(images).shape() == Shape{2, 49, 64});
  CHECK(max(abs(model(images) - mean(model.encoded(images), 1))).item() == 0);
  CHECK(error_of([] { vit::VisionTransformer({.classes = -1}); }) ==
        "[vit] there are -1 classes: give 0 or more");
}

}  // namespace
}  // namespace tarsier::zoo::captioning
