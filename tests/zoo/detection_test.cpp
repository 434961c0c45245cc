// The whole DETR: gradients, matching, losses, learning.
#include "zoo/detection/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "zoo/boxes/assignment.h"
#include "zoo/detection/examples.h"
#include "zoo/detection/loss.h"

namespace tarsier::zoo::detection {
namespace {

/// Eight patches, of which three become queries.
Config tiny_config() {
  return {.image_size = {8, 16},
          .classes = 2,
          .width = 4,
          .stride = 4,
          .stem_layers = 1,
          .layers = 1,
          .decoder_layers = 2,
          .heads = 2,
          .mlp_width = 3,
          .queries = 3};
}

/// Two pictures with 1 and 2 objects.
Objects some_objects(DType dtype) {
  return {
      {1, 2},
      {0, 1, 0},
      to(tensor({{0.3, 0.4, 0.2, 0.5}, {0.2, 0.6, 0.3, 0.3}, {0.7, 0.5, 0.4, 0.6}}, f64), dtype)};
}

TEST_CASE("the gradient of every weight of a whole DETR is right, for a fixed matching" *
          doctest::test_suite("long")) {
  Generator generator(3);
  Detr model(tiny_config(), generator);
  model.to(f64);
  // At the initial sizes much is nearly linear: larger weights find more.
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  std::vector<Tensor> inputs = model.parameters();
  inputs.push_back(randn({1, 3, 8, 16}, f64, generator).requires_grad_());
  Objects objects = some_objects(f64);
  objects.counts = {3};
  const Output first = model(inputs.back());
  std::vector<Matches> matches;
  for (const Guess& guess : first.guesses) matches.push_back(match(guess, objects, {}));
  CHECK_NOTHROW(gradcheck(
      [&](const std::vector<Tensor>& x) {
        const Output output = model(x.back(), false, &first.places);
        Tensor total;
        for (size_t i = 0; i < matches.size(); ++i) {
          const Tensor one = set_loss(output.guesses[i], objects, matches[i], {});
          total = total.defined() ? total + one : one;
        }
        return total;
      },
      inputs, {.any_layout = false}));
}

TEST_CASE("a DETR learns two pictures by heart, and finds each object once") {
  Config config = tiny_config();
  config.image_size = 16;
  config.width = 16;
  config.mlp_width = 32;
  config.queries = 8;
  Generator generator(4);
  Detr model(config, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
  const Tensor images = randn({2, 3, 16, 16}, f32, generator);
  const Objects objects = some_objects(f32);
  double last = 0;
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    Tensor loss;
    for (const Guess& guess : model(images).guesses) {
      const Tensor one = set_loss(guess, objects, match(guess, objects, {}), {});
      loss = loss.defined() ? loss + one : one;
    }
    loss.backward();
    optimizer.step();
    last = loss.item();
  }
  CHECK(last < 1);
  const NoGrad no_grad;
  const auto found = detections_of(model(images).guesses.back(), {16, 16});
  const auto surer = [](const std::vector<Detection>& all) {
    return std::count_if(all.begin(), all.end(), [](const Detection& d) { return d.score > 0.4; });
  };
  CHECK(surer(found[0]) == 1);
  CHECK(surer(found[1]) == 2);
  CHECK(iou(found[0][0].box, {3.2, 2.4, 6.4, 10.4}) > 0.7);
  CHECK(found[0][0].label == 0);
}

TEST_CASE("matching and losses of a set are those of PyTorch, with their gradients") {
  const TensorDict golden = tarsier::golden("detection.safetensors", "");
  const Tensor logits = clone(golden["logits"]).requires_grad_(),
               boxes = clone(golden["boxes"]).requires_grad_();
  const Objects objects{{2, 3}, {0, 2, 1, 1, 0}, golden["wanted"]};
  const Guess guess{logits, boxes};
  const Matches matches = match(guess, objects, {});
  std::vector<double> queries(5);
  for (size_t i = 0; i < 5; ++i)
    queries[static_cast<size_t>(matches.objects[i])] = static_cast<double>(matches.queries[i]);
  CHECK(queries == golden["queries"].to_vector());
  for (const bool quality : {false, true}) {
    const std::string name = quality ? "quality" : "plain";
    const Tensor loss = set_loss(guess, objects, matches, {}, 1, quality);
    const std::vector<Tensor> gradients = grad({loss}, {logits, boxes});
    CHECK(relative_error(loss, golden[name + ".loss"]) < 1e-12);
    CHECK(relative_error(gradients[0], golden[name + ".dlogits"]) < 1e-12);
    CHECK(relative_error(gradients[1], golden[name + ".dboxes"]) < 1e-12);
  }
}

TEST_CASE("focal loss: known values, and no infinity for sure guesses") {
  const Tensor x = tensor({0, 0, 80, -80}, f64), t = tensor({1, 0, 0, 1}, f64);
  const std::vector<double> loss = focal_loss(x, t).to_vector();
  CHECK(loss[0] == doctest::Approx(0.25 * 0.25 * std::log(2.0)));  // 0.0433
  CHECK(loss[1] == doctest::Approx(0.75 * 0.25 * std::log(2.0)));  // 0.1300
  CHECK(loss[2] == doctest::Approx(60));
  CHECK(loss[3] == doctest::Approx(20));
}

TEST_CASE("matching: copies, pictures without objects, and more objects than guesses") {
  Generator generator(6);
  const Guess guess{randn({2, 4, 2}, f64, generator), rand({2, 4, 4}, f64, generator)};
  const auto match_of = [&](std::vector<int64_t> counts, int64_t copies) {
    Objects objects{std::move(counts), {}, {}};
    const int64_t size = objects.counts[0] + objects.counts[1];
    objects.labels.assign(static_cast<size_t>(size), 1);
    objects.boxes = rand({size, 4}, f64, generator);
    const Matches matches = match(guess, objects, {}, copies);
    const Tensor loss = set_loss(guess, objects, matches, {}, copies);
    CHECK(std::isfinite(loss.item()));
    std::vector<int64_t> sorted = matches.queries;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());  // none twice
    return matches;
  };
  CHECK(match_of({0, 0}, 1).queries.empty());
  const Matches second = match_of({0, 2}, 2);
  CHECK(second.queries.size() == 4);
  CHECK(*std::min_element(second.queries.begin(), second.queries.end()) >= 4);  // of picture 2
  CHECK(std::count(second.objects.begin(), second.objects.end(), 0) == 2);
  CHECK(match_of({3, 0}, 2).queries.size() == 3);  // not enough guesses for two of each
  CHECK(match_of({9, 1}, 1).queries.size() == 5);
  // Each copy goes to a guess near its own object.
  const Tensor two = tensor({{0.2, 0.2, 0.1, 0.1}, {0.8, 0.8, 0.1, 0.1}}, f64);
  const Matches near =
      match({zeros({1, 4, 1}, f64), unsqueeze(cat({two, two}), 0)}, {{2}, {0, 0}, two}, {}, 2);
  REQUIRE(near.queries.size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(near.queries[i] % 2 == near.objects[i]);
}

TEST_CASE("a DETR's output: a guess of all patches, then of the queries after each layer") {
  Generator generator(7);
  Detr model(tiny_config(), generator);
  model.eval();
  const NoGrad no_grad;
  const Tensor images = randn({2, 3, 8, 16}, f32, generator);
  const Output output = model(images, true);
  REQUIRE(output.guesses.size() == 3);
  CHECK(output.guesses[0].logits.shape() == Shape{2, 8, 2});
  CHECK(output.guesses[2].boxes.shape() == Shape{2, 3, 4});
  CHECK(output.attention.shape() == Shape{2, 3, 8});
  for (const double s : sum(output.attention, {-1}).to_vector()) CHECK(s == doctest::Approx(1));
  // With the weights asked for it computes the same.
  CHECK(allclose(model(images).guesses[2].boxes, output.guesses[2].boxes));
  // The surest patches were chosen.
  const std::vector<double> surest = amax(output.guesses[0].logits, {-1}).to_vector();
  std::vector<double> chosen = output.places.chosen.to_vector();
  for (size_t other = 0; other < 8; ++other)
    if (std::find(chosen.begin(), chosen.begin() + 3, static_cast<double>(other)) ==
        chosen.begin() + 3)
      CHECK(surest[other] <= surest[static_cast<size_t>(chosen[2])]);
  CHECK(error_of([&] {
          model(zeros({1, 3, 8, 8}));
        }) == "[detection] images of shape (1, 3, 8, 8): expected (batch, 3, 8, 16)");
}

TEST_CASE("a DETR of sizes that do not fit together is refused") {
  const auto message = [](const std::function<void(Config&)>& change) {
    Config config = tiny_config();
    change(config);
    return error_of([&] { Detr model(config); });
  };
  CHECK(message([](Config& c) { c.queries = 9; }) ==
        "[detection] queries=9 of 8 patches: every query needs a patch of its own");
  CHECK(message([](Config& c) { c.stride = 3; }) ==
        "[detection] stride=3: the stem halves the picture repeatedly, so it must be 2, 4, 8, …");
  CHECK(message([](Config& c) {
          c.image_size = {8, 18};
        }) ==
        "[detection] patches of 4 pixels do not fill an image of 8×18: its sides must be multiples "
        "of the stride");
  CHECK(message([](Config& c) { c.heads = 3; }) ==
        "[detection] heads=3 does not divide width=4: every head gets an equal share of the width; "
        "take another number of heads or width");
  CHECK(message([](Config& c) { c.width = 6; }) ==
        "[detection] width=6: it must be a multiple of 4 and of 2");
  CHECK(message([](Config& c) { c.layers = 0; }) ==
        "[detection] a size is 0: all must be positive");
}

}  // namespace
}  // namespace tarsier::zoo::detection
