#pragma once
// Pieces as MIDI files, and back.

#include <cstdint>
#include <string>

#include "../audio/midi.h"
#include "score.h"

namespace tarsier::zoo::music {

/// How to write a piece.
struct Performance {
  int64_t steps_per_beat = 4;
  double beats_per_minute = 80;
  int program = 19;  ///< a church organ
};

/// A track for each voice; the 16th voice has the channel of the first, because one is for drums.
/// Equal notes of adjacent steps are one held note: a grid does not tell
/// held and repeated notes apart.
Midi midi_of(const Score& score, const Performance& performance = {});

/// The notes of `midi` on a grid, with the parts from high to low by their mean pitch; drums are
/// left out. A part is a track and channel. If no part has two notes at once, each is a voice;
/// otherwise the notes of a step are spread over voices as read_grid() does with chords. Starts and
/// ends are rounded to steps; a note that ends at the step of its start vanishes. The piece ends
/// with the last note.
/// Throws Error("midi") with `source` if there is no note, or more than 16 sound at once.
Score score_of(const Midi& midi, int64_t steps_per_beat, const std::string& source);

}  // namespace tarsier::zoo::music
