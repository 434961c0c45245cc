// The whole BERT: gradients, names, learning, padding, errors.
#include "zoo/bert/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

bert::Config tiny_config() {
  return {.vocab_size = 6,
          .hidden_size = 4,
          .num_hidden_layers = 2,
          .num_attention_heads = 2,
          .intermediate_size = 5,
          .dropout = 0,
          .max_position_embeddings = 4};
}

Tensor integers(const std::vector<int64_t>& values, const Shape& shape) {
  return from_vector(values, shape);
}

/// Two texts, the second of two tokens.
struct Texts {
  Tensor index = integers({1, 4, 2, 5, 3, 1, 0, 0}, {2, 4});
  bert::Inputs inputs{.padding_mask = index == 0,
                      .token_types = integers({0, 0, 1, 1, 0, 1, 0, 0}, {2, 4})};
};

TEST_CASE("the gradient of every weight of a whole BERT is right") {
  const auto check_model = [](nn::Module& model, auto&& forward) {
    Generator generator(3);
    model.to(f64);
    // At the initial 0.02 everything is nearly linear: larger weights find more.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    CHECK_NOTHROW(
        gradcheck([&](const std::vector<Tensor>&) { return forward(); }, model.parameters()));
  };
  const auto [index, inputs] = Texts();
  bert::BertForMaskedLM masked(tiny_config());
  check_model(masked, [&] { return masked(index, inputs); });
  const Tensor targets = integers({3, 4, 1, 5, 3, 2, 0, 0}, {2, 4}),
               places = integers({0, 2, 5}, {3});
  check_model(masked, [&] { return masked.loss(index, targets, places, inputs); });
  bert::BertForSequenceClassification classifier(tiny_config(), 3);
  check_model(classifier, [&] { return classifier(index, inputs); });
}

TEST_CASE("a BERT learns one batch by heart") {
  bert::Config config = tiny_config();
  config.hidden_size = 16;
  const auto last_loss = [](const nn::Module& model, auto&& forward) {
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    double last = 0;
    for (int step = 0; step < 150; ++step) {
      optimizer.zero_grad();
      const Tensor loss = forward();
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
    return last;
  };
  Generator generator(4);
  // All tokens are equal, as if all were hidden: only the positions tell which token was there.
  bert::BertForMaskedLM masked(config, generator);
  const Tensor hidden = full({1, 4}, 5, i64), targets = integers({1, 4, 2, 3}, {4});
  CHECK(last_loss(masked, [&] { return cross_entropy(flatten(masked(hidden), 0, 1), targets); }) <
        0.01);
  bert::BertForSequenceClassification classifier(config, 3, generator);
  const Tensor index = randint(1, 6, {6, 4}, generator), labels = randint(0, 3, {6}, generator);
  CHECK(last_loss(classifier, [&] { return cross_entropy(classifier(index), labels); }) < 0.01);
}

TEST_CASE("a masked BERT learns only from the hidden places") {
  Generator generator(6);
  bert::BertForMaskedLM model(tiny_config(), generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
  model.eval();
  const auto [index, inputs] = Texts();
  const std::vector<int64_t> hidden = {1, 2, 5};
  const Tensor places = from_vector(hidden, {3}),
               targets = integers({1, 4, 3, 5, 3, 2, 0, 0}, {2, 4});
  const auto loss_of = [&](const Tensor& t) { return model.loss(index, t, places, inputs).item(); };
  const double loss = loss_of(targets);
  for (int64_t place = 0; place < 8; ++place) {
    CAPTURE(place);
    const Tensor changed = clone(targets);
    changed.data<int64_t>()[place] = (changed.data<int64_t>()[place] + 1) % 6;
    const bool counts = std::find(hidden.begin(), hidden.end(), place) != hidden.end();
    CHECK((loss_of(changed) != loss) == counts);
  }
  // The logits at the places are those of the whole text there, and the loss is their mean.
  const Tensor all = flatten(model(index, inputs), 0, 1);
  CHECK(allclose(model.logits_at(index, places, inputs), index_select(all, 0, places), 1e-5, 1e-6));
  CHECK(loss == doctest::Approx(
                    cross_entropy(index_select(all, 0, places), integers({4, 3, 2}, {3})).item())
                    .epsilon(1e-5));
  CHECK(error_of([&] {
          model.loss(index, zeros({2, 3}, i64), places);
        }) == "[bert] targets of shape (2, 3): expected that of the indices, (2, 4)");
}

TEST_CASE("the attention of every layer and head sums to 1, and leaves padding out") {
  bert::Bert model(tiny_config());
  model.eval();
  const auto [index, inputs] = Texts();
  const std::vector<Tensor> weights = model.attention(index, inputs);
  REQUIRE(weights.size() == 2);
  for (const Tensor& layer : weights) {
    REQUIRE(layer.shape() == Shape{2, 2, 4, 4});
    CHECK(allclose(sum(layer, -1), ones({2, 2, 4}), 1e-5));
    CHECK(max(slice(slice(layer, 0, 1, 2), 3, 2, 4)).item() == 0);
  }
}

TEST_CASE("padding after a text does not matter") {
  Generator generator(5);
  bert::BertForSequenceClassification model(tiny_config(), 3, generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
  model.eval();
  const NoGrad guard;
  const auto [index, inputs] = Texts();
  const auto& [padding, types] = inputs;
  const Tensor expected = model(index, inputs);
  const Tensor other = integers({1, 4, 2, 5, 3, 1, 5, 4}, {2, 4});
  CHECK(model(other, inputs).to_vector() == expected.to_vector());
  CHECK_FALSE(allclose(model(other, {.token_types = types}), expected, 1e-3));
  // The length of the padding does not matter either.
  const auto second_text = [](const Tensor& x) { return slice(slice(x, 0, 1), 1, 0, 2); };
  const Tensor alone = model(second_text(index), {.token_types = second_text(types)});
  CHECK(allclose(alone, slice(expected, 0, 1), 1e-5, 1e-6));
  // Without token types all are 0; the types and the order of the words count.
  CHECK(model(index).to_vector() == model(index, {.token_types = zeros_like(index)}).to_vector());
  CHECK_FALSE(allclose(model(index, {.padding_mask = padding}), expected, 1e-3));
  CHECK_FALSE(allclose(model(flip(index, 1)), model(index), 1e-3));
}

TEST_CASE("the word embeddings are the decoder, and the weights start as BERT's") {
  Generator generator(1);
  bert::Config config;
  config.num_hidden_layers = 1;
  config.hidden_size = 240;
  config.vocab_size = 1000;
  const bert::BertForMaskedLM model(config, generator);
  CHECK(model.decoder.weight.impl() == model.bert.word_embeddings.weight.impl());
  CHECK_FALSE(model.bert.pooler.has_value());
  const TensorDict state = model.state_dict();
  CHECK(state.contains("bert.encoder.layers.0.self_attn.in_proj_weight"));
  CHECK(state.contains("decoder.weight"));
  // 100,000 draws and more: the deviation is known to about 0.2 %.
  for (const auto& [name, parameter] : model.named_parameters()) {
    CAPTURE(name);
    if (parameter.dim() == 2 && parameter.numel() > 100'000) {
      CHECK(stddev(parameter).item() == doctest::Approx(0.02).epsilon(0.01));
    } else if (parameter.dim() == 1) {
      const bool is_scale = name.find("norm") != name.npos && name.ends_with("weight");
      CHECK(min(parameter).item() == (is_scale ? 1 : 0));
      CHECK(max(parameter).item() == (is_scale ? 1 : 0));
    }
  }
  // bert-base-uncased has 110 million: https://huggingface.co/google-bert/bert-base-uncased
  const nn::NoInit guard;
  CHECK(bert::Bert(bert::Config()).num_parameters() == 109'482'240);
}

TEST_CASE("a BERT refuses what does not fit, and names it") {
  bert::Config config = tiny_config();
  config.num_attention_heads = 3;
  CHECK(error_of([&] { bert::Bert model(config); }) ==
        "[bert] num_attention_heads=3 does not divide hidden_size=4: every head gets an equal "
        "share of the width");
  config = tiny_config();
  config.type_vocab_size = 0;
  bert::Bert plain(config);
  CHECK_FALSE(plain.state_dict().contains("token_type_embeddings.weight"));
  CHECK(plain(Texts().index).shape() == Shape{2, 4, 4});
  CHECK(error_of([&] { plain(Texts().index, Texts().inputs); }).find("has no token types") !=
        std::string::npos);
  config.num_attention_heads = 0;
  CHECK(error_of([&] { bert::Bert model(config); }).find("all must be positive") !=
        std::string::npos);

  bert::Bert model(tiny_config());
  const Tensor index = Texts().index;
  const auto error = [&](const Tensor& index, const bert::Inputs& inputs = {}) {
    return error_of([&] { model(index, inputs); });
  };
  CHECK(error(zeros({2, 5}, i64)) ==
        "[bert] indices of shape (2, 5): expected (batch, T) with T from 1 to 4, "
        "max_position_embeddings");
  CHECK(error(zeros({2, 0}, i64)).find("T from 1 to 4") != std::string::npos);
  CHECK(error(zeros({4}, i64)).find("T from 1 to 4") != std::string::npos);
  CHECK(error(index, {.padding_mask = zeros({2, 3}, boolean)}) ==
        "[bert] padding_mask of shape (2, 3): expected that of the indices, (2, 4)");
  CHECK(error(index, {.padding_mask = index}).find("must be bool") != std::string::npos);
  CHECK(error(index, {.token_types = zeros({2, 3}, i64)}).find("token_types of shape (2, 3)") !=
        std::string::npos);
  CHECK(error(index, {.token_types = index}).find("in token_type_embeddings") != std::string::npos);
  CHECK(error(index + 2).find("in word_embeddings") != std::string::npos);
}

}  // namespace
}  // namespace tarsier::zoo
