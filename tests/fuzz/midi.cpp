// MIDI files, and the pieces that predict and train make of them.
#include "zoo/audio/midi.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/music/midi_score.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::Midi midi = zoo::parse_midi(bytes, "input");
  for (const zoo::MidiTrack& track : midi.tracks)
    for (const zoo::MidiNote& note : track.notes)
      promise(note.end > note.start && note.pitch >= 0 && note.pitch < 128, "a note has a length");
  promise(midi.seconds(midi.length()) >= 0, "time does not run backwards");
  const zoo::music::Score score = zoo::music::score_of(midi, 4, "input");
  promise(score.voices >= 1 && score.voices <= 16 && score.size() == score.steps() * score.voices,
          "a piece has whole steps");
}
