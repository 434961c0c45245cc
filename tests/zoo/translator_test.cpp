// The encoder-decoder Transformer: the whole model, and decoding with a cache.
#include "zoo/transformer/model.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "tests/error_of.h"
#include "zoo/transformer/beam.h"

namespace tarsier::zoo {
namespace {

transformer::Config tiny_config() {
  return {.source_vocab = 6,
          .target_vocab = 5,
          .max_length = 6,
          .width = 4,
          .layers = 1,
          .heads = 2,
          .mlp_width = 5,
          .dropout = 0};
}

Tensor ids(const std::vector<int64_t>& values, int64_t rows) {
  return from_vector(values, {rows, static_cast<int64_t>(values.size()) / rows});
}

double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

TEST_CASE("the gradient of every weight of a whole translator is right") {
  for (const bool norm_first : {true, false})
    for (const bool tied : {true, false}) {
      CAPTURE(norm_first);
      CAPTURE(tied);
      transformer::Config config = tiny_config();
      config.norm_first = norm_first;
      config.tie_embeddings = tied;
      config.position = tied ? nn::PositionKind::learned : nn::PositionKind::sinusoidal;
      Generator generator(3);
      transformer::Translator model(config, generator);
      model.to(f64);
      for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
      const Tensor source = ids({3, 5, 1, 4, 1, 0}, 2), target = ids({2, 4, 2, 3}, 2);
      CHECK_NOTHROW(
          gradcheck([&](const std::vector<Tensor>&) { return model(source, source == 0, target); },
                    model.parameters()));
    }
}

TEST_CASE("the content and the length of the source's padding change nothing") {
  Generator generator(5);
  transformer::Translator model(tiny_config(), generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Tensor target = ids({2, 4, 3}, 1);
  const Tensor bare = model(ids({3, 5, 1}, 1), Tensor(), target);
  const Tensor mask = ids({0, 0, 0, 1, 1}, 1) == 1;
  for (const int64_t filler : {0, 4}) {
    CAPTURE(filler);
    const Tensor padded = model(ids({3, 5, 1, filler, filler}, 1), mask, target);
    CHECK(distance(padded, bare) < 1e-12);
  }
  // It is the mask that does it.
  CHECK(distance(model(ids({3, 5, 1, 4, 4}, 1), Tensor(), target), bare) > 1e-3);
  // A later token of the target changes nothing before it.
  const Tensor other = model(ids({3, 5, 1}, 1), Tensor(), ids({2, 4, 1}, 1));
  CHECK(distance(slice(other, 1, 0, 2), slice(bare, 1, 0, 2)) < 1e-12);
  CHECK(distance(other, bare) > 1e-3);
}

TEST_CASE("sizes of a translator that do not fit are refused") {
  transformer::Config config = tiny_config();
  config.heads = 3;
  check_error("heads=3 does not divide width=4", [&] { transformer::Translator model(config); });
  config = tiny_config();
  config.position = nn::PositionKind::rotary;
  check_error("positions must be sinusoidal or learned",
              [&] { transformer::Translator model(config); });
}

TEST_CASE("one beam with a cache equals greedy search without a cache") {
  transformer::Config config = tiny_config();
  config.max_length = 20;
  config.width = 16;
  config.layers = 2;
  config.target_vocab = 12;
  Generator generator(8);
  transformer::Translator model(config, generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.4, generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Tensor source = ids({3, 5, 1, 4}, 1), memory = model.encode(source, Tensor());
  constexpr int32_t begin = 0, end = 11;
  std::vector<int64_t> greedy{begin};
  while (greedy.size() < 16) {
    const Tensor logits = model(source, Tensor(), ids(greedy, 1));
    const int64_t best = argmax(select(logits, 1, -1), -1).item<int64_t>();
    if (best == end) break;
    greedy.push_back(best);
  }
  REQUIRE(greedy.size() > 4);

  // With several beams each row of the cache must follow its sequence: the log p that the search
  // sums is that of the whole sequence without a cache.
  for (const int64_t beams : {1, 4}) {
    CAPTURE(beams);
    nn::DecoderCache cache;
    const Tensor memories = contiguous(expand(memory, {beams, 4, 16}));
    const transformer::NextToken next = [&](const std::vector<int64_t>& parents,
                                            const std::vector<int32_t>& tokens) {
      cache.reorder(from_vector(parents, {beams}));
      const Tensor newest =
          from_vector(std::vector<int64_t>(tokens.begin(), tokens.end()), {beams, 1});
      const Tensor hidden = model.decode(newest, memories, Tensor(), &cache);
      return log_softmax(model.generator(select(hidden, 1, 0)), -1);
    };
    const auto found = transformer::beam_search(
        next, begin, end, {.beams = beams, .length_penalty = 0, .max_length = 15});
    if (beams == 1)
      CHECK(found.front().tokens == std::vector<int32_t>(greedy.begin() + 1, greedy.end()));
    for (const transformer::Hypothesis& h : found) {
      std::vector<int64_t> read{begin};
      read.insert(read.end(), h.tokens.begin(), h.tokens.end());
      const Tensor logits = model(source, Tensor(), ids(read, 1));
      const std::vector<double> log_p = log_softmax(logits, -1).to_vector();
      double sum = 0;
      for (size_t i = 0; i < h.tokens.size(); ++i)
        sum += log_p[12 * i + static_cast<size_t>(h.tokens[i])];
      const double with_end = sum + log_p[12 * h.tokens.size() + end];
      CHECK(h.log_probability == doctest::Approx(with_end).epsilon(1e-9));
    }
  }
}

}  // namespace
}  // namespace tarsier::zoo
