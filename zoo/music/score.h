#pragma once
// Music on a grid of time: which note each voice has at each step.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"

namespace tarsier::zoo::music {

/// No note, in place of a pitch.
constexpr int32_t kSilence = -1;

/// A piece: MIDI pitches (60 is the middle C) or kSilence, voices interleaved: the notes of all
/// voices at step 0, from the highest voice to the lowest, then those at step 1, … A note that is
/// held is written again at every step.
struct Score {
  int64_t voices = 4;
  std::vector<int32_t> notes = {};

  int64_t size() const { return static_cast<int64_t>(notes.size()); }
  int64_t steps() const { return size() / voices; }
  int32_t at(int64_t step, int64_t voice) const {
    return notes[static_cast<size_t>(step * voices + voice)];
  }
};

/// The same piece, higher by so many semitones.
Score transposed(const Score& score, int32_t semitones);

/// The notes of a step, in any order, as those of so many voices: the lowest note in the lowest
/// voice, the others from the highest voice down. Equal notes count once.
std::vector<int32_t> voiced(std::vector<int32_t> chord, int64_t voices);

/// "C4", "F♯3", "rest".
std::string note_name(int32_t pitch);

/// The pitches that a model knows: the lowest to the highest, and those of each voice.
struct Range {
  struct Voice {
    int32_t low = 127, high = 0;
  };
  std::vector<Voice> voices;

  Range() = default;
  /// Of all notes of `scores`, which have so many voices.
  Range(const std::vector<Score>& scores, int64_t voices);

  int32_t low() const;
  int32_t high() const;
  /// The shifts between `least` and `most` by which a score stays within the range of each of its
  /// voices. Always contains 0.
  std::vector<int32_t> shifts(const Score& score, int32_t least, int32_t most) const;
};

}  // namespace tarsier::zoo::music
