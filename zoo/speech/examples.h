#pragma once
// Recordings at the model's rate with their texts as tokens, and how training changes them.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"
#include "../audio/masking.h"
#include "../data/tokenizer.h"
#include "features.h"
#include "recordings.h"

namespace tarsier::zoo::speech {

struct Example {
  std::string name;
  std::string text;             ///< as the tokenizer writes it
  std::vector<int32_t> tokens;  ///< kUnknown where training has none
  std::vector<float> samples;   ///< at the model's rate
};

/// The recordings at `rate`.
std::vector<Example> examples_of(std::vector<Utterance> recordings, const Tokenizer& tokenizer,
                                 int64_t rate);

/// What is trained on.
struct TrainingSet {
  std::vector<Example> examples;
  int64_t singles = 0;           ///< the first so many are single recordings, which may be joined
  std::vector<int32_t> between;  ///< the tokens between two joined texts: a space, or none
};

/// Random changes of training recordings. Each is drawn for each recording, also for each of those
/// that are joined; masks are drawn for the whole.
struct Augmentation {
  int64_t speed =
      10;  ///< percent: between so much slower and so much faster, which changes the pitch
  /// Percent: between so much longer and as many times shorter, at the same pitch. Some people say
  /// a word twice as long now as then.
  int64_t stretch = 0;
  double gain = 6;    ///< decibels: between so much quieter and so much louder
  double noise = 0;   ///< white noise, of up to this share of the recording's mean power
  double join = 0.5;  ///< the share of batches in which others are appended to each recording …
  int64_t join_most = 4;  ///< … one to so many of the training's single recordings
  /// One mask each: of two, at this size and for so few recordings, the model learns slowly.
  MaskingOptions masking = {.frequency_masks = 1, .time_masks = 1};
};

/// A training batch: "frames", "lengths", "targets", "target_lengths" as batch_of() makes them, of
/// the examples `chosen`, changed by random numbers from `key`.
Batch training_batch(const TrainingSet& set, const std::vector<int64_t>& chosen,
                     const Features& features, const Augmentation& augmentation, RandomKey key);

/// The examples `chosen` as they are.
Batch plain_batch(const std::vector<Example>& all, const std::vector<int64_t>& chosen,
                  const Features& features);

}  // namespace tarsier::zoo::speech
