#include "zoo/speech/examples.h"

#include <algorithm>
#include <cmath>

#include "zoo/audio/resample.h"
#include "zoo/audio/stretch.h"

namespace tarsier::zoo::speech {

std::vector<Example> examples_of(std::vector<Utterance> recordings, const Tokenizer& tokenizer,
                                 int64_t rate) {
  std::vector<Example> out;
  for (Utterance& one : recordings)
    out.push_back({std::move(one.name), tokenizer.as_written(one.text), tokenizer.encode(one.text),
                   resampled(one.sound, rate).samples});
  return out;
}

namespace {

/// Numbers from one stream, in order.
struct Draws {
  RandomKey key;
  uint64_t next = 0;

  double number(double low, double high) {
    return low + (high - low) * uniform<double>(key, next++);
  }
  /// From low to high, both included.
  int64_t whole(int64_t low, int64_t high) {
    return low +
           static_cast<int64_t>(uniform<double>(key, next++) * static_cast<double>(high - low + 1));
  }
};

/// What recordings become: the sound of one or several in a row, and how long each will last.
struct Changed {
  std::vector<float> samples;
  std::vector<Stretch> pieces;
};

/// The samples, louder or quieter, with noise.
void change_loudness(std::vector<float>& samples, const Augmentation& augmentation, Draws& draws) {
  const double gain = std::pow(10, draws.number(-augmentation.gain, augmentation.gain) / 20);
  double power = 0;
  for (const float x : samples) power += x * x;
  const double share = draws.number(0, augmentation.noise);
  // Uniform in ±a has the power a²/3.
  const double noise = std::sqrt(3 * share * power / static_cast<double>(samples.size()));
  for (float& x : samples) {
    const double hiss = augmentation.noise > 0 ? draws.number(-noise, noise) : 0;
    x = static_cast<float>(gain * (x + hiss));
  }
}

/// Appends `samples`, changed.
void append(Changed& all, std::vector<float> samples, const Features& features,
            const Augmentation& augmentation, Draws& draws) {
  samples = at_speed(samples, 100 + draws.whole(-augmentation.speed, augmentation.speed));
  change_loudness(samples, augmentation, draws);
  all.samples.insert(all.samples.end(), samples.begin(), samples.end());
  const double longest = std::log(1 + static_cast<double>(augmentation.stretch) / 100);
  const Stretch piece{features.frames(std::ssize(all.samples)),
                      std::exp(draws.number(-longest, longest))};
  // What is shorter than a frame has none of its own.
  if (all.pieces.empty() || piece.end > all.pieces.back().end) all.pieces.push_back(piece);
}

}  // namespace

Batch training_batch(const TrainingSet& set, const std::vector<int64_t>& chosen,
                     const Features& features, const Augmentation& augmentation, RandomKey key) {
  Draws draws{key};
  // All or none: recordings of a batch stay of similar length, with little padding.
  const bool joins = set.singles > 0 && draws.number(0, 1) < augmentation.join;
  const int64_t more = joins ? draws.whole(1, augmentation.join_most) : 0;
  std::vector<Frames> frames;
  std::vector<std::vector<int32_t>> tokens;
  for (const int64_t i : chosen) {
    const Example& example = set.examples[static_cast<size_t>(i)];
    Changed all;
    append(all, example.samples, features, augmentation, draws);
    std::vector<int32_t> text = example.tokens;
    for (int64_t k = 0; k < more && i < set.singles; ++k) {
      const Example& other = set.examples[static_cast<size_t>(draws.whole(0, set.singles - 1))];
      append(all, other.samples, features, augmentation, draws);
      text.insert(text.end(), set.between.begin(), set.between.end());
      text.insert(text.end(), other.tokens.begin(), other.tokens.end());
    }
    frames.push_back(stretched(features(all.samples), all.pieces));
    mask(frames.back(), augmentation.masking, 0, {key.seed, key.stream ^ (draws.next << 32)});
    tokens.push_back(std::move(text));
  }
  return batch_of(frames, tokens);
}

Batch plain_batch(const std::vector<Example>& all, const std::vector<int64_t>& chosen,
                  const Features& features) {
  std::vector<Frames> frames;
  std::vector<std::vector<int32_t>> tokens;
  for (const int64_t i : chosen) {
    frames.push_back(features(all[static_cast<size_t>(i)].samples));
    tokens.push_back(all[static_cast<size_t>(i)].tokens);
  }
  return batch_of(frames, tokens);
}

}  // namespace tarsier::zoo::speech
