// Llama's family: the angles of rotary positions, the gradient of the model, the cache.
#include "zoo/llama/model.h"

#include <doctest/doctest.h>

#include "autograd/base/random.h"
#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "zoo/llama/rope.h"

namespace tarsier::zoo {
namespace {

using llama::Rope;
using Kind = llama::Rope::Kind;

llama::Config tiny_llama() {
  llama::Config config;
  config.vocab_size = 5;
  config.hidden_size = 6;
  config.intermediate_size = 7;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 4;
  config.qk_norm = true;
  config.qkv_bias = true;
  config.windows = {2, {}};
  return config;
}

/// A model with weights that are not nearly linear.
std::unique_ptr<llama::Llama> random_model(const llama::Config& config) {
  auto model = std::make_unique<llama::Llama>(config);
  Generator generator(7);
  for (const Tensor& parameter : model->parameters()) nn::normal_(parameter, 0, 0.5, generator);
  model->eval();
  return model;
}

/// Whether the angles of heads of size 8 are transformers' (observed with 5.23).
void check_angles(const Rope& rope, int64_t length, const std::vector<double>& expected) {
  const std::vector<double> angles = llama::rope_frequencies(rope, 8, length);
  REQUIRE(angles.size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(angles[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("the angles of every kind of rotary positions are transformers'") {
  Rope rope;
  check_angles(rope, 100, {1, 0.1, 0.01, 0.001});
  rope = {.kind = Kind::linear, .factor = 4};
  check_angles(rope, 100, {0.25, 0.025, 0.0025, 0.00025});
  CHECK(llama::rope_scale(rope) == 1);

  rope = {.kind = Kind::dynamic, .factor = 2, .longest = 16};
  check_angles(rope, 16, {1, 0.1, 0.01, 0.001});
  check_angles(rope, 17, {1, 0.09614997, 0.00924482, 0.00088889});
  check_angles(rope, 32, {1, 0.06933612, 0.00480750, 0.00033333});

  rope = {.kind = Kind::yarn, .factor = 4, .original = 32};
  check_angles(rope, 8, {1, 0.025, 0.0025, 0.00025});
  rope.original = 4096;
  check_angles(rope, 8, {1, 0.1, 0.00625, 0.00025});
  rope.original = 128;
  check_angles(rope, 8, {1, 0.0625, 0.0025, 0.00025});
  CHECK(llama::rope_scale(rope) == doctest::Approx(1.1386294));
  rope.mscale = 1;
  CHECK(llama::rope_scale(rope) == doctest::Approx(1.1386294));
  rope.mscale_all_dim = 0.5;
  CHECK(llama::rope_scale(rope) == doctest::Approx(1.0648216));
  rope.attention_factor = 1.5;
  CHECK(llama::rope_scale(rope) == 1.5);

  rope = {.kind = Kind::llama3, .factor = 8, .original = 32};
  check_angles(rope, 8, {1, 0.0125, 0.00125, 0.000125});
  rope.original = 128;
  check_angles(rope, 8, {1, 0.04275118, 0.00125, 0.000125});
}

TEST_CASE("a rotation begins at its offset") {
  const Rope rope{.kind = Kind::yarn, .factor = 4, .original = 4096};
  const llama::Rotation all = llama::rotation(rope, 8, 5, 0, f64);
  const llama::Rotation end = llama::rotation(rope, 8, 2, 3, f64);
  CHECK(end.cos.to_vector() == contiguous(slice(all.cos, 0, 3, 5)).to_vector());
  CHECK(end.sin.to_vector() == contiguous(slice(all.sin, 0, 3, 5)).to_vector());
}

TEST_CASE("the gradient of a Llama is right: grouped queries, norms, a window, rotations") {
  const auto model = random_model(tiny_llama());
  model->to(f64);
  const Tensor x = reshape(tensor({0, 1, 2, 3, 4, 4, 0, 2}, i64), {2, 4});
  const Tensor y = tensor({1, 2, 3, 4, 0, 0, 2, 1}, i64);
  CHECK_NOTHROW(gradcheck(
      [&](const std::vector<Tensor>&) { return cross_entropy(flatten((*model)(x), 0, 1), y); },
      model->parameters()));
}

TEST_CASE("with a cache, token by token, the logits are those of the whole text") {
  llama::Config config = tiny_llama();
  for (const bool tied : {false, true}) {
    config.tie_word_embeddings = tied;
    const auto model = random_model(config);
    CHECK((model->lm_head.weight.impl() == model->model.embed_tokens.weight.impl()) == tied);
    const NoGrad guard;
    Generator generator(3);
    const Tensor index = randint(0, 5, {2, 7}, generator);
    const Tensor all = (*model)(index);
    llama::Cache cache;
    CHECK(relative_error(model->next_logits(slice(index, 1, 0, 3), &cache), select(all, 1, 2)) <
          1e-5);
    for (int64_t t = 3; t < 7; ++t)
      CHECK(relative_error(model->next_logits(slice(index, 1, t, t + 1), &cache),
                           select(all, 1, t)) < 1e-5);
    CHECK(relative_error(model->next_logits(index), select(all, 1, 6)) < 1e-5);
  }
}

TEST_CASE("sizes of a Llama that do not fit together are refused") {
  const auto refused = [](const std::function<void(llama::Config&)>& change, const char* text) {
    llama::Config config = tiny_llama();
    change(config);
    check_error(text, [&] { llama::Llama model(config); });
  };
  refused([](llama::Config& c) { c.num_key_value_heads = 3; },
          "[llama] num_attention_heads 4 must be a multiple of num_key_value_heads 3");
  refused([](llama::Config& c) { c.head_dim = 3; },
          "head_dim 3: its elements are rotated in pairs");
  refused([](llama::Config& c) { c.head_dim = 2, c.rope.kind = Kind::dynamic; }, "at least 4");
  refused([](llama::Config& c) { c.num_hidden_layers = 0; }, "0 layers: at least one is needed");
  refused([](llama::Config& c) { c.windows = {2}; }, "1 windows for 2 layers");
  const auto model = random_model(tiny_llama());
  check_error("indices of shape (3,)", [&] { (*model)(tensor({1, 2, 3}, i64)); });
  check_error("a cache of another model", [&] {
    llama::Cache cache(3);
    model->next_logits(reshape(tensor({1, 2, 3}, i64), {1, 3}), &cache);
  });
}

}  // namespace
}  // namespace tarsier::zoo
