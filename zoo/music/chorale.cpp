#include "zoo/music/chorale.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "autograd/base/error.h"

namespace tarsier::zoo::music {

namespace {

constexpr int kVoices = 4, kStepsPerBeat = 4, kPhrases = 4, kChordsPerPhrase = 7;
constexpr std::array<Range::Voice, kVoices> kRanges{{{60, 79}, {55, 72}, {48, 67}, {40, 60}}};

using Chord = std::array<int32_t, kVoices>;  // a pitch for each voice, the highest first

/// Degrees of the scale from 0 (the tonic), and what may follow each: II, III, … lead to V, and V
/// to I or VI. The diminished VII is left out.
constexpr std::array<std::array<int, 4>, 6> kFollows{{
    {1, 3, 4, 5},  // I → II, IV, V, VI
    {4, 4, 4, 0},  // II → V, sometimes I
    {5, 3, 5, 3},  // III → VI, IV
    {4, 0, 1, 4},  // IV → V, I, II
    {0, 0, 5, 0},  // V → I, sometimes VI
    {1, 3, 3, 2},  // VI → II, IV, III
}};

/// Draws numbers one after the other.
struct Dice {
  RandomKey key;
  uint64_t count = 0;

  double share() { return uniform<double>(key, count++); }
  int below(int n) { return static_cast<int>(share() * n); }
  bool chance(double p) { return share() < p; }
};

struct Key {
  int tonic;   // 0 … 11
  bool minor;  // harmonic: with the leading note

  /// Degree 0 … 6 and higher ones as a pitch class.
  int note(int degree) const {
    constexpr std::array<int, 7> major{0, 2, 4, 5, 7, 9, 11}, harmonic{0, 2, 3, 5, 7, 8, 11};
    const auto at = static_cast<size_t>(degree % 7);
    return (tonic + (minor ? harmonic : major)[at]) % 12;
  }
  /// The triad on a degree. III of the minor has the seventh note without its accidental.
  std::array<int, 3> triad(int degree) const {
    std::array<int, 3> notes{note(degree), note(degree + 2), note(degree + 4)};
    if (minor && degree == 2) notes[2] = (tonic + 10) % 12;
    return notes;
  }
};

/// The chords of all phrases, as degrees.
std::vector<int> harmony(Dice& dice) {
  std::vector<int> degrees;
  for (int phrase = 0; phrase < kPhrases; ++phrase) {
    degrees.push_back(0);
    for (int i = 1; i < kChordsPerPhrase - 2; ++i)
      degrees.push_back(
          kFollows[static_cast<size_t>(degrees.back())][static_cast<size_t>(dice.below(4))]);
    const bool half = phrase + 1 < kPhrases && dice.chance(0.4);  // ends on V
    degrees.push_back(half ? dice.chance(0.5) ? 3 : 1 : 4);
    degrees.push_back(half ? 4 : 0);
  }
  return degrees;
}

/// Whether two voices that move keep a fifth or an octave between them.
bool has_parallels(const Chord& from, const Chord& to) {
  for (size_t a = 0; a < kVoices; ++a) {
    for (size_t b = a + 1; b < kVoices; ++b) {
      const int before = (from[a] - from[b]) % 12, after = (to[a] - to[b]) % 12;
      if (before == after && (after == 0 || after == 7) && from[a] != to[a]) return true;
    }
  }
  return false;
}

/// How far the voices move, in semitones; leaps count more, the bass less.
double movement(const Chord& from, const Chord& to) {
  double cost = 0;
  for (size_t v = 0; v < kVoices; ++v) {
    const int step = std::abs(to[v] - from[v]);
    cost += (step > 5 ? 2.0 * step : step) * (v == 3 ? 0.3 : 1.0);
  }
  return cost + (from[0] == to[0] ? 1.5 : 0);  // a melody that stands still is dull
}

/// Calls use(chord) for every voicing of a triad with `bass` as the pitch class of the bass.
template <class Use>
void for_each_voicing(const std::array<int, 3>& triad, int bass, const Use& use) {
  const auto for_each = [&](size_t voice, int low, int high, const auto& use_pitch) {
    low = std::max(low, kRanges[voice].low);
    for (int pitch = low; pitch <= std::min(high, kRanges[voice].high); ++pitch)
      if (std::find(triad.begin(), triad.end(), pitch % 12) != triad.end()) use_pitch(pitch);
  };
  for_each(3, 0, 127, [&](int b) {
    if (b % 12 != bass) return;
    for_each(2, b, 127, [&](int t) {
      for_each(1, t, t + 12, [&](int a) {
        for_each(0, a, a + 12, [&](int s) {
          for (const int note : triad)
            if (s % 12 != note && a % 12 != note && t % 12 != note && b % 12 != note) return;
          use(Chord{s, a, t, b});
        });
      });
    });
  });
}

/// The voicing of a triad that follows best from `from`, if there is one before.
Chord voiced(const std::array<int, 3>& triad, int bass, const std::optional<Chord>& from,
             Dice& dice) {
  std::optional<Chord> best;
  double least = 0;
  for_each_voicing(triad, bass, [&](const Chord& chord) {
    // At the beginning the middle of the ranges; parallels only if nothing else is left.
    double cost = from ? movement(*from, chord) + (has_parallels(*from, chord) ? 1000 : 0)
                       : std::abs(chord[0] - 70) + std::abs(chord[2] - 58);
    cost += 4 * dice.share();
    if (best && cost >= least) return;
    best = chord;
    least = cost;
  });
  check(best.has_value(), "music", "a triad has no voicing");
  return *best;
}

/// The note between two that are a third apart, if the scale has one; else the first.
int32_t passing(int32_t from, int32_t to, const Key& key) {
  if (std::abs(to - from) != 3 && std::abs(to - from) != 4) return from;
  for (int degree = 0; degree < 7; ++degree)
    for (int32_t pitch = std::min(from, to) + 1; pitch < std::max(from, to); ++pitch)
      if (pitch % 12 == key.note(degree)) return pitch;
  return from;
}

}  // namespace

Score chorale(RandomKey random) {
  Dice dice{random};
  const Key key{dice.below(12), dice.chance(0.4)};
  const std::vector<int> degrees = harmony(dice);
  std::vector<Chord> chords;
  for (size_t i = 0; i < degrees.size(); ++i) {
    const std::array<int, 3> triad = key.triad(degrees[i]);
    const auto place = static_cast<int>(i) % kChordsPerPhrase;
    const bool turned = place > 0 && place < kChordsPerPhrase - 2 && dice.chance(0.25);
    chords.push_back(voiced(triad, turned ? triad[1] : triad[0],
                            chords.empty() ? std::nullopt : std::optional(chords.back()), dice));
  }
  Score score{.voices = kVoices};
  for (size_t i = 0; i < chords.size(); ++i) {
    const bool ends = i % kChordsPerPhrase == kChordsPerPhrase - 1;
    Chord second = chords[i];  // what sounds from the half beat on
    for (size_t v = 0; v < kVoices && !ends; ++v)
      if (dice.chance(0.4)) second[v] = passing(chords[i][v], chords[i + 1][v], key);
    for (int step = 0; step < (ends ? 2 : 1) * kStepsPerBeat; ++step) {
      const Chord& now = step < kStepsPerBeat / 2 ? chords[i] : second;
      score.notes.insert(score.notes.end(), now.begin(), now.end());
    }
  }
  return score;
}

}  // namespace tarsier::zoo::music
