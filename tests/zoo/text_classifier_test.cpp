// The model of the text classifier.
#include "zoo/text_classifier/model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

text_classifier::Config tiny_config(text_classifier::Pooling pooling) {
  return {.vocab_size = 9,
          .classes = 3,
          .max_length = 6,
          .width = 4,
          .layers = 2,
          .heads = 2,
          .mlp_width = 5,
          .pairs = 3,
          .dropout = 0,
          .pooling = pooling};
}

/// Two texts of 5 and 3 tokens.
Tensor two_texts() { return from_vector<int64_t>({2, 4, 5, 8, 4, 2, 7, 4, 0, 0}, {2, 5}); }
Tensor their_padding() {
  return from_vector<int64_t>({0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {2, 5}) == 1.0;
}

/// Of these, 4 after 2 and 5 after 4 are pairs.
const std::vector<std::vector<int32_t>> kPairTexts = {{2, 4, 5, 8, 4}, {2, 4, 5, 7, 4}};

template <class Check>
void for_each_pooling(const Check& check) {
  for (const text_classifier::Pooling pooling :
       {text_classifier::Pooling::mean, text_classifier::Pooling::class_token}) {
    CAPTURE(static_cast<int>(pooling));
    check(tiny_config(pooling));
    text_classifier::Config bert = tiny_config(pooling);
    bert.post_norm = true;
    bert.position = nn::PositionKind::learned;
    check(bert);
  }
}

TEST_CASE("the gradient of every weight of a whole text classifier is right, with padding") {
  for_each_pooling([](const text_classifier::Config& config) {
    Generator generator(3);
    text_classifier::TextClassifier model(config, generator);
    model.choose_pairs(kPairTexts);
    model.to(f64);
    // At the initial sizes much is nearly linear: larger weights find more.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    CHECK_NOTHROW(
        gradcheck([&](const std::vector<Tensor>&) { return model(two_texts(), their_padding()); },
                  model.parameters()));
  });
}

TEST_CASE("a text classifier's answer does not depend on the padding after the text") {
  for_each_pooling([](const text_classifier::Config& config) {
    Generator generator(4);
    text_classifier::TextClassifier model(config, generator);
    model.choose_pairs(kPairTexts);
    model.to(f64);
    model.eval();
    const NoGrad no_grad;
    const Tensor together = model(two_texts(), their_padding());
    const Tensor alone = model(from_vector<int64_t>({2, 7, 4}, {1, 3}),
                               from_vector<int64_t>({0, 0, 0}, {1, 3}) == 1.0);
    CHECK(allclose(select(together, 0, 1), select(alone, 0, 0), 1e-12));
    // Nor on the padding token; but it depends on the text.
    Tensor other = two_texts();
    other.data<int64_t>()[9] = 8;
    CHECK(allclose(model(other, their_padding()), together, 1e-12));
    other.data<int64_t>()[6] = 8;
    CHECK_FALSE(allclose(model(other, their_padding()), together, 1e-3));
  });
}

TEST_CASE("the order of the words counts for a text classifier, by positions and by pairs") {
  for (const bool by_pairs : {false, true}) {
    text_classifier::Config config = tiny_config(text_classifier::Pooling::mean);
    if (by_pairs) config.position = nn::PositionKind::none;
    if (!by_pairs) config.pairs = 0;
    Generator generator(5);
    text_classifier::TextClassifier model(config, generator);
    model.choose_pairs({{2, 4, 7}, {2, 4, 7}});
    model.to(f64);
    model.eval();
    const NoGrad no_grad;
    const Tensor none = from_vector<int64_t>({0, 0, 0}, {1, 3}) == 1.0;
    CHECK_FALSE(allclose(model(from_vector<int64_t>({2, 4, 7}, {1, 3}), none),
                         model(from_vector<int64_t>({2, 7, 4}, {1, 3}), none), 1e-4));
  }
}

TEST_CASE("a text classifier's pairs are the most frequent ones that occur twice or more") {
  text_classifier::Config config = tiny_config(text_classifier::Pooling::mean);
  const auto keys = [&](int64_t pairs, const std::vector<std::vector<int32_t>>& texts) {
    config.pairs = pairs;
    text_classifier::TextClassifier model(config);
    model.choose_pairs(texts);
    return model.pair_keys.to_vector<int64_t>();
  };
  // before · 9 + token: (2, 4) and (4, 5); the others occur once.
  CHECK(keys(3, kPairTexts) == std::vector<int64_t>{-1, 22, 41});
  CHECK(keys(1, kPairTexts) == std::vector<int64_t>{22});
  CHECK(keys(1, {{4, 5, 4, 5, 2, 4, 5}, {2, 4}}) == std::vector<int64_t>{41});
  CHECK(keys(2, {}) == std::vector<int64_t>{-1, -1});
  // Pairs without a row of their own share row 0.
  config.pairs = 3;
  text_classifier::TextClassifier model(config);
  model.choose_pairs(kPairTexts);
  const NoGrad no_grad;
  nn::zeros_(model.pair_embedding->weight);
  const Tensor none = zeros({1, 4}) == 1.0, text = from_vector<int64_t>({2, 4, 5, 8}, {1, 4});
  const auto changes = [&](int64_t row) {
    model.eval();
    const Tensor before = model(text, none);
    nn::normal_(select(model.pair_embedding->weight.detach(), 0, row));
    const Tensor after = model(text, none);
    nn::zeros_(model.pair_embedding->weight);
    return !allclose(before, after, 1e-6);
  };
  CHECK(changes(0));
  CHECK_FALSE(changes(1));
  CHECK(changes(2));
  CHECK(changes(3));
}

TEST_CASE("a text classifier starts from how often a word occurs in texts of each class") {
  text_classifier::Config config = tiny_config(text_classifier::Pooling::mean);
  config.classes = 2;
  config.embedding_scale = 5;
  Generator generator(7), directions(8), same(8);
  text_classifier::TextClassifier model(config, generator);
  model.choose_pairs(kPairTexts);
  const Tensor tokens = clone(model.embedding.weight.detach()),
               pairs = clone(model.pair_embedding->weight.detach());
  // Token 8 occurs once in class 0, token 4 twice in class 0 and twice in class 1, …
  model.start_from_counts(kPairTexts, {0, 1}, 0.5, directions);
  const Tensor u = randn({2, 4}, f64, same);
  const std::vector<double> towards = (select(u, 0, 0) - select(u, 0, 1)).to_vector();
  const auto check_row = [&](const Tensor& after, const Tensor& before, int64_t row, double r) {
    const std::vector<double> change = select(to(after.detach() - before, f64), 0, row).to_vector();
    for (size_t i = 0; i < change.size(); ++i)
      CHECK(change[i] == doctest::Approx(0.5 / 5 * r * towards[i]).epsilon(1e-4));
  };
  // Both texts have 5 tokens, so the sums are equal: r is the ratio of 2 + the count.
  check_row(model.embedding.weight, tokens, 8, std::log(3.0 / 2));
  check_row(model.embedding.weight, tokens, 7, std::log(2.0 / 3));
  check_row(model.embedding.weight, tokens, 4, 0);
  check_row(model.pair_embedding->weight, pairs, 2, 0);
}

TEST_CASE("a text classifier memorises one batch") {
  for_each_pooling([](text_classifier::Config config) {
    config.width = 16;
    Generator generator(6);
    text_classifier::TextClassifier model(config, generator);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    const Tensor texts = randint(4, 9, {8, 6}, generator), labels = randint(0, 3, {8}, generator);
    const Tensor padding = zeros({8, 6}) == 1.0;
    double loss = 0;
    for (int step = 0; step < 150; ++step) {
      optimizer.zero_grad();
      const Tensor y = cross_entropy(model(texts, padding), labels);
      y.backward();
      optimizer.step();
      loss = y.item();
    }
    CHECK(loss < 0.01);
  });
}

TEST_CASE("a text classifier refuses sizes that do not fit, and names them") {
  check_error("heads=3 does not divide width=16",
              [] { text_classifier::TextClassifier model({.width = 16, .heads = 3}); });
  text_classifier::Config config = tiny_config(text_classifier::Pooling::mean);
  const Tensor longer = zeros({1, 7}, i64), none = zeros({1, 7}) == 1.0;
  config.position = nn::PositionKind::learned;
  text_classifier::TextClassifier learned(config);
  check_error("(B, T) with T up to max_length 6", [&] { learned(longer, none); });
  config.position = nn::PositionKind::sinusoidal;  // which have no end
  text_classifier::TextClassifier endless(config);
  CHECK(endless(longer, none).size(1) == config.classes);
}

}  // namespace
}  // namespace tarsier::zoo
