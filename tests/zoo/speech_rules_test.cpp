// What training changes in recordings, one change at a time; silence; where long sound is cut.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nn/init.h"
#include "zoo/speech/examples.h"
#include "zoo/speech/model.h"

namespace tarsier::zoo::speech {
namespace {

std::vector<float> tone(double hertz, int64_t size) {
  std::vector<float> out;
  for (int64_t n = 0; n < size; ++n)
    out.push_back(
        static_cast<float>(0.5 * std::sin(2 * 3.14159265 * hertz * static_cast<double>(n) / 8000)));
  return out;
}

/// Two single recordings of tokens 1 and 2, and a string.
TrainingSet small_set() {
  return {{{"a", "a", {1}, tone(440, 1600)},
           {"b", "b", {2}, tone(880, 1600)},
           {"c", "a b", {1, 3, 2}, tone(660, 3200)}},
          2,
          {3}};
}

/// No change at all.
const Augmentation kNone{.speed = 0, .gain = 0, .noise = 0, .join = 0, .masking = {0, 0, 0, 0}};

std::vector<int64_t> targets_of(const Batch& batch) {
  return batch["targets"].to_vector<int64_t>();
}

TEST_CASE("a training batch without changes is the recordings as they are") {
  const TrainingSet set = small_set();
  const Features features(8000, 20);
  const Batch batch = training_batch(set, {1, 2}, features, kNone, {1, 1}),
              plain = plain_batch(set.examples, {1, 2}, features);
  CHECK(batch["frames"].to_vector() == plain["frames"].to_vector());
  CHECK(targets_of(batch) == targets_of(plain));
}

TEST_CASE("loudness changes by at most so many decibels, up and down") {
  const TrainingSet set = small_set();
  const Features features(8000, 20);
  Augmentation louder = kNone;
  louder.gain = 6;
  const Tensor plain = plain_batch(set.examples, {0}, features)["frames"];
  double least = 0, most = 0;
  for (uint64_t stream = 0; stream < 30; ++stream) {
    const Tensor frames = training_batch(set, {0}, features, louder, {1, stream})["frames"];
    // The band of the tone; others may be at the bottom of the scale.
    const double change = (max(frames) - max(plain)).item();
    least = std::min(least, change), most = std::max(most, change);
  }
  CHECK(most > 3);
  CHECK(most < 6.01);
  CHECK(least < -3);
  CHECK(least > -6.01);
}

TEST_CASE("noise has up to the share of a recording's power, loud or quiet, each as often") {
  const Features features(8000, 20);
  Augmentation noisy = kNone;
  noisy.noise = 0.1;
  /// The power in the bands far above the tone.
  const auto high = [](const Tensor& frames) {
    return mean(pow(10, slice(frames, 2, 10, 20) / 10)).item();
  };
  for (const double loudness : {1.0, 0.1}) {
    TrainingSet set = small_set();
    std::vector<float>& samples = set.examples[0].samples;
    for (float& x : samples) x = static_cast<float>(x * loudness);
    // As much as there may be: the tone of amplitude a has the power a²/2.
    Example most = set.examples[0];
    const double deviation = std::sqrt(0.1 * 0.125 * loudness * loudness);
    Generator generator(1);
    const Tensor hiss = randn({1600}, {}, generator) * deviation;
    for (size_t n = 0; n < 1600; ++n) most.samples[n] += static_cast<float>(hiss.to_vector()[n]);
    const double whole = high(plain_batch({most}, {0}, features)["frames"]);
    double sum = 0, least = 1, largest = 0;
    for (uint64_t stream = 0; stream < 100; ++stream) {
      const double share =
          high(training_batch(set, {0}, features, noisy, {1, stream})["frames"]) / whole;
      sum += share, least = std::min(least, share), largest = std::max(largest, share);
    }
    CHECK(std::abs(sum / 100 - 0.5) < 0.1);
    CHECK(least < 0.1);
    CHECK(largest > 0.8);
    CHECK(largest < 1.4);
  }
}

TEST_CASE("speed changes both ways") {
  const TrainingSet set = small_set();
  const Features features(8000, 20);
  Augmentation faster = kNone;
  faster.speed = 10;
  std::set<int64_t> lengths;
  for (uint64_t stream = 0; stream < 30; ++stream)
    lengths.insert(
        training_batch(set, {0}, features, faster, {1, stream})["lengths"].to_vector<int64_t>()[0]);
  CHECK(*lengths.begin() < features.frames(1600));
  CHECK(*lengths.rbegin() > features.frames(1600));
}

TEST_CASE(
    "stretches: as often longer as shorter, at one pitch, and each joined recording its own") {
  TrainingSet set = small_set();
  const Features features(8000, 20);
  Augmentation stretches = kNone;
  stretches.stretch = 100;
  const auto plain = static_cast<double>(features.frames(1600));
  const auto loudest = [](const Tensor& frames) { return argmax(mean(frames, 1), -1).item(); };
  const double pitch = loudest(plain_batch(set.examples, {0}, features)["frames"]);
  double longer = 0, least = 1, most = 1;
  for (uint64_t stream = 0; stream < 60; ++stream) {
    const Batch batch = training_batch(set, {0}, features, stretches, {1, stream});
    const double factor = batch["lengths"].item() / plain;
    longer += factor > 1, least = std::min(least, factor), most = std::max(most, factor);
    CHECK(loudest(batch["frames"]) == pitch);
  }
  CHECK(std::abs(longer / 60 - 0.5) < 0.2);
  CHECK(least < 0.6);
  CHECK(least > 0.47);
  CHECK(most > 1.7);
  CHECK(most < 2.03);
  // Of two joined tones, the share of the first one varies.
  stretches.join = 1, stretches.join_most = 1;
  least = 1, most = 0;
  for (uint64_t stream = 0; stream < 40; ++stream) {
    const Batch batch = training_batch(set, {0}, features, stretches, {1, stream});
    if (targets_of(batch).back() != 2) continue;
    const double first = mean(to(argmax(batch["frames"], -1) == pitch, f64)).item();
    least = std::min(least, first), most = std::max(most, first);
  }
  CHECK(least < 0.4);
  CHECK(most > 0.6);
}

TEST_CASE("single recordings are joined with the tokens between; strings are not") {
  const TrainingSet set = small_set();
  const Features features(8000, 20);
  Augmentation joins = kNone;
  joins.join = 1, joins.join_most = 1;
  for (uint64_t stream = 0; stream < 10; ++stream) {
    const Batch batch = training_batch(set, {0, 2}, features, joins, {1, stream});
    const std::vector<int64_t> targets = targets_of(batch);
    REQUIRE(targets.size() == 6);
    CHECK(targets[0] == 1);
    CHECK(targets[1] == 3);
    CHECK((targets[2] == 1 || targets[2] == 2));
    CHECK(std::vector<int64_t>(targets.begin() + 3, targets.end()) ==
          std::vector<int64_t>{1, 3, 2});
    CHECK(batch["target_lengths"].to_vector<int64_t>() == std::vector<int64_t>{3, 3});
  }
}

TEST_CASE("equal recordings of a batch get different masks") {
  const TrainingSet set = small_set();
  const Features features(8000, 20);
  Augmentation masks = kNone;
  masks.masking = {.frequency_masks = 1, .frequency_width = 10, .time_masks = 0};
  const Tensor frames = training_batch(set, {0, 0, 0, 0, 0, 0}, features, masks, {1, 1})["frames"];
  std::set<std::vector<double>> different;
  for (int64_t b = 0; b < 6; ++b) different.insert(select(frames, 0, b).to_vector());
  CHECK(different.size() > 3);
}

TEST_CASE("features: silence has finite ones, and the order of recordings does not matter") {
  Features silent(8000, 20);
  silent.learn({std::vector<float>(4000)});
  for (const float value : silent(std::vector<float>(800)).values) CHECK(std::isfinite(value));
  std::vector<std::vector<float>> sounds;
  for (int i = 0; i < 12; ++i) sounds.push_back(tone(150 + 97.3 * i, 800 + 31 * i));
  Features a(8000, 20), b(8000, 20);
  a.learn(sounds);
  std::reverse(sounds.begin(), sounds.end());
  b.learn(sounds);
  CHECK(a.to_json() == b.to_json());
}

TEST_CASE("long sound is never cut in the first half of a piece, however quiet that is") {
  std::vector<float> samples(10'000, 0.5f);
  std::fill(samples.begin() + 100, samples.begin() + 400, 0.0f);
  std::vector<int64_t> sizes;
  for_each_piece(
      10'000, 1000,
      [&](int64_t begin, int64_t count) {
        return Sound{8000, {samples.begin() + begin, samples.begin() + begin + count}};
      },
      [&](const Sound& piece) { sizes.push_back(std::ssize(piece.samples)); });
  for (size_t i = 0; i + 1 < sizes.size(); ++i) CHECK(sizes[i] >= 500);
}

TEST_CASE("without anything else a speech recogniser attends to what is near") {
  Generator generator(2);
  SpeechRecognizer model(
      {.tokens = 3, .mels = 8, .channels = 2, .width = 8, .layers = 1, .heads = 2, .mlp_width = 8},
      generator);
  model.eval();
  const NoGrad no_grad;
  for (const auto& [name, parameter] : model.named_parameters())
    if (name.ends_with("in_proj_weight")) nn::zeros_(parameter);
  const Tensor seen = model.attention(randn({1, 40, 8}), from_vector<int64_t>({40}, {1}))[0];
  const std::vector<double> first = select(select(select(seen, 0, 0), 0, 0), 0, 0).to_vector();
  REQUIRE(first.size() == 10);
  for (size_t t = 1; t < first.size(); ++t) CHECK(first[t] < first[t - 1]);
}

}  // namespace
}  // namespace tarsier::zoo::speech
