// A Transformer that copies: the mixture of two distributions, coverage, the whole model.
#include "zoo/summarize/model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"
#include "zoo/summarize/copying.h"
#include "zoo/summarize/write.h"

namespace tarsier::zoo::summarize {
namespace {

constexpr int64_t kVocab = 8;

Tensor ids(const std::vector<int64_t>& values, int64_t rows) {
  return from_vector(values, {rows, std::ssize(values) / rows});
}

double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

/// log a of random attention (B, T, S), with row b's last `padded` places out of reach.
Tensor random_log_attention(const Shape& shape, int64_t padded, Generator& generator) {
  Tensor scores = 2 * randn(shape, f64, generator);
  const Tensor out_of_reach = arange(shape.back()) >= static_cast<double>(shape.back() - padded);
  return log_softmax(masked_fill(scores, out_of_reach, -1e9), -1);
}

TEST_CASE("what can be generated and what can be copied is one distribution") {
  Generator generator(1);
  const Tensor gate = randn({3}, f64, generator), logits = 2 * randn({3, kVocab}, f64, generator);
  const Tensor log_attention = random_log_attention({3, 5}, 1, generator);
  // 8 and 9 are the documents' own; 4 stands twice in the first one; the last place is padding.
  const Tensor source = ids({4, 8, 4, 9, 0, 5, 5, 5, 5, 0, 9, 8, 7, 6, 0}, 3);
  const Tensor p = distribution(gate, logits, log_attention, source, kVocab + 2);
  CHECK(distance(sum(p, {1}), ones({3}, f64)) < 1e-14);
  const Tensor g = sigmoid(gate), a = exp(log_attention), generated = softmax(logits, -1);
  const auto at = [](const Tensor& x, int64_t row, int64_t column) {
    return select(select(x, 0, row), 0, column).item();
  };
  const auto gate_at = [&](int64_t row) { return select(g, 0, row).item(); };
  CHECK(at(p, 0, 4) == doctest::Approx(gate_at(0) * at(generated, 0, 4) +
                                       (1 - gate_at(0)) * (at(a, 0, 0) + at(a, 0, 2))));
  CHECK(at(p, 0, 9) == doctest::Approx((1 - gate_at(0)) * at(a, 0, 3)));
  CHECK(at(p, 0, 5) == doctest::Approx(gate_at(0) * at(generated, 0, 5)));
  CHECK(at(p, 1, 9) == 0);  // another document's word
}

TEST_CASE("the loss is the logarithm of that distribution, also where it is tiny") {
  Generator generator(2);
  for (const double scale : {1.0, 60.0}) {
    CAPTURE(scale);
    const Tensor gate = scale * randn({1, 4}, f64, generator),
                 logits = scale * randn({4, kVocab}, f64, generator);
    const Tensor log_attention = random_log_attention({1, 4, 6}, 2, generator);
    const Tensor source = ids({4, 8, 4, 9, 0, 0}, 1), next = ids({4, 8, 5, 3}, 1);
    const Tensor p = distribution(select(gate, 0, 0), logits, select(log_attention, 0, 0),
                                  expand(source, {4, 6}), kVocab + 2);
    const Tensor expected = log(squeeze(gather(p, 1, ids({4, 8, 5, 3}, 4)), 1));
    const Tensor own = flatten(next) >= static_cast<double>(kVocab);
    const Tensor generated = -cross_entropy(logits, masked_fill(flatten(next), own, kUnknown),
                                            {.reduction = Reduction::none});
    const Tensor log_p = log_mixture(select(gate, 0, 0), masked_fill(generated, own, -1e9),
                                     select(log_copied(log_attention, source, next), 0, 0));
    CHECK(distance(log_p, expected) < 1e-9 * std::max(1.0, scale * scale));
  }
  // p = e⁻²⁰⁰⁰ would be 0 as a number, but not as a logarithm.
  const Tensor tiny = log_mixture(tensor({0.0}), tensor({-2000.0}), tensor({-3000.0}));
  CHECK(tiny.item() == doctest::Approx(-2000 + std::log(0.5)));
}

TEST_CASE("the gradients of gate, logits and attention share the credit as derived") {
  // log p = log(g·e^z + (1 − g)·e^c): r is the share of the copy.
  for (const double z : {-1.0, -40.0, -1e9}) {
    CAPTURE(z);
    const Tensor u = tensor({0.7}, f64).requires_grad_(), lz = tensor({z}, f64).requires_grad_(),
                 lc = tensor({-2.0}, f64).requires_grad_();
    sum(log_mixture(u, lz, lc)).backward();
    const double g = 1 / (1 + std::exp(-0.7)), generated = g * std::exp(z),
                 copied = (1 - g) * std::exp(-2.0), r = copied / (generated + copied);
    CHECK(u.grad().item() == doctest::Approx(1 - r - g));
    CHECK(lz.grad().item() == doctest::Approx(1 - r));
    CHECK(lc.grad().item() == doctest::Approx(r));
  }
}

TEST_CASE("a word that the document lacks draws no attention") {
  Generator generator(4);
  const Tensor scores = randn({1, 2, 3}, f64, generator).requires_grad_();
  const Tensor source = ids({4, 5, 6}, 1), next = ids({7, 5}, 1);
  const Tensor copied = log_copied(log_softmax(scores, -1), source, next);
  CHECK(select(select(copied, 0, 0), 0, 0).item() < -1e8);
  // With it generated, the gradient of its row is 0, and no NaN.
  const Tensor log_p = log_mixture(zeros({1, 2}, f64), full({1, 2}, -1.0, f64), copied);
  sum(log_p).backward();
  CHECK(max(abs(select(select(scores.grad(), 0, 0), 0, 0))).item() == 0);
  CHECK(max(abs(select(select(scores.grad(), 0, 0), 0, 1))).item() > 0.01);
}

TEST_CASE("coverage by hand") {
  // Steps: all on place 0, half and half, again. c = 0; (1, 0); (1.5, 0.5).
  const Tensor attention = reshape(tensor({1, 0, 0.5, 0.5, 0.5, 0.5}, f64), {1, 3, 2});
  CHECK(flatten(coverage(attention)).to_vector() == std::vector<double>{0, 0.5, 1});
  // Looking at something new each time costs nothing.
  const Tensor fresh = reshape(tensor({1, 0, 0, 0, 1, 0, 0, 0, 1}, f64), {1, 3, 3});
  CHECK(max(coverage(fresh)).item() == 0);
}

TEST_CASE("evidence of phrases by hand") {
  //                       place:      0  1  2  3  4  5
  const Tensor source = from_vector(std::vector<int64_t>{4, 5, 6, 4, 5, 7}, {1, 6});
  const auto evidence = phrase_evidence(source, ids({2, 4, 5, 0}, 1));
  REQUIRE(std::ssize(evidence) == kEvidence);
  const auto rows = [&](size_t i) { return flatten(slice(evidence[i], 1, 0, 3)).to_vector(); };
  CHECK(rows(0) == std::vector<double>{0, 0, 0, 0, 0, 0,    // after the beginning
                                       0, 1, 0, 0, 1, 0,    // after 4
                                       0, 0, 1, 0, 0, 1});  // after 5
  CHECK(rows(1) == std::vector<double>{0, 0, 0, 0, 0, 0,    //
                                       0, 0, 0, 0, 0, 0,    //
                                       0, 0, 1, 0, 0, 1});  // after 4 5
  CHECK(rows(2) == std::vector<double>{0, 0, 0, 0, 0, 0,    //
                                       1, 0, 0, 1, 0, 0,    // 4
                                       1, 1, 0, 1, 1, 0});  // 4 and 5
}

/// Two documents of different lengths, of which the second has a word of its own.
struct Sample {
  Tensor source = ids({4, 5, 6, 7, 3, 8, 5, 3, 0, 0}, 2);
  Tensor padding = source == 0;
  Tensor target = ids({2, 5, 4, 2, 8, 0}, 2);
  Tensor next = ids({5, 4, 3, 8, 3, 0}, 2);
  Tensor places = tensor({0, 1, 2, 3, 4}, i64);
};

Config tiny_config() {
  return {.vocab = kVocab,
          .max_length = 8,
          .width = 4,
          .layers = 1,
          .heads = 2,
          .mlp_width = 5,
          .dropout = 0};
}

Tensor loss_of(Summarizer& model, const Sample& sample, double coverage) {
  const auto cost = model(sample.source, sample.padding, sample.target, sample.next, sample.places);
  return mean(cost.surprise) + coverage * mean(cost.coverage);
}

/// p of every word after each word of a summary, and after its beginning: (T + 1, words), without a
/// cache.
Tensor probabilities(Summarizer& model, const Document& document,
                     const std::vector<int32_t>& summary) {
  std::vector<int32_t> read = summary;
  read.insert(read.begin(), kBegin);
  const Reading reading = model.read(pad_rows({document.ids}, kPad));
  const Decoded all = model.decode(pad_rows({read}, kPad), reading);
  return distribution(select(all.gate_logit, 0, 0), model.body.generator(select(all.hidden, 0, 0)),
                      select(all.log_attention, 0, 0),
                      expand(reading.source, {std::ssize(read), std::ssize(document.ids)}),
                      kVocab + std::ssize(document.own));
}

TEST_CASE("the gradient of every weight of a whole summarizer is right") {
  Generator generator(3);
  Summarizer model(tiny_config(), generator);
  model.to(f64);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return loss_of(model, Sample(), 0.5); },
                          model.parameters()));
}

TEST_CASE("padding changes nothing, and the loss is that of the words that follow") {
  Generator generator(5);
  Summarizer model(tiny_config(), generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Sample both;
  const auto cost = model(both.source, both.padding, both.target, both.next, both.places);
  const auto one = model(ids({8, 5, 3}, 1), Tensor(), ids({2, 8}, 1), ids({8, 3}, 1), arange(2));
  CHECK(distance(slice(cost.surprise, 0, 3), one.surprise) < 1e-12);
  CHECK(distance(slice(cost.coverage, 0, 3), one.coverage) < 1e-12);
  // The second document's word has no logit: it can only be copied.
  const Tensor p = probabilities(model, {.ids = {8, 5, 3}, .own = {"tarsier"}}, {8});
  const auto at = [&](int64_t t, int64_t word) { return select(select(p, 0, t), 0, word).item(); };
  CHECK(one.surprise.to_vector()[0] == doctest::Approx(-std::log(at(0, 8))));
  CHECK(one.surprise.to_vector()[1] == doctest::Approx(-std::log(at(1, 3))));
}

TEST_CASE("a summarizer memorises a batch, also words that no vocabulary has, and writes it") {
  Config config = tiny_config();
  config.width = 16;
  config.mlp_width = 32;
  Generator generator(6);
  Summarizer model(config, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
  const Sample sample;
  double loss = 0;
  for (int step = 0; step < 120; ++step) {
    optimizer.zero_grad();
    const Tensor y = loss_of(model, sample, 0);
    y.backward();
    optimizer.step();
    loss = y.item();
  }
  CHECK(loss < 0.05);
  model.eval();
  const Document first{.ids = {4, 5, 6, 7, 3}}, second{.ids = {8, 5, 3}, .own = {"tarsier"}};
  for (const int64_t beams : {1, 3}) {
    CHECK(summarize(model, first, {.beams = beams}) == std::vector<int32_t>{5, 4});
    CHECK(summarize(model, second, {.beams = beams}) == std::vector<int32_t>{8});
  }
  CHECK(summarize(model, second, {.beams = 2, .min_length = 3}).size() >= 3);
  // The word that the vocabulary lacks can only be copied.
  const Origin origin = origin_of(model, second, {8});
  REQUIRE(origin.copied.size() == 2);
  CHECK(origin.copied[0] == doctest::Approx(1));
  CHECK(origin.attention.shape() == Shape{2, 3});
  CHECK(distance(sum(origin.attention, {1}), ones({2})) < 1e-5);
}

TEST_CASE("the cached search finds the best of all summaries, as the whole model scores them") {
  const Document document{.ids = {8, 5, 9, 4, 3}, .own = {"x", "y"}};
  for (const uint64_t seed : {8, 9}) {
    CAPTURE(seed);
    Generator generator(seed);
    Summarizer model(tiny_config(), generator);
    model.to(f64);
    model.eval();
    const NoGrad no_grad;
    // What was written before matters much.
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 1, generator);
    for (const Tensor& evidence : {model.evidence_pointer, model.evidence_gate})
      nn::normal_(evidence, 0, 4, generator);
    std::vector<std::vector<int32_t>> all = {{}};
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].size() < 3)
        for (int32_t word = 4; word < kVocab + 2; ++word) {
          all.push_back(all[i]);
          all.back().push_back(word);
        }
    REQUIRE(all.size() == 1 + 6 + 36 + 216);
    double best = -INFINITY;
    std::vector<int32_t> expected;
    for (const std::vector<int32_t>& summary : all) {
      if (summary.size() < 3) continue;
      const Tensor log_p = log(probabilities(model, document, summary));
      double score = 0;
      for (size_t t = 0; t <= summary.size(); ++t)
        score += select(select(log_p, 0, static_cast<int64_t>(t)), 0,
                        t < summary.size() ? summary[t] : kEnd)
                     .item();
      if (score > best) best = score, expected = summary;
    }
    const transformer::BeamOptions exhaustive{
        .beams = 216, .length_penalty = 0, .max_length = 3, .min_length = 3};
    CHECK(summarize(model, document, exhaustive) == expected);
  }
}

TEST_CASE("one matrix is the embedding of documents and of summaries, and the output") {
  const Summarizer model(tiny_config());
  CHECK(model.body.source_embedding.weight.data<float>() ==
        model.body.target_embedding.weight.data<float>());
  CHECK(model.body.generator.weight.data<float>() ==
        model.body.target_embedding.weight.data<float>());
  transformer::Config body{.source_vocab = 5, .target_vocab = 6, .share_embeddings = true};
  check_error("embeddings can only be shared by equal vocabularies",
              [&] { transformer::Translator translator(body); });
}

TEST_CASE("sizes of a summarizer that do not fit are refused") {
  Config config = tiny_config();
  config.heads = 3;
  check_error("heads=3 does not divide width=4", [&] { Summarizer model(config); });
}

}  // namespace
}  // namespace tarsier::zoo::summarize
