// The whole GPT: gradients, names, learning, sampling.
#include "zoo/gpt/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include "autograd/check/gradcheck.h"
#include "autograd/tape/print_tape.h"
#include "nn/nn.h"
#include "optim/optim.h"
#include "zoo/gpt/generate.h"

namespace tarsier::zoo {
namespace {

gpt::Config tiny_config() {
  gpt::Config config;
  config.vocab_size = 5;
  config.block_size = 4;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_embd = 4;
  return config;
}

/// The default config, and one for each alternative part.
std::vector<std::pair<std::string, gpt::Config>> variants() {
  std::vector<std::pair<std::string, gpt::Config>> all{{"default", tiny_config()}};
  const auto add = [&](const std::string& name, const std::function<void(gpt::Config&)>& change) {
    all.emplace_back(name, tiny_config());
    change(all.back().second);
  };
  add("bias", [](gpt::Config& c) { c.bias = true; });
  add("sinusoidal", [](gpt::Config& c) { c.position = nn::PositionKind::sinusoidal; });
  add("rotary", [](gpt::Config& c) { c.position = nn::PositionKind::rotary; });
  add("alibi", [](gpt::Config& c) { c.position = nn::PositionKind::alibi; });
  add("rms", [](gpt::Config& c) { c.rms_norm = true; });
  add("swiglu", [](gpt::Config& c) { c.swiglu = true; });
  add("own head", [](gpt::Config& c) { c.tied = false; });
  add("all new", [](gpt::Config& c) {
    c.position = nn::PositionKind::rotary;
    c.rms_norm = c.qk_norm = c.swiglu = c.bias = true;
    c.tied = false;
  });
  return all;
}

Tensor indices(const std::vector<int64_t>& values, const Shape& shape) {
  return from_vector(values, shape);
}

TEST_CASE("the gradient of every weight of a whole GPT is right" * doctest::test_suite("long")) {
  for (const auto& [name, config] : variants()) {
    CAPTURE(name);
    Generator generator(3);
    gpt::Gpt model(config, generator);
    model.to(f64);
    // At the initial 0.02 everything is nearly linear: larger weights find more.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
    const Tensor x = indices({0, 1, 2, 3, 4, 4, 0, 2}, {2, 4});
    const Tensor y = indices({1, 2, 3, 4, 0, 0, 2, 1}, {2, 4});
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return model.loss(x, y); },
                            model.parameters()));
  }
}

TEST_CASE("the state dict has nanoGPT's names, with the head tied to the embedding") {
  gpt::Gpt model(tiny_config());
  std::vector<std::string> expected = {"transformer.wte.weight", "transformer.wpe.weight"};
  for (const char* layer : {"0", "1"})
    for (const char* part :
         {"ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"})
      expected.push_back(concat("transformer.h.", layer, ".", part, ".weight"));
  expected.push_back("transformer.ln_f.weight");
  expected.push_back("lm_head.weight");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.state_dict()) names.push_back(name);
  CHECK(names == expected);
  CHECK(model.lm_head.weight.impl() == model.transformer.wte.weight.impl());
  // nanoGPT's count for train_shakespeare_char on a CPU, position embedding included.
  gpt::Config cpu;
  CHECK(gpt::Gpt(cpu).num_parameters() ==
        65 * 128 + 64 * 128 + 4 * (2 * 128 + 12 * 128 * 128) + 128);
}

TEST_CASE("weights start with GPT-2's deviations") {
  gpt::Config config;
  Generator generator(1);
  const gpt::Gpt model(config, generator);
  const auto deviation = [](const Tensor& x) { return stddev(x).item(); };
  // 49,152 and 65,536 draws: the deviation is known to about 0.3 %.
  const auto ratio = [&](const Tensor& x, double expected) { return deviation(x) / expected; };
  CHECK(ratio(model.transformer.h[0].attn.c_attn.weight, 0.02) == doctest::Approx(1).epsilon(0.01));
  CHECK(ratio(model.transformer.h[3].mlp.c_proj.weight, 0.02 / std::sqrt(8.0)) ==
        doctest::Approx(1).epsilon(0.01));
  CHECK(ratio(model.lm_head.weight, 0.02) == doctest::Approx(1).epsilon(0.025));
  // So the loss at the start is that of guessing, ln V.
  gpt::Gpt fresh(config, generator);
  const Tensor x = randint(0, 65, {4, 64}, generator), y = randint(0, 65, {4, 64}, generator);
  CHECK(fresh.loss(x, y).item() == doctest::Approx(std::log(65.0)).epsilon(0.02));
}

TEST_CASE("with quiet_start the blocks add next to nothing at first, and all weights learn") {
  for (const bool quiet : {false, true}) {
    gpt::Config config = tiny_config();
    config.quiet_start = quiet;
    Generator generator(1);
    gpt::Gpt model(config, generator);
    const Tensor x = indices({0, 1, 2, 3}, {1, 4});
    model.loss(x, indices({1, 2, 3, 4}, {1, 4})).backward();
    CHECK(nn::check_gradients(model).empty());
    NoGrad no_grad;
    const Tensor nothing = model.transformer.embed(x, 0), all = model.transformer.h[0](nothing);
    // The last product of a block is 100 times as small; before, it adds some 1e-5 of 0.02.
    const double added = (norm(all - nothing) / norm(nothing)).item();
    CHECK((added < 1e-3) == quiet);
  }
}

TEST_CASE("SwiGLU has as many weights as the MLP that it replaces") {
  gpt::Config config;
  config.n_embd = 192;  // 8/3 of it is a multiple of 16
  const int64_t plain = gpt::Gpt(config).num_parameters();
  config.swiglu = true;
  CHECK(gpt::Gpt(config).num_parameters() == plain);
}

TEST_CASE("no position sees what comes after it") {
  Generator generator(2);
  gpt::Gpt model(tiny_config(), generator);
  NoGrad no_grad;
  const std::vector<float> before = model(indices({0, 1, 2, 3}, {1, 4})).to_vector<float>();
  const std::vector<float> after = model(indices({0, 1, 4, 0}, {1, 4})).to_vector<float>();
  for (size_t i = 0; i < 2 * 5; ++i) CHECK(before[i] == after[i]);
  CHECK(before[10] != after[10]);
  const Tensor last = model.next_logits(indices({0, 1, 2, 3}, {1, 4}));
  CHECK(last.shape() == Shape{1, 5});
  for (size_t i = 0; i < 5; ++i) CHECK(last.to_vector()[i] == doctest::Approx(before[15 + i]));
}

TEST_CASE("decoding with a cache gives the logits of the whole text") {
  NoGrad no_grad;
  for (auto [name, config] : variants())
    for (const auto& [dtype, tolerance] : {std::pair{f64, 1e-10}, {f32, 1e-5}}) {
      CAPTURE(name);
      CAPTURE(dtype);
      // Relative positions have no limit: every token sees the last five, however long the text.
      config.block_size = config.is_relative() ? 5 : 12;
      const int64_t T = config.is_relative() ? 31 : 12;
      Generator generator(6);
      gpt::Gpt model(config, generator);
      model.to(dtype);
      for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 1, generator);
      model.eval();
      const Tensor text = randint(0, 5, {3, T}, generator);
      const Tensor whole = model(text);
      std::vector<int64_t> one_by_one;
      for (int64_t end = 1; end <= T; ++end) one_by_one.push_back(end);
      for (const std::vector<int64_t>& ends :
           std::vector<std::vector<int64_t>>{{T}, one_by_one, {5, 6, 9, 10, T}}) {
        gpt::Cache cache;
        int64_t begin = 0;
        for (const int64_t end : ends) {
          CAPTURE(end);
          const std::vector<double> expected = select(whole, 1, end - 1).to_vector();
          const std::vector<double> logits =
              model.next_logits(slice(text, 1, begin, end), cache).to_vector();
          for (size_t i = 0; i < expected.size(); ++i)
            CHECK(std::abs(logits[i] - expected[i]) < tolerance * (1 + std::abs(expected[i])));
          begin = end;
        }
        CHECK(cache.front().position() == T);
        if (config.is_relative()) CHECK(cache.front().length() < 2 * config.block_size);
      }
    }
}

TEST_CASE("with relative positions a position sees block_size tokens and no more") {
  NoGrad no_grad;
  gpt::Config config = tiny_config();
  config.position = nn::PositionKind::rotary;
  config.n_layer = 1;
  config.block_size = 3;
  Generator generator(8);
  gpt::Gpt model(config, generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 1, generator);
  const std::vector<float> before = model(indices({0, 1, 2, 3, 4}, {1, 5})).to_vector<float>();
  const std::vector<float> after = model(indices({3, 1, 2, 3, 4}, {1, 5})).to_vector<float>();
  for (size_t i = 0; i < 25; ++i) {
    CAPTURE(i);
    if (i >= 3 * 5) CHECK(before[i] == after[i]);
  }
  CHECK(before[2 * 5] != after[2 * 5]);
  // Only distances count: the same three tokens later in a text give the same result.
  const Tensor late = slice(model(indices({4, 4, 0, 1, 2}, {1, 5})), 1, 4, 5);
  const Tensor early = slice(model(indices({0, 1, 2}, {1, 3})), 1, 2, 3);
  CHECK(max(abs(late - early)).item() < 1e-5);
}

TEST_CASE("attention weights sum to one, and are those that attention uses") {
  NoGrad no_grad;
  for (const auto& [name, config] : variants()) {
    CAPTURE(name);
    Generator generator(9);
    gpt::Gpt model(config, generator);
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 1, generator);
    model.eval();
    for (const Tensor& weights : model.attention(indices({0, 1, 2, 3}, {1, 4}))) {
      CHECK(weights.shape() == Shape{1, 2, 4, 4});
      for (const double total : sum(weights, -1).to_vector())
        CHECK(total == doctest::Approx(1).epsilon(1e-6));
      CHECK(sum(weights * to(triu_mask(4, 4, 1), f32)).item() == 0);  // never at later tokens
    }
  }
}

TEST_CASE("a cache of another model, a full one, and one while training are errors") {
  NoGrad no_grad;
  gpt::Gpt model(tiny_config());
  gpt::Cache cache;
  CHECK_THROWS_WITH_AS(
      model.next_logits(indices({1}, {1, 1}), cache),
      doctest::Contains("[gpt] the model is training: call eval() before decoding with a cache"),
      Error);
  model.eval();
  model.next_logits(indices({1, 2, 3}, {1, 3}), cache);
  CHECK_THROWS_WITH_AS(
      model.next_logits(indices({1, 2}, {1, 2}), cache),
      doctest::Contains("[gpt] indices of shape (1, 2) after 3 in the cache: (B, T) with 1 to "
                        "block_size 4 tokens expected"),
      Error);
  CHECK_THROWS_AS(model.next_logits(Tensor::empty({1, 0}, i64)), Error);
  // A refused call leaves the cache unchanged.
  CHECK_NOTHROW(model.next_logits(indices({1}, {1, 1}), cache));
  gpt::Config deeper = tiny_config();
  deeper.n_layer = 3;
  gpt::Gpt other(deeper);
  other.eval();
  CHECK_THROWS_WITH_AS(other.next_logits(indices({1}, {1, 1}), cache),
                       doctest::Contains("a cache of 2 layers for a model of 3"), Error);
  deeper.n_layer = 0;
  CHECK_THROWS_WITH_AS(gpt::Gpt{deeper},
                       doctest::Contains("[gpt] n_layer=0: at least one is needed"), Error);
}

TEST_CASE("a GPT learns one batch by heart" * doctest::test_suite("long")) {
  for (auto [name, config] : variants()) {
    CAPTURE(name);
    config.block_size = 8;
    config.n_embd = 16;
    Generator generator(4);
    gpt::Gpt model(config, generator);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    // No text begins with the same token twice: relative positions could not tell these apart.
    const Tensor x = indices({0, 1, 2, 3, 4, 0, 2, 1, 1, 3, 0, 4, 2, 2, 0, 3}, {2, 8});
    const Tensor y = randint(0, 5, {2, 8}, generator);
    const double first = model.loss(x, y).item();
    double last = first;
    for (int step = 0; step < 300; ++step) {
      optimizer.zero_grad();
      const Tensor loss = model.loss(x, y);
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
    CHECK(first == doctest::Approx(std::log(5.0)).epsilon(0.05));
    CHECK(last < 0.01);
  }
}

TEST_CASE("with checkpoint the gradients have the same bits, and blocks are recorded as one node") {
  const auto gradients = [](bool checkpoint) {
    manual_seed(3);
    gpt::Gpt model({.vocab_size = 9,
               .block_size = 6,
               .n_layer = 3,
               .n_head = 2,
               .n_embd = 8,
               .dropout = 0.3,
               .checkpoint = checkpoint});
    const Tensor text = randint(0, 9, {2, 7});
    const Tensor loss = model.loss(slice(text, 1, 0, 6), slice(text, 1, 1, 7));
    std::ostringstream tape;
    tape::print(loss, tape);
    const std::string recorded = tape.str();
    CHECK((recorded.find("checkpoint") != std::string::npos) == checkpoint);
    CHECK(recorded.find("transformer.h.2.mlp") != std::string::npos);  // the last block is not
    CHECK((recorded.find("transformer.h.0.mlp") == std::string::npos) == checkpoint);
    loss.backward();
    std::vector<double> all;
    for (const Tensor& parameter : model.parameters())
      for (const double value : parameter.grad().to_vector<double>()) all.push_back(value);
    return all;
  };
  CHECK(gradients(true) == gradients(false));
}

TEST_CASE("sizes that do not fit are an error that says so") {
  gpt::Config config = tiny_config();
  config.n_head = 3;
  CHECK_THROWS_WITH_AS(
      gpt::Gpt{config},
      doctest::Contains(
          "[gpt] n_head=3 does not divide n_embd=4: every head gets an equal share of "
          "the width; take another n_head or n_embd"),
      Error);
  gpt::Gpt model(tiny_config());
  CHECK_THROWS_AS(model(indices({0, 1, 2, 3, 4}, {1, 5})), Error);
  CHECK_THROWS_AS(model(indices({0, 1}, {2})), Error);
  CHECK_THROWS_AS(model(indices({0, 5}, {1, 2})), Error);
}

// ---- sampling ----

/// How often each index is chosen when u runs through [0, 1) evenly.
std::vector<double> shares(const std::vector<double>& logits, const gpt::Sampling& sampling) {
  std::vector<double> out(logits.size());
  const int n = 10'000;
  for (int i = 0; i < n; ++i)
    out[static_cast<size_t>(gpt::sample_index(logits, sampling, (i + 0.5) / n))] += 1.0 / n;
  return out;
}

bool close(const std::vector<double>& a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::abs(a[i] - b[i]) > 2e-4) return false;  // one of 10,000 at each border
  return a.size() == b.size();
}

TEST_CASE("sampling follows the probabilities, the temperature, top-k and top-p") {
  const auto ln = [](double p) { return std::log(p); };
  const std::vector<double> logits = {ln(0.1), ln(0.4), ln(0.2), ln(0.3)};
  gpt::Sampling s;
  s.temperature = 1;
  CHECK(close(shares(logits, s), {0.1, 0.4, 0.2, 0.3}));
  s.temperature = 0.5;  // probabilities squared
  CHECK(close(shares(logits, s), {1 / 30.0, 16 / 30.0, 4 / 30.0, 9 / 30.0}));
  s.temperature = 0;
  CHECK(close(shares(logits, s), {0, 1, 0, 0}));
  s.temperature = 1;
  s.top_k = 2;
  CHECK(close(shares(logits, s), {0, 4 / 7.0, 0, 3 / 7.0}));
  s.top_k = 100;
  CHECK(close(shares(logits, s), {0.1, 0.4, 0.2, 0.3}));
  s.top_k = 0;
  s.top_p = 0.65;  // 0.4 + 0.3 is the first sum to reach it
  CHECK(close(shares(logits, s), {0, 4 / 7.0, 0, 3 / 7.0}));
  s.top_p = 0;  // one is always left
  CHECK(close(shares(logits, s), {0, 1, 0, 0}));
}

TEST_CASE("sampling takes the first of equals, and survives large numbers but not NaN") {
  gpt::Sampling s;
  s.temperature = 0;
  CHECK(gpt::sample_index({1, 2, 2}, s, 0.9) == 1);
  s.temperature = 1e-300;
  CHECK(gpt::sample_index({-1e30, 1e30}, s, 0.999) == 1);
  CHECK_THROWS_AS(gpt::sample_index({0, std::nan("")}, s, 0.5), Error);
  CHECK_THROWS_AS(gpt::sample_index({}, s, 0.5), Error);
}

TEST_CASE("generation repeats with its seed and continues beyond the context") {
  Generator generator(5);
  gpt::Gpt model(tiny_config(), generator);
  const auto text = [&](uint64_t seed, int64_t count) {
    std::vector<int32_t> out;
    gpt::Sampling sampling;
    sampling.temperature = 2;
    sampling.seed = seed;
    gpt::generate(model, {0, 1}, count, sampling, [&](int32_t index) { out.push_back(index); });
    return out;
  };
  CHECK(text(1, 20).size() == 20);
  CHECK(text(1, 20) == text(1, 20));
  CHECK(text(1, 20) != text(2, 20));
  CHECK(text(1, 0).empty());
  // The same as recomputing the last block_size characters for each one, before and after the text
  // outgrows the window, and for a prompt that is longer already.
  NoGrad no_grad;
  gpt::Sampling likeliest;
  likeliest.temperature = 0;
  for (const std::vector<int32_t>& prompt :
       {std::vector<int32_t>{3}, {0, 1, 4}, {1, 2, 3, 4}, {1, 2, 3, 4, 0, 0}}) {
    std::vector<int64_t> expected(prompt.begin(), prompt.end()), text(expected);
    for (int i = 0; i < 8; ++i) {
      const auto size = static_cast<int64_t>(expected.size()), n = std::min<int64_t>(size, 4);
      const std::vector<int64_t> window(expected.end() - n, expected.end());
      const Tensor logits = model.next_logits(indices(window, {1, n}));
      expected.push_back(gpt::sample_index(logits.to_vector(), likeliest, 0));
    }
    gpt::generate(model, prompt, 8, likeliest, [&](int32_t index) { text.push_back(index); });
    CHECK(text == expected);
  }
  CHECK(model.is_training());
  CHECK_THROWS_AS(gpt::generate(model, {}, 1, {}, [](int32_t) {}), Error);
}

}  // namespace
}  // namespace tarsier::zoo
