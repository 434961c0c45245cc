#pragma once
// Recordings as the model sees them: normalised log-mel spectrograms, and batches of them.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../../autograd/io/json.h"
#include "../audio/spectrogram.h"
#include "../audio/wav.h"
#include "../task/batch.h"

namespace tarsier::zoo::speech {

/// The spectrogram of a sound at one rate, each band with mean 0 and deviation 1 over the training
/// data. A frame is the power of two samples that lasts 25 ms or a little longer; there is one
/// every 10 ms.
class Features {
 public:
  Features() = default;
  /// Without normalisation. Throws Error("speech") for a rate below 1,000.
  Features(int64_t rate, int64_t mels);

  /// Measures mean and deviation of every band over these samples at rate().
  void learn(const std::vector<std::vector<float>>& sounds);

  static Features from_json(const Json& json);  ///< Throws Error("json") or Error("speech").
  Json to_json() const;

  int64_t rate() const { return log_mel_.options().rate; }
  int64_t mels() const { return log_mel_.options().mels; }
  int64_t frames(int64_t samples) const { return log_mel_.frames(samples); }
  double seconds_of(int64_t frames) const;  ///< when frame `frames` begins

  /// (frames, mels). Throws Error("spectrogram") for no samples.
  Frames operator()(const std::vector<float>& samples) const;
  /// Of a sound at any rate.
  Frames operator()(const Sound& sound) const;

 private:
  LogMel log_mel_{{}};
  std::vector<double> mean_, deviation_;  // of each band
};

/// "frames" (B, T, mels), 0 after the end of a recording, and "lengths" (B) i64.
Batch batch_of(const std::vector<Frames>& frames);

/// The same with "targets" (B, S) i64, padded with 0, and "target_lengths" (B) i64.
Batch batch_of(const std::vector<Frames>& frames, const std::vector<std::vector<int32_t>>& tokens);

/// The fewest moments in which CTC can write these tokens: equal neighbours need a blank between
/// them.
int64_t moments_needed(const std::vector<int32_t>& tokens);

/// Calls `use` with the parts of a recording of `size` samples, in order, each of at most `most`
/// samples (100 or more): it is cut where the sound is quietest, in the middle of the `most` / 100
/// samples of least power in a part's second half. read(begin, count) gives samples, so a file need
/// not be in memory as a whole.
void for_each_piece(int64_t size, int64_t most,
                    const std::function<Sound(int64_t begin, int64_t count)>& read,
                    const std::function<void(const Sound&)>& use);

}  // namespace tarsier::zoo::speech
