// The whole Diffusion Transformer: gradients, learning, guidance, drawing.
#include "zoo/diffusion/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/threads.h"
#include "zoo/data/digits.h"
#include "zoo/diffusion/examples.h"
#include "zoo/diffusion/flow.h"
#include "zoo/diffusion/generate.h"
#include "zoo/diffusion/neighbours.h"

namespace tarsier::zoo {
namespace {

using namespace diffusion;

diffusion::Config tiny_config() {
  return {.image_size = {4, 6},
          .channels = 2,
          .classes = 3,
          .patch = 2,
          .reach = 1,
          .width = 8,
          .layers = 2,
          .heads = 2,
          .mlp_width = 6};
}

/// With weights large enough that everything matters, those that start at zero included.
void widen(nn::Module& model, Generator& generator) {
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.4, generator);
}

Batch some_batch(DType dtype, Generator& generator) {
  return {{{"pictures", randn({2, 2, 4, 6}, dtype, generator)},
           {"noise", randn({2, 2, 4, 6}, dtype, generator)},
           {"times", rand({2}, dtype, generator)},
           {"labels", tensor({1, 3}, i64)}},
          2};
}

TEST_CASE("the gradient of every weight of a whole Diffusion Transformer is right") {
  for (const int64_t reach : {0, 1}) {
    CAPTURE(reach);
    Config config = tiny_config();
    config.reach = reach;
    config.width = 4;
    config.layers = 1;
    Generator generator(3);
    DiffusionTransformer model(config, generator);
    model.to(f64);
    widen(model, generator);
    const Batch batch = some_batch(f64, generator);
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return flow_loss(model, batch); },
                            model.parameters()));
    flow_loss(model, batch).backward();
    CHECK(nn::check_gradients(model).empty());
  }
}

TEST_CASE("a new Diffusion Transformer says velocity 0, and its layers change nothing") {
  Generator generator(4);
  DiffusionTransformer model(tiny_config(), generator);
  const Batch batch = some_batch(f32, generator);
  const NoGrad no_grad;
  CHECK(amax(abs(model(batch["pictures"], batch["times"], batch["labels"]))).item() == 0);
  const Tensor x = randn({2, 6, 8}, f32, generator), c = randn({2, 8}, f32, generator);
  CHECK(model.layers[0](x, c).to_vector() == x.to_vector());
}

TEST_CASE("a layer: each branch has its own shift, scale and gate, from the condition") {
  Generator generator(11);
  DiffusionTransformer model(tiny_config(), generator);
  model.to(f64);
  widen(model, generator);
  const Tensor x = randn({2, 6, 8}, f64, generator), c = randn({2, 8}, f64, generator);
  const NoGrad no_grad;
  Block& block = model.layers[1];
  const Tensor m =
      matmul(silu(c), transpose(block.modulation.weight, 0, 1)) + block.modulation.bias;  // (2, 48)
  const auto part = [&](int64_t i) { return reshape(slice(m, 1, 8 * i, 8 * i + 8), {2, 1, 8}); };
  const auto normed = [](const Tensor& y) {
    const Tensor centred = y - mean(y, 2, true);
    return centred / sqrt(mean(square(centred), 2, true) + 1e-6);
  };
  const Tensor seen = normed(x) * (1 + part(1)) + part(0);
  const Tensor y = x + part(2) * block.attn(seen, seen, seen);
  const Tensor inside = gelu(block.linear1(normed(y) * (1 + part(4)) + part(3)), "tanh");
  const Tensor expected = y + part(5) * block.linear2(inside);
  CHECK(allclose(block(x, c), expected, 1e-9, 1e-9));
}

TEST_CASE("all weights of a Diffusion Transformer learn after a few steps") {
  Generator generator(5);
  DiffusionTransformer model(tiny_config(), generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2});
  for (int step = 1; step <= 3; ++step) {
    optimizer.zero_grad();
    // Every class occurs, and the one for any.
    Batch batch = some_batch(f32, generator);
    batch.tensors = {{"pictures", cat({batch["pictures"], batch["pictures"]})},
                     {"noise", randn({4, 2, 4, 6}, f32, generator)},
                     {"times", rand({4}, f32, generator)},
                     {"labels", tensor({0, 1, 2, 3}, i64)}};
    flow_loss(model, batch).backward();
    CHECK(nn::check_gradients(model).zero.empty() == (step == 3));
    optimizer.step();
  }
}

TEST_CASE("time, class and place matter to a Diffusion Transformer") {
  Generator generator(6);
  DiffusionTransformer model(tiny_config(), generator);
  widen(model, generator);
  const NoGrad no_grad;
  const Tensor x = randn({1, 2, 4, 6}, f32, generator);
  const auto v = [&](double t, int64_t label) {
    return model(x, full({1}, t), full({1}, static_cast<double>(label), i64)).to_vector();
  };
  CHECK(v(0.2, 1) == v(0.2, 1));
  CHECK(v(0.2, 1) != v(0.3, 1));
  CHECK(v(0.2, 1) != v(0.2, 2));
  CHECK(v(0.2, 1) != v(0.2, 3));
  // Equal patches at different places, seen from far enough inside: positions differ.
  Config config = tiny_config();
  config.image_size = 4;
  config.reach = 0;
  DiffusionTransformer same(config, generator);
  widen(same, generator);
  const Tensor y = same(ones({1, 2, 4, 4}), full({1}, 0.5), zeros({1}, i64));
  CHECK(slice(slice(y, 2, 0, 2), 3, 0, 2).to_vector() !=
        slice(slice(y, 2, 0, 2), 3, 2).to_vector());
  CHECK(slice(slice(y, 2, 0, 2), 3, 0, 2).to_vector() !=
        slice(slice(y, 2, 2), 3, 0, 2).to_vector());
}

TEST_CASE("a Diffusion Transformer learns two pictures by heart, and draws each by its class") {
  Generator generator(1);
  Config config = tiny_config();
  config.channels = 1;
  config.width = 32;
  config.mlp_width = 64;
  config.classes = 2;
  DiffusionTransformer model(config, generator);
  const Tensor two = where(randint(0, 2, {2, 1, 4, 6}, generator) > 0, ones({2, 1, 4, 6}),
                           full({2, 1, 4, 6}, -1.0));
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2});
  for (int step = 0; step < 150; ++step) {
    std::vector<Tensor> pictures(8, two);
    const Batch batch{{{"pictures", cat(pictures)},
                       {"noise", randn({16, 1, 4, 6}, f32, generator)},
                       {"times", rand({16}, f32, generator)},
                       {"labels", remainder(arange(16), full({16}, 2, i64))}},
                      16};
    const Tensor loss = flow_loss(model, batch);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step == 0) CHECK(loss.item() == doctest::Approx(2).epsilon(0.15));  // v is 0 at first
  }
  const Tensor drawn = new_pictures(model, {0, 1, 0}, {.steps = 10, .guidance = 1, .seed = 3});
  CHECK(sign(drawn).to_vector() == cat({two, slice(two, 0, 0, 1)}).to_vector());
  CHECK(mean(abs(drawn - cat({two, slice(two, 0, 0, 1)}))).item() < 0.2);
  CHECK(model.is_training());
}

TEST_CASE("guidance goes from any class through the class asked for, and beyond") {
  Generator generator(7);
  DiffusionTransformer model(tiny_config(), generator);
  widen(model, generator);
  const NoGrad no_grad;
  const Tensor x = randn({2, 2, 4, 6}, f32, generator), labels = tensor({0, 2}, i64);
  const auto field = [&](double guidance) { return guided_field(model, labels, guidance)(x, 0.3); };
  const Tensor times = full({2}, 0.3);
  const Tensor any = model(x, times, full({2}, 3, i64)), of_class = model(x, times, labels);
  CHECK(field(1).to_vector() == of_class.to_vector());
  CHECK(field(0).to_vector() == any.to_vector());
  CHECK(allclose(field(2.5), any + (of_class - any) * 2.5, 1e-4, 1e-5));
  CHECK(allclose(field(1 + 1e-9), of_class, 1e-4, 1e-5));  // both passes at once say the same
  for (const double wrong : {-1.0, std::nan(""), HUGE_VAL})
    check_error("give a number from 0 up", [&] { guided_field(model, labels, wrong); });
}

TEST_CASE("drawing: a seed and a number give a picture, with any threads and in any company") {
  Generator generator(8);
  DiffusionTransformer model(tiny_config(), generator);
  widen(model, generator);
  const Sampling sampling{.steps = 3, .guidance = 2, .seed = 5};
  const std::vector<int64_t> labels = {0, 1, 2, 1};
  const Tensor drawn = new_pictures(model, labels, sampling);
  CHECK(drawn.shape() == Shape{4, 2, 4, 6});
  {
    const Threads used(3);
    CHECK(new_pictures(model, labels, sampling).to_vector() == drawn.to_vector());
  }
  CHECK(allclose(new_pictures(model, {0, 1}, sampling), slice(drawn, 0, 0, 2), 1e-4, 1e-5));
  Sampling other = sampling;
  other.seed = 6;
  CHECK(new_pictures(model, labels, other).to_vector() != drawn.to_vector());
  CHECK(noise_of(model.config, 2, 5, 1).to_vector() ==
        slice(noise_of(model.config, 3, 5), 0, 1).to_vector());
  std::vector<double> times;
  new_pictures(model, labels, sampling, [&](const Tensor&, double t) { times.push_back(t); });
  CHECK(times.size() == 4);
  CHECK(times.back() == 1);
}

TEST_CASE("variations of a picture: all of it, some of it, nothing of it") {
  Generator generator(9);
  DiffusionTransformer model(tiny_config(), generator);
  widen(model, generator);
  const Tensor picture = rand({2, 4, 6}, f32, generator);
  const Sampling sampling{.steps = 2, .guidance = 1, .seed = 5};
  const Tensor kept = variations(model, picture, {0, 1}, 0, sampling);
  CHECK(allclose(kept, expand(picture, {2, 2, 4, 6}), 1e-6, 1e-6));
  CHECK(variations(model, picture, {0, 1}, 1, sampling).to_vector() ==
        new_pictures(model, {0, 1}, sampling).to_vector());
  CHECK(variations(model, picture, {0}, 0.5, sampling).to_vector() !=
        slice(kept, 0, 0, 1).to_vector());
  check_error("give a number from 0 to 1", [&] { variations(model, picture, {0}, 1.5, sampling); });
}

TEST_CASE("points on lines, times, and pictures as bytes") {
  const Tensor noise = full({2, 1, 1, 1}, 4), pictures = full({2, 1, 1, 1}, 8);
  CHECK(on_line(noise, pictures, tensor({0.0, 0.25}, f32)).to_vector() ==
        std::vector<double>{4, 5});
  Generator generator(10);
  for (const double spread : {0.0, 1.0}) {
    const Tensor times = random_times(4000, spread, generator);
    CHECK(mean(times).item() == doctest::Approx(0.5).epsilon(0.03));
    // P(|z| < 1) of the normal distribution, and sigmoid(±1) as limits.
    const Tensor inside = to(abs(times - 0.5) < 1 / (1 + std::exp(-1.0)) - 0.5, f32);
    CHECK(mean(inside).item() == doctest::Approx(spread == 0 ? 0.462 : 0.683).epsilon(0.05));
  }
  const Tensor x =
      reshape(tensor({-1.5, -1.0, -1.0 + 1.5 / 128, 0.0, 0.999, 7.0}, f32), {1, 1, 2, 3});
  CHECK(pictures_of(x).front().pixels == std::vector<uint8_t>{0, 0, 1, 128, 255, 255});
  // Bytes spread over their intervals come back.
  const Images digits = draw_digits(3, {1, 0}, 8);
  const Tensor spread = spread_pictures(digits, {0, 1, 2}, generator);
  for (int64_t i = 0; i < 3; ++i)
    CHECK(pictures_of(spread)[static_cast<size_t>(i)].pixels == digits.picture(i).pixels);
}

TEST_CASE("a batch for training hides some classes, and depends on seed and number") {
  Config config = tiny_config();
  config.image_size = 8;
  config.channels = 1;
  config.classes = 10;
  const Images digits = draw_digits(100, {1, 0}, 8);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < 2000; ++i) chosen.push_back(i % 100);
  const auto batch = [&](const Drawing& drawing, uint64_t seed, int64_t number) {
    return training_batch(config, digits, chosen, drawing, seed, number);
  };
  const Batch one = batch({.class_dropout = 0.2}, 1, 1);
  const std::vector<int64_t> labels = one["labels"].to_vector<int64_t>();
  double hidden = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == 10)
      ++hidden;
    else
      REQUIRE(labels[i] == digits.labels[static_cast<size_t>(chosen[i])]);
  }
  CHECK(hidden / 2000 == doctest::Approx(0.2).epsilon(0.15));
  CHECK(sum(batch({.class_dropout = 0}, 1, 1)["labels"] == 10).item<int64_t>() == 0);
  CHECK(sum(batch({.class_dropout = 1}, 1, 1)["labels"] == 10).item<int64_t>() == 2000);
  for (const char* name : {"pictures", "noise", "times", "labels"}) {
    CHECK(one[name].to_vector() == batch({.class_dropout = 0.2}, 1, 1)[name].to_vector());
    CHECK(one[name].to_vector() != batch({.class_dropout = 0.2}, 1, 2)[name].to_vector());
    CHECK(one[name].to_vector() != batch({.class_dropout = 0.2}, 2, 1)[name].to_vector());
  }
}

TEST_CASE("the nearest picture: itself, and else the one with the closest pixels") {
  const Images some = draw_digits(30, {1, 0}, 8), others = draw_digits(5, {2, 0}, 8);
  const std::vector<Neighbour> own = nearest(some, some);
  for (int64_t i = 0; i < 30; ++i) {
    CHECK(own[static_cast<size_t>(i)].index == i);
    CHECK(own[static_cast<size_t>(i)].distance == 0);
  }
  const std::vector<Neighbour> found = nearest(others, some);
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < 30; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < 64; ++p)
        sum += std::pow((others.image(i)[p] - some.image(j)[p]) / 255.0, 2);
      const Neighbour& nearest = found[static_cast<size_t>(i)];
      CHECK(nearest.distance <= std::sqrt(sum) + 1e-9);
      if (j == nearest.index) CHECK(nearest.distance == doctest::Approx(std::sqrt(sum)));
    }
  // Found among many as well, wherever it is.
  const Images many = draw_digits(1100, {1, 0}, 8);
  const std::vector<Neighbour> early = nearest(some, many),
                               late = nearest(select(many, {1099}, 0, 1), many);
  for (int64_t i = 0; i < 30; ++i) CHECK(early[static_cast<size_t>(i)].index == i);
  CHECK(late[0].index == 1099);
  check_error("some of the same size", [&] { nearest(some, draw_digits(3, {1, 0}, 9)); });
  check_error("some of the same size", [&] { nearest(some, {}); });
}

TEST_CASE("sizes of a Diffusion Transformer that do not fit are refused") {
  const auto error = [](const auto& change) {
    Config config = tiny_config();
    change(config);
    return error_of([&] { DiffusionTransformer model(config); });
  };
  CHECK(error([](auto& c) { c.patch = 4; }).find("do not fill a picture of 4 × 6") !=
        std::string::npos);
  CHECK(error([](auto& c) { c.heads = 3; }).find("does not divide width=8") != std::string::npos);
  CHECK(error([](auto& c) { c.width = 6; }).find("a multiple of 4") != std::string::npos);
  CHECK(error([](auto& c) { c.layers = 0; }).find("must be positive") != std::string::npos);
  CHECK(error([](auto& c) { c.reach = -1; }).find("give 0 or more") != std::string::npos);
  DiffusionTransformer model(tiny_config());
  check_error("expected (batch, 2, 4, 6)", [&] {
    model(zeros({1, 2, 4, 4}), zeros({1}), zeros({1}, i64));
  });
  check_error("one of each", [&] { model(zeros({1, 2, 4, 6}), zeros({2}), zeros({1}, i64)); });
  check_error("[embedding]", [&] { model(zeros({1, 2, 4, 6}), zeros({1}), full({1}, 4, i64)); });
}

}  // namespace
}  // namespace tarsier::zoo
