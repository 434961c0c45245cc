#pragma once
// Standard MIDI files: notes with their times, read and written.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarsier::zoo {

/// A note that sounds from tick `start` to tick `end`.
struct MidiNote {
  int64_t start = 0, end = 0;
  int pitch = 60;  ///< 0 … 127; 60 is the middle C, 69 the concert pitch of 440 Hz
  int velocity = 64;
  int channel = 0;  ///< 0 … 15; kDrums has no pitches but instruments

  bool operator==(const MidiNote&) const = default;
};
constexpr int kDrums = 9;

struct MidiTrack {
  std::string name = "";
  int program = 0;                   ///< the instrument: 0 is a piano, 19 a church organ
  std::vector<MidiNote> notes = {};  ///< by their start
};

/// From tick `tick` on a beat takes so many microseconds.
struct MidiTempo {
  int64_t tick = 0, microseconds = 500'000;
};

struct Midi {
  int64_t ticks_per_beat = 480;
  std::vector<MidiTempo> tempos = {};  ///< by their tick; before the first: 120 beats a minute
  std::vector<MidiTrack> tracks = {};
  int64_t unfinished = 0;  ///< notes without an end, which are left out

  /// The tick at which the last note ends.
  int64_t length() const;
  /// The time of a tick in seconds, by the tempos.
  double seconds(int64_t tick) const;
};

/// Reads the bytes of a standard MIDI file of type 0 or 1. `source` is named in errors.
/// An off, also a note-on with velocity 0, ends all notes of its channel and pitch but one that
/// begins at the same tick (as pretty_midi does). A status byte may be left out if it repeats
/// (running status), also after a meta event (as mido allows). Chunks of other kinds, and events
/// other than notes, tempos and track names, are skipped. An end of track that is not the last
/// event of its track is ignored. Tempos count wherever they stand.
/// Throws Error("midi") that names the byte: no MIDI file, type 2, time in SMPTE frames, a length
/// that reaches beyond its track or the file, a byte that is no event, missing tracks.
/// Source: "Standard MIDI files 1.0", MIDI Manufacturers Association, RP-001.
Midi parse_midi(std::string_view bytes, const std::string& source);
/// The same of the file `path`. Throws also Error("file").
Midi read_midi(const std::string& path);

/// The bytes of a file of type 1: a track with the tempos, then the tracks. Ends of notes are
/// note-ons with velocity 0, so that status bytes can be left out; at the same tick ends come
/// first. Throws Error("midi") for numbers that a MIDI file cannot hold.
std::string midi_bytes(const Midi& midi);
/// The same as the file `path`, written completely or not at all. Throws also Error("file").
void write_midi(const std::string& path, const Midi& midi);

/// 60,000,000 / beats per minute, rounded: 451,128 for 133.
int64_t microseconds_per_beat(double beats_per_minute);

/// The step of a tick on a grid, halves to the even step: with 480 ticks a beat and 4 steps a beat
/// tick 60 is step 0, and tick 180 step 2 (as muspy's adjust_resolution).
int64_t grid_step(int64_t tick, int64_t ticks_per_beat, int64_t steps_per_beat);

}  // namespace tarsier::zoo
