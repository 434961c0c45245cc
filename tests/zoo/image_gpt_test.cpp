// The whole Image GPT: gradients, what a block sees, learning, drawing.
#include "zoo/image_gpt/model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "zoo/image_gpt/generate.h"
#include "zoo/image_gpt/pages.h"
#include "zoo/picture/sheet.h"

namespace tarsier::zoo {
namespace {

image_gpt::Config tiny_config() {
  return {.image_size = {4, 6},
          .patch = 2,
          .reach = 2,
          .window = 1,
          .near = 1,
          .width = 8,
          .layers = 2,
          .heads = 2,
          .mlp_width = 6,
          .dropout = 0,
          .changes = 3};
}

/// With weights large enough that everything matters.
void widen(nn::Module& model, Generator& generator) {
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
}

TEST_CASE("the gradient of every weight of a whole Image GPT is right") {
  Generator generator(3);
  image_gpt::ImageGpt model(tiny_config(), generator);
  model.to(f64);
  widen(model, generator);
  const Tensor pixels = randint(0, 2, {2, 4, 6}, generator);
  // What the mask hides of the kernels has a gradient of 0 both ways.
  const Tensor changes = tensor({{1, 0, 1}, {0, 1, 0}}, f64);
  CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return model.loss(pixels, changes); },
                          model.parameters()));
  model.loss(pixels, changes).backward();
  CHECK(nn::check_gradients(model).empty());
}

TEST_CASE("the probabilities of all pictures sum to 1") {
  for (const int64_t patch : {1, 2}) {
    CAPTURE(patch);
    image_gpt::Config config = tiny_config();
    config.image_size = {2, 4};
    config.patch = patch;
    Generator generator(4);
    image_gpt::ImageGpt model(config, generator);
    widen(model, generator);
    std::vector<int64_t> all;
    for (int64_t i = 0; i < 256; ++i)
      for (int64_t bit = 0; bit < 8; ++bit) all.push_back(i >> bit & 1);
    const Tensor pixels = from_vector(all, {256, 2, 4});
    const NoGrad no_grad;
    const Tensor p = log_softmax(model(pixels), 2);
    const Tensor of_blocks = gather(p, 2, unsqueeze(model.kinds(pixels), 2));
    CHECK(sum(exp(sum(of_blocks, 1))).item() == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("a block's logits depend on earlier blocks alone, within reach and window") {
  image_gpt::Config config = tiny_config();
  config.image_size = 12;
  config.layers = 1;
  Generator generator(5);
  image_gpt::ImageGpt model(config, generator);
  widen(model, generator);
  const NoGrad no_grad;
  const Tensor pixels = randint(0, 2, {1, 12, 12}, generator);
  const Tensor logits = model(pixels);
  const int64_t T = model.grid.size();
  REQUIRE(T == 36);
  for (int64_t s = 0; s < T; ++s) {
    CAPTURE(s);
    Tensor other = clone(pixels);
    auto* at = other.data<int64_t>() + s / 6 * 2 * 12 + s % 6 * 2;
    *at = 1 - *at;
    const Tensor changes = amax(abs(model(other) - logits), 2);
    for (int64_t t = 0; t < T; ++t) {
      const double change = select(select(changes, 0, 0), 0, t).item();
      // What a block sees directly lies one block (a reach of 2 pixels) around it. Its attention
      // adds another one around those, and so does each of the two times that it mixes with its
      // neighbours.
      const int64_t up = t / 6 - s / 6, aside = std::abs(t % 6 - s % 6);
      if (s >= t || up > 4 || aside > 4) CHECK(change == 0);
      if (s < t && up <= 1 && aside <= 1) CHECK(change > 0);
    }
  }
}

TEST_CASE("a grid: neighbourhoods, and what lies as far apart gets the same score") {
  image_gpt::Grid grid(5, 4, 1, 4);
  CHECK(grid.sees(9, 9));
  CHECK(grid.sees(9, 8));
  CHECK(grid.sees(9, 4));
  CHECK(grid.sees(9, 6));
  CHECK_FALSE(grid.sees(9, 7));   // two columns to the right
  CHECK_FALSE(grid.sees(9, 10));  // to come
  CHECK_FALSE(grid.sees(9, 1));   // two rows above
  CHECK_FALSE(grid.sees(8, 7));   // before it in reading order, but at the other edge
  CHECK(image_gpt::Grid(5, 4, 0, 4).sees(19, 0));
  Generator generator(6);
  const Tensor q = expand(randn({1, 1, 1, 8}, f64, generator), {1, 1, 20, 8});
  const Tensor k = expand(randn({1, 1, 1, 8}, f64, generator), {1, 1, 20, 8});
  const Tensor scores = matmul(grid.rotated(q, 0), transpose(grid.rotated(k, 0), 2, 3));
  const auto score = [&](int64_t t, int64_t s) {
    return select(select(reshape(scores, {20, 20}), 0, t), 0, s).item();
  };
  CHECK(score(9, 4) == doctest::Approx(score(14, 9)));  // one up, one left
  CHECK(score(9, 4) != doctest::Approx(score(9, 6)));   // one up, one right
  CHECK(score(9, 8) != doctest::Approx(score(9, 5)));   // one left; one up
  const Tensor last = grid.rotated(slice(k, 2, 0, 2), 18);
  CHECK(allclose(last, slice(grid.rotated(k, 0), 2, 18), 1e-12, 1e-12));
}

TEST_CASE(
    "a grid mixes a block with its neighbours on the left and above, and none beyond an edge") {
  const image_gpt::Grid grid(3, 4, 0, 4);
  const Tensor x = reshape(arange(12, f64) + 1, {1, 12, 1});
  const auto mixed = [&](int64_t which, int64_t first) {  // what one of the five adds
    Tensor weights = zeros({5, 1}, f64);
    weights.data<double>()[which] = 1;
    const Tensor before = first == 0 ? zeros({1, 5, 1}, f64) : slice(x, 1, first - 5, first);
    return flatten(grid.nearby(slice(x, 1, first), weights, before, first)).to_vector();
  };
  using Values = std::vector<double>;
  CHECK(mixed(0, 0) == Values{0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 7});
  CHECK(mixed(1, 0) == Values{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(mixed(2, 0) == Values{0, 0, 0, 0, 2, 3, 4, 0, 6, 7, 8, 0});
  CHECK(mixed(3, 0) == Values{0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11});
  CHECK(mixed(4, 0) == Values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(mixed(2, 7) == Values{0, 6, 7, 8, 0});
  CHECK(image_gpt::Grid(3, 4, 0, 4, 2).neighbours() == 13);
  CHECK(image_gpt::Grid(3, 2, 0, 4, 2).neighbours() == 2 * 3 + 2);  // no column is two away
}

TEST_CASE("the model draws as it is: what it was told of changes is added to what it sees") {
  Generator generator(9);
  image_gpt::ImageGpt model(tiny_config(), generator);
  const NoGrad no_grad;
  const Tensor pixels = randint(0, 2, {2, 4, 6}, generator);
  const Tensor plain = model(pixels);
  CHECK((model(pixels, zeros({2, 3}))).to_vector() == plain.to_vector());
  const Tensor told = model(pixels, tensor({{0, 0, 0}, {0, 1, 0}}));
  CHECK(select(told, 0, 0).to_vector() == select(plain, 0, 0).to_vector());
  CHECK_FALSE(allclose(select(told, 0, 1), select(plain, 0, 1), 1e-6, 1e-6));
  CHECK_FALSE(allclose(select(model(pixels, ones({2, 3})), 0, 1), select(told, 0, 1), 1e-6, 1e-6));
}

TEST_CASE("blocks are numbered by their pixels") {
  const image_gpt::ImageGpt model(tiny_config());
  const Tensor pixels = tensor({1, 0, 0, 1, 1, 1,  //
                                0, 0, 1, 0, 1, 1,  //
                                0, 0, 0, 0, 0, 0,  //
                                0, 1, 0, 0, 0, 0},
                               i64);
  CHECK(model.kinds(reshape(pixels, {1, 4, 6})).to_vector() ==
        std::vector<double>{1, 2 + 4, 15, 8, 0, 0});
  CHECK(model.kinds(zeros({3, 2, 6}, i64)).shape() == Shape{3, 3});
  CHECK(image_gpt::Config{.levels = 4, .patch = 2}.kinds() == 256);
  check_error("expected (batch, 4, 6)", [&] { model.kinds(zeros({1, 4, 5}, i64)); });
  check_error("expected (batch, 4, 6)", [&] { model.kinds(zeros({1, 3, 6}, i64)); });
}

TEST_CASE("an Image GPT learns a picture by heart, and completes it") {
  Generator generator(1);
  image_gpt::Config config = tiny_config();
  config.width = 16;
  config.mlp_width = 32;
  image_gpt::ImageGpt model(config, generator);
  const Tensor pixels = randint(0, 2, {1, 4, 6}, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2});
  double loss = 0;
  for (int step = 0; step < 60; ++step) {
    const Tensor now = model.loss(pixels);
    optimizer.zero_grad();
    now.backward();
    optimizer.step();
    if (step == 0) CHECK(now.item() == doctest::Approx(std::log(16)).epsilon(0.05));
    loss = now.item();
  }
  CHECK(loss < 0.02);
  const Tensor half = clone(pixels);
  for (int64_t i = 12; i < 24; ++i) half.data<int64_t>()[i] = 0;
  const Tensor whole = image_gpt::finished(model, half, 3, {.temperature = 0});
  CHECK(whole.to_vector() == pixels.to_vector());
  CHECK(image_gpt::new_drawings(model, 1, {.temperature = 0}).to_vector() == pixels.to_vector());
  CHECK(model.is_training());
}

TEST_CASE("drawing with a cache draws from what the model thinks of the picture") {
  for (const int64_t window : {0, 1}) {
    Generator generator(7);
    image_gpt::Config config = tiny_config();
    config.window = window;
    image_gpt::ImageGpt model(config, generator);
    widen(model, generator);
    const gpt::Sampling sampling{.temperature = 1, .seed = 4};
    const Tensor pixels = image_gpt::new_drawings(model, 3, sampling);
    model.eval();
    const NoGrad no_grad;
    const Tensor logits = model(pixels), kinds = model.kinds(pixels);
    for (int64_t b = 0; b < 3; ++b)
      for (int64_t t = 0; t < 6; ++t) {
        const double u = uniform<double>({4, 0}, static_cast<uint64_t>(6 * b + t));
        CHECK(gpt::sample_index(select(select(logits, 0, b), 0, t).to_vector(), sampling, u) ==
              select(select(kinds, 0, b), 0, t).item<int64_t>());
      }
    // A picture is the same alone; given blocks stay; another seed draws others.
    const Tensor second = slice(pixels, 0, 1, 2);
    CHECK(image_gpt::finished(model, clone(second), 0, sampling, 1).to_vector() ==
          second.to_vector());
    const Tensor given = image_gpt::finished(model, ones({1, 4, 6}, i64), 3, sampling);
    CHECK(slice(given, 1, 0, 2).to_vector() == std::vector<double>(12, 1));
    CHECK(image_gpt::new_drawings(model, 3, {.temperature = 1, .seed = 5}).to_vector() !=
          pixels.to_vector());
  }
  image_gpt::ImageGpt model(tiny_config());
  check_error("a pixel of level 2", [&] {
    image_gpt::finished(model, full({1, 4, 6}, 2, i64), 0, {});
  });
  check_error("a whole picture", [&] {
    image_gpt::new_drawings(model, 1, {}), image_gpt::finished(model, zeros({1, 2, 6}, i64), 0, {});
  });
  image_gpt::Cache cache;
  check_error("call eval()", [&] { model.next(zeros({1, 4, 6}, i64), 0, cache); });
}

TEST_CASE("attention of an Image GPT has rows of 1 within the neighbourhood") {
  Generator generator(8);
  image_gpt::ImageGpt model(tiny_config(), generator);
  const Tensor pixels = randint(0, 2, {1, 4, 6}, generator);
  CHECK_THROWS_AS(model.attention(pixels), Error);
  model.eval();
  const std::vector<Tensor> weights = model.attention(pixels);
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].shape() == Shape{1, 2, 6, 6});
  CHECK(allclose(sum(weights[1], 3), ones({1, 2, 6}), 1e-5, 1e-5));
  CHECK(select(select(weights[0], 3, 2), 2, 3).to_vector() == std::vector<double>{0, 0});
}

TEST_CASE("sizes of an Image GPT that do not fit are refused") {
  const auto error = [](const auto& change) {
    image_gpt::Config config = tiny_config();
    change(config);
    return error_of([&] { image_gpt::ImageGpt model(config); });
  };
  CHECK(error([](auto& c) { c.patch = 4; }).find("do not fill a picture of 4 × 6") !=
        std::string::npos);
  CHECK(error([](auto& c) { c.width = 12; }).find("a multiple of 4") != std::string::npos);
  CHECK(error([](auto& c) { c.levels = 5; }).find("up to 256 kinds") != std::string::npos);
  CHECK(error([](auto& c) { c.levels = 1; }).find("at least 2 levels") != std::string::npos);
  CHECK(error([](auto& c) { c.layers = 0; }).find("must be positive") != std::string::npos);
}

TEST_CASE("pictures as text, and completed") {
  CHECK(as_text({1, 3, 4, {0, 255, 0, 255, 0, 0, 255, 255, 255, 0, 0, 0}}) ==
        " ▀▄█\n▀   \n");
  image_gpt::ImageGpt model(tiny_config());
  const Tensor pixels = ones({1, 4, 6}, i64);
  const std::vector<Picture> row = image_gpt::completed(model, pixels, 3, {.temperature = 1});
  REQUIRE(row.size() == 5);
  CHECK(row[0].pixels == std::vector<uint8_t>(24, 255));
  CHECK(row[1].at(0, 1, 5) == 255);
  CHECK(row[1].at(0, 2, 0) == 64);
  for (size_t i = 2; i < 5; ++i) CHECK(row[i].at(0, 1, 5) == 255);
}

}  // namespace
}  // namespace tarsier::zoo
