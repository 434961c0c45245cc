#pragma once
// Recordings for the tests of speech recognition: words that are tones.

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "tests/zoo/scratch.h"
#include "zoo/audio/wav.h"

namespace tarsier::zoo {

/// A tone of `hertz`, 0.2 s at 4 kHz; `i` varies its length and loudness a little.
inline Sound tone_word(double hertz, int i) {
  Sound out{4000, {}};
  const double loudness = 0.2 + 0.01 * (i % 7);
  for (int n = 0; n < 800 + 40 * (i % 3); ++n)
    out.samples.push_back(
        static_cast<float>(loudness * std::sin(2 * std::numbers::pi * hertz * n / 4000)));
  return out;
}

/// Writes the table `folder`/`name` with the lines "file<TAB>word", `count` words in turn, and the
/// WAV files that it names. Word k is a tone of 300 · (k + 1) Hz.
inline void write_tones(const Scratch& scratch, const std::string& folder, const std::string& name,
                        const std::vector<std::string>& words, int count, bool reversed = false) {
  std::filesystem::create_directories(scratch.path(folder + "/wav"));
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) {
    const size_t k = static_cast<size_t>(i) % words.size();
    const std::string file = name + "-" + std::to_string(i) + ".wav";
    write_wav(scratch.path(folder + "/wav/" + file),
              tone_word(300 * (static_cast<double>(k) + 1), i));
    lines.push_back(file + "\t" + words[k]);
  }
  if (reversed) std::reverse(lines.begin(), lines.end());
  scratch.write(folder + "/" + name + ".tsv", joined(lines));
}

/// The --set values of a recogniser that trains in milliseconds.
inline const Changes kTinySpeech = {{"layers", "1"},     {"heads", "2"},       {"width", "16"},
                                    {"mlp_width", "16"}, {"channels", "4"},    {"mels", "8"},
                                    {"batch_size", "8"}, {"warmup_steps", "2"}};

}  // namespace tarsier::zoo
