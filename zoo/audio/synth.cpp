#include "zoo/audio/synth.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr double kRise = 0.01, kFall = 0.12;  // seconds
constexpr int kOvertones = 8;

/// A note of `seconds`, without its fall.
struct Tone {
  double start, seconds, frequency, loudness;

  /// From 0 to 1, t seconds after the start.
  double envelope(double t) const {
    const double rise = std::min(1.0, t / kRise);
    return t < seconds ? rise : rise * std::max(0.0, 1 - (t - seconds) / kFall);
  }

  void add_to(Sound& sound) const {
    const auto rate = static_cast<double>(sound.rate);
    const auto begin = static_cast<int64_t>(start * rate);
    const auto count = static_cast<int64_t>((seconds + kFall) * rate);
    for (int k = 1; k <= kOvertones && k * frequency < rate / 2; ++k) {
      const double volume = loudness / std::pow(k, 1.6);
      const double turn = 2 * std::numbers::pi * k * frequency / rate;
      for (int64_t i = 0; i < count; ++i) {
        const double t = static_cast<double>(i) / rate;
        sound.samples[static_cast<size_t>(begin + i)] +=
            static_cast<float>(volume * envelope(t) * std::exp(-0.7 * k * t) *
                               std::sin(turn * static_cast<double>(i)));
      }
    }
  }
};

}  // namespace

Sound synthesise(const Midi& midi, int64_t rate) {
  const double length = midi.seconds(midi.length());
  check(midi.length() > 0, "midi", "there is no note to play");
  check(length <= 3600, "midi", "music of ", static_cast<int64_t>(length),
        " seconds: at most an hour can be played");
  Sound sound{.rate = rate, .samples = {}};
  sound.samples.resize(static_cast<size_t>((length + 1) * static_cast<double>(rate)) + 1);
  for (const MidiTrack& track : midi.tracks) {
    for (const MidiNote& note : track.notes) {
      if (note.channel == kDrums) continue;
      const double start = midi.seconds(note.start);
      Tone{start, midi.seconds(note.end) - start, 440 * std::exp2((note.pitch - 69) / 12.0),
           note.velocity / 127.0}
          .add_to(sound);
    }
  }
  float loudest = 0;
  for (const float sample : sound.samples) loudest = std::max(loudest, std::abs(sample));
  if (loudest > 0.9f)
    for (float& sample : sound.samples) sample *= 0.9f / loudest;
  return sound;
}

}  // namespace tarsier::zoo
