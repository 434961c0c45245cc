// The whole speech recogniser: gradients, padding, learning, errors; CTC decoding.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/threads.h"
#include "zoo/speech/decode.h"
#include "zoo/speech/model.h"

namespace tarsier::zoo {
namespace {

using speech::SpeechRecognizer;

const speech::Config kTiny{.tokens = 4,
                           .mels = 5,
                           .channels = 2,
                           .width = 4,
                           .layers = 2,
                           .heads = 2,
                           .mlp_width = 5,
                           .dropout = 0};

/// Two recordings of 13 and 9 frames; what follows the end of the second is not 0.
struct Sample {
  Tensor frames, lengths = tensor({13, 9}, i64);
  explicit Sample(DType dtype) {
    Generator generator(8);
    frames = randn({2, 13, 5}, dtype, generator);
  }
};

// ------------------------------------------------------------------------------------------- model

TEST_CASE("the gradient of every weight of a whole speech recogniser is right") {
  Generator generator(3);
  SpeechRecognizer model(kTiny, generator);
  model.to(f64);
  // At the initial sizes much is nearly linear: larger weights find more.
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  const Sample sample(f64);
  std::vector<Tensor> inputs = model.parameters();
  inputs.push_back(clone(sample.frames).requires_grad_());
  const Tensor targets = tensor({1, 2, 2, 3, 0, 0}, i64), counts = tensor({3, 1}, i64);
  CHECK_NOTHROW(gradcheck(
      [&](const std::vector<Tensor>& x) {
        return ctc_loss(transpose(model(x.back(), sample.lengths), 0, 1), reshape(targets, {2, 3}),
                        speech::moments_of(sample.lengths), counts, speech::kBlank);
      },
      inputs));
}

TEST_CASE("a speech recogniser learns one batch by heart") {
  speech::Config config = kTiny;
  config.width = 16;
  config.mlp_width = 32;
  Generator generator(4);
  SpeechRecognizer model(config, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
  const Sample sample(f32);
  const Tensor targets = reshape(tensor({1, 2, 3, 0}, i64), {2, 2}), counts = tensor({2, 1}, i64),
               moments = speech::moments_of(sample.lengths);
  double loss = 0;
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    const Tensor y =
        ctc_loss(transpose(model(sample.frames, sample.lengths), 0, 1), targets, moments, counts);
    y.backward();
    optimizer.step();
    loss = y.item();
  }
  CHECK(loss < 0.02);
  const NoGrad guard;
  const Tensor log_probs = model(sample.frames, sample.lengths);
  for (int64_t b = 0; b < 2; ++b) {
    const Tensor one = slice(select(log_probs, 0, b), 0, 0, moments.to_vector<int64_t>()[b]);
    CHECK(speech::beam_texts(one, 4).front().tokens ==
          (b == 0 ? std::vector<int32_t>{1, 2} : std::vector<int32_t>{3}));
  }
}

TEST_CASE("a recording gives the same alone as in a batch, whatever follows its end") {
  Generator generator(5);
  SpeechRecognizer model(kTiny, generator);
  model.to(f64);
  model.eval();
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  const NoGrad guard;
  const Sample sample(f64);
  const Tensor both = model(sample.frames, sample.lengths);
  CHECK(both.shape() == Shape{2, 4, 4});
  for (int64_t b = 0; b < 2; ++b) {
    const int64_t frames = sample.lengths.to_vector<int64_t>()[static_cast<size_t>(b)],
                  moments = speech::moments_of(frames);
    const Tensor alone = model(slice(slice(sample.frames, 0, b, b + 1), 1, 0, frames),
                               full({1}, static_cast<double>(frames), i64));
    CHECK(alone.shape() == Shape{1, moments, 4});
    CHECK(allclose(select(alone, 0, 0), slice(select(both, 0, b), 0, 0, moments), 1e-12));
  }
  // Each row is a distribution.
  CHECK(allclose(sum(exp(both), -1), ones({2, 4}, f64), 1e-12));
  const std::vector<Tensor> attention = model.attention(sample.frames, sample.lengths);
  REQUIRE(attention.size() == 2);
  CHECK(attention[0].shape() == Shape{2, 2, 4, 4});
  CHECK(allclose(select(select(attention[1], 0, 1), -1, 3), zeros({2, 4}, f64), 1e-12));  // padding
}

TEST_CASE("a speech recogniser gives the same bits on any number of threads") {
  const auto trained = [](int count) {
    const Threads threads(count);
    Generator generator(6);
    speech::Config config = kTiny;
    config.width = 32;
    config.channels = 8;
    SpeechRecognizer model(config, generator);
    const Tensor frames = randn({8, 120, 5}, f32, generator), lengths = full({8}, 120, i64);
    ctc_loss(transpose(model(frames, lengths), 0, 1), ones({8, 3}, i64),
             speech::moments_of(lengths), full({8}, 3, i64))
        .backward();
    std::vector<double> out;
    for (const Tensor& parameter : model.parameters()) {
      const std::vector<double> gradient = parameter.grad().to_vector();
      out.insert(out.end(), gradient.begin(), gradient.end());
    }
    return out;
  };
  CHECK(trained(1) == trained(4));
}

TEST_CASE("every weight of a speech recogniser gets a gradient; equal seeds make equal models") {
  Generator first(9), second(9);
  SpeechRecognizer model(kTiny, first);
  const Sample sample(f32);
  mean(square(model(sample.frames, sample.lengths))).backward();
  for (const auto& [name, parameter] : model.named_parameters()) {
    CAPTURE(name);
    CHECK(norm(parameter.grad()).item() > 0);
  }
  const TensorDict a = model.state_dict();
  for (const auto& [name, tensor] : SpeechRecognizer(kTiny, second).state_dict())
    CHECK(tensor.to_vector() == a[name].to_vector());
}

TEST_CASE("a speech recogniser refuses sizes that do not fit") {
  speech::Config config = kTiny;
  config.heads = 3;
  check_error("heads=3 does not divide width=4", [&] { SpeechRecognizer model(config); });
  config.heads = 0;
  check_error("all must be positive", [&] { SpeechRecognizer model(config); });
  SpeechRecognizer model(kTiny);
  const Tensor lengths = tensor({7}, i64);
  check_error("frames of shape (1, 7, 4): expected (batch, frames, 5)", [&] {
    model(zeros({1, 7, 4}), lengths);
  });
  check_error("frames of shape (1, 0, 5)", [&] { model(zeros({1, 0, 5}), lengths); });
  check_error("lengths of shape (1,): expected (2)", [&] { model(zeros({2, 7, 5}), lengths); });
  CHECK(speech::moments_of(1) == 1);
  CHECK(speech::moments_of(4) == 1);
  CHECK(speech::moments_of(5) == 2);
}

// ---------------------------------------------------------------------------------------- decoding

/// log p of these tokens, each sure at its moment.
Tensor path_of(const std::vector<int64_t>& tokens, int64_t count) {
  std::vector<double> p;
  for (const int64_t token : tokens)
    for (int64_t c = 0; c < count; ++c)
      p.push_back(std::log(c == token ? 0.7 : 0.3 / (count - 1.0)));
  return from_vector(p, {static_cast<int64_t>(tokens.size()), count});
}

TEST_CASE("greedy decoding merges repeats, then drops blanks, as torchaudio's merge_tokens") {
  const auto spans = speech::greedy_spans(path_of({0, 1, 1, 0, 1, 2, 2, 0}, 3));
  REQUIRE(spans.size() == 3);
  const int64_t expected[3][3] = {{1, 1, 3}, {1, 4, 5}, {2, 5, 7}};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(spans[i].token == expected[i][0]);
    CHECK(spans[i].begin == expected[i][1]);
    CHECK(spans[i].end == expected[i][2]);
    CHECK(spans[i].score == doctest::Approx(0.7));
  }
  // The mean over the span, not its product.
  const Tensor two = log(from_vector<double>({0.1, 0.9, 0.5, 0.5}, {2, 2}));
  CHECK(speech::greedy_spans(two).size() == 1);  // the second moment: equal, the blank is first
  CHECK(speech::greedy_spans(log(from_vector<double>({0.1, 0.9, 0.4, 0.6}, {2, 2})))[0].score ==
        doctest::Approx(0.75));
  CHECK(speech::greedy_spans(path_of({0, 0}, 3)).empty());
  CHECK(speech::greedy_spans(zeros({0, 3})).empty());
}

TEST_CASE("beam search sums all paths to a text: uniform moments") {
  // −log P as CTC's loss gives it: T = 4, three tokens.
  const auto found = speech::beam_texts(log(full({4, 3}, 1.0 / 3, f64)), 1000);
  std::map<std::vector<int32_t>, double> p;
  double all = 0;
  for (const auto& text : found) {
    p[text.tokens] = -text.log_probability;
    all += std::exp(text.log_probability);
  }
  CHECK(p[{1, 2}] == doctest::Approx(1.6864).epsilon(1e-4));
  CHECK(p[{1}] == doctest::Approx(2.0919).epsilon(1e-4));
  CHECK(p[{}] == doctest::Approx(4 * std::log(3.0)));
  CHECK(all == doctest::Approx(1));
}

TEST_CASE("beam search with enough beams finds the likeliest text; its probability is CTC's") {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Generator generator(seed);
    const Tensor log_probs = log_softmax(randn({5, 4}, f64, generator) * 2, -1);
    const auto found = speech::beam_texts(log_probs, 10'000);
    for (size_t i = 0; i < found.size(); i += 7) {
      const std::vector<int64_t> tokens(found[i].tokens.begin(), found[i].tokens.end());
      const auto count = static_cast<int64_t>(tokens.size());
      const Tensor loss = ctc_loss(log_probs, from_vector(tokens, {count}), full({}, 5, i64),
                                   full({}, static_cast<double>(count), i64), 0, Reduction::sum);
      CHECK(loss.item() == doctest::Approx(-found[i].log_probability).epsilon(1e-9));
    }
    for (size_t i = 1; i < found.size(); ++i)
      CHECK(found[i].log_probability <= found[i - 1].log_probability);
    const auto narrow = speech::beam_texts(log_probs, 3);
    CHECK(narrow.size() == 3);
    CHECK(narrow[0].log_probability <= found[0].log_probability + 1e-12);
  }
}

TEST_CASE("the likeliest text may differ from that of the likeliest path") {
  // Both moments' likeliest is the blank, 0.6 · 0.6; but "1" has three paths: 1 − 0.36.
  const Tensor log_probs = log(from_vector<double>({0.6, 0.4, 0.6, 0.4}, {2, 2}));
  CHECK(speech::greedy_spans(log_probs).empty());
  const auto best = speech::beam_texts(log_probs, 8);
  CHECK(best[0].tokens == std::vector<int32_t>{1});
  CHECK(std::exp(best[0].log_probability) == doctest::Approx(0.64));
  CHECK(std::exp(best[1].log_probability) == doctest::Approx(0.36));
}

TEST_CASE("a cost of tokens: a longer text must be so much likelier") {
  const std::vector<speech::Transcript> texts{{{1, 1}, -1.0}, {{1}, -1.6}, {{}, -2.6}};
  const auto tokens = [&](double cost) { return speech::cheapest(texts, cost).tokens.size(); };
  CHECK(tokens(0) == 2);
  CHECK(tokens(0.5) == 2);
  CHECK(tokens(0.7) == 1);
  CHECK(tokens(1) == 1);  // of equal ones the first
  CHECK(tokens(1.1) == 0);
  check_error("there are no transcripts", [] { speech::cheapest({}, 1); });
}

TEST_CASE("decoding refuses what is no log p") {
  const Tensor nan = full({2, 3}, NAN);
  check_error("log p has NaN", [&] { speech::greedy_spans(nan); });
  check_error("log p has NaN", [&] { speech::beam_texts(nan, 2); });
  check_error("expected (moments, tokens)", [] { speech::greedy_spans(zeros({3})); });
  check_error("beams is 0", [] { speech::beam_texts(zeros({2, 3}), 0); });
}

}  // namespace
}  // namespace tarsier::zoo
