#include "zoo/audio/midi.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "autograd/base/error.h"
#include "autograd/io/file.h"

namespace tarsier::zoo {

int64_t Midi::length() const {
  int64_t last = 0;
  for (const MidiTrack& track : tracks)
    for (const MidiNote& note : track.notes) last = std::max(last, note.end);
  return last;
}

double Midi::seconds(int64_t tick) const {
  double seconds = 0;
  MidiTempo now;
  const auto add = [&](int64_t until) {
    seconds += static_cast<double>(until - now.tick) * static_cast<double>(now.microseconds) / 1e6 /
               static_cast<double>(ticks_per_beat);
  };
  for (const MidiTempo& next : tempos) {
    if (next.tick >= tick) break;
    add(next.tick);
    now = next;
  }
  add(tick);
  return seconds;
}

int64_t microseconds_per_beat(double beats_per_minute) {
  return std::llround(60e6 / beats_per_minute);
}

int64_t grid_step(int64_t tick, int64_t ticks_per_beat, int64_t steps_per_beat) {
  return std::llrint(static_cast<double>(tick) * static_cast<double>(steps_per_beat) /
                     static_cast<double>(ticks_per_beat));
}

// --------------------------------------------------------------------------------------- writing

namespace {

/// The low `count` bytes of a number, the highest first.
std::string big_endian(int64_t value, int count) {
  std::string out;
  for (int i = count - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

/// A number of up to 28 bits, 7 in each byte.
std::string variable(int64_t value) {
  check(value >= 0 && value < int64_t{1} << 28, "midi", "a time or length of ", value,
        ": a MIDI file holds numbers from 0 to 268,435,455");
  std::string out(1, static_cast<char>(value & 0x7F));
  while ((value >>= 7) > 0) out.insert(out.begin(), static_cast<char>((value & 0x7F) | 0x80));
  return out;
}

std::string meta(int kind, const std::string& data) {
  return std::string{'\xFF', static_cast<char>(kind)} +
         variable(static_cast<int64_t>(data.size())) + data;
}

std::string chunk(const std::string& kind, const std::string& data) {
  return kind + big_endian(static_cast<int64_t>(data.size()), 4) + data;
}

/// A whole track of events that end here.
std::string track_chunk(const std::string& events) {
  return chunk("MTrk", events + '\0' + meta(0x2F, ""));
}

std::string tempo_track(const Midi& midi) {
  std::string events;
  int64_t tick = 0;
  for (const MidiTempo& tempo : midi.tempos) {
    check(tempo.microseconds > 0 && tempo.microseconds < 1 << 24, "midi", "a tempo of ",
          tempo.microseconds, " microseconds a beat: expected 1 to 16,777,215");
    events += variable(tempo.tick - tick) + meta(0x51, big_endian(tempo.microseconds, 3));
    tick = tempo.tick;
  }
  return track_chunk(events);
}

/// An on or an off: offs have velocity 0, and sort before ons of their tick.
using Event = std::tuple<int64_t, bool, int, int, int>;  // tick, is on, channel, pitch, velocity

std::string note_track(const MidiTrack& track) {
  std::vector<Event> all;
  for (const MidiNote& note : track.notes) {
    check(note.pitch >= 0 && note.pitch < 128 && note.velocity > 0 && note.velocity < 128 &&
              note.channel >= 0 && note.channel < 16 && note.start >= 0 && note.end > note.start,
          "midi", "a note of pitch ", note.pitch, ", velocity ", note.velocity, ", channel ",
          note.channel, " from tick ", note.start, " to ", note.end,
          ": expected 0–127, 1–127, 0–15, and an end after its start");
    all.emplace_back(note.start, true, note.channel, note.pitch, note.velocity);
    all.emplace_back(note.end, false, note.channel, note.pitch, 0);
  }
  std::sort(all.begin(), all.end());
  std::string events;
  if (!track.name.empty()) events += '\0' + meta(0x03, track.name);
  int64_t now = 0;
  int status = 0;
  if (track.program != 0 && !track.notes.empty()) {
    check(track.program > 0 && track.program < 128, "midi", "program ", track.program,
          ": expected 0 to 127");
    status = 0xC0 | track.notes.front().channel;
    events += {'\0', static_cast<char>(status), static_cast<char>(track.program)};
  }
  for (const auto& [tick, on, channel, pitch, velocity] : all) {
    events += variable(tick - now);
    if (status != (0x90 | channel)) events += static_cast<char>(status = 0x90 | channel);
    events += {static_cast<char>(pitch), static_cast<char>(velocity)};
    now = tick;
  }
  return track_chunk(events);
}

}  // namespace

std::string midi_bytes(const Midi& midi) {
  check(midi.ticks_per_beat > 0 && midi.ticks_per_beat < 0x8000, "midi", midi.ticks_per_beat,
        " ticks per beat: expected 1 to 32,767");
  check(midi.tracks.size() < 0xFFFF, "midi", midi.tracks.size(), " tracks: at most 65,534");
  const auto tracks = static_cast<int64_t>(midi.tracks.size()) + 1;
  std::string out =
      chunk("MThd", big_endian(1, 2) + big_endian(tracks, 2) + big_endian(midi.ticks_per_beat, 2));
  out += tempo_track(midi);
  for (const MidiTrack& track : midi.tracks) out += note_track(track);
  return out;
}

void write_midi(const std::string& path, const Midi& midi) {
  write_file_atomically(path, midi_bytes(midi));
}

}  // namespace tarsier::zoo
