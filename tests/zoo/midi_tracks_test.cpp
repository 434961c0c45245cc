// MIDI files: several tracks and tempos, chunks and events of other kinds; how notes sound.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "zoo/audio/midi.h"
#include "zoo/audio/synth.h"

namespace tarsier::zoo {
namespace {

using namespace std::string_literals;

std::string chunk(const std::string& name, const std::string& data) {
  return name + "\0\0\0"s + static_cast<char>(data.size()) + data;
}

/// A file of type 1 with 96 ticks a beat and these chunks, of which `tracks` are tracks.
Midi file_of(char tracks, const std::string& chunks) {
  return parse_midi("MThd\0\0\0\6\0\1\0"s + tracks + "\0\x60"s + chunks, "test");
}

const std::string kEnd = "\0\xFF\x2F\0"s, kNote = "\0\x90\x3C\x50\x60\x3C\0"s;

TEST_CASE("tempos of a written MIDI file stand where they were") {
  Midi midi;
  midi.tempos = {{0, 500'000}, {480, 400'000}, {1440, 300'000}};
  midi.tracks = {{"", 0, {{0, 1920, 60, 80, 0}}}};
  const Midi read = parse_midi(midi_bytes(midi), "test");
  REQUIRE(read.tempos.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(read.tempos[i].tick == midi.tempos[i].tick);
    CHECK(read.tempos[i].microseconds == midi.tempos[i].microseconds);
  }
}

TEST_CASE("tempos of several tracks are in order of time; one of 0 is none") {
  const Midi midi =
      file_of(2, chunk("MTrk", "\x60\xFF\x51\3\0\0\7"s + kEnd) +
                     chunk("MTrk", "\0\xFF\x51\3\0\0\5\0\xFF\x51\3\0\0\0"s + kNote + kEnd));
  REQUIRE(midi.tempos.size() == 2);
  CHECK(midi.tempos[0].microseconds == 5);
  CHECK(midi.tempos[1].microseconds == 7);
  CHECK(midi.tempos[1].tick == 96);
}

TEST_CASE("chunks that are no tracks, and bytes after the last track, are left out") {
  const std::string track = chunk("MTrk", kNote + kEnd);
  for (const Midi& midi :
       {file_of(1, chunk("XFIH", "hello") + track), file_of(1, track + "junk")}) {
    REQUIRE(midi.tracks.size() == 1);
    CHECK(midi.tracks[0].notes == std::vector<MidiNote>{{0, 96, 60, 80, 0}});
  }
}

TEST_CASE("the first name of a track is its name") {
  const Midi midi = file_of(1, chunk("MTrk", "\0\xFF\3\3one\0\xFF\3\3two"s + kNote + kEnd));
  CHECK(midi.tracks.at(0).name == "one");
}

TEST_CASE("a note sounds as loud as its velocity, fades, and ends soon after its end") {
  const auto sound_of = [](int velocity) {
    Midi midi;
    midi.tempos = {{0, 500'000}};
    midi.tracks = {{"", 0, {{0, 1920, 60, velocity, 0}}}};  // two seconds
    return synthesise(midi, 8000).samples;
  };
  const auto loudest = [](const std::vector<float>& x, double from, double to) {
    float most = 0;
    for (auto i = static_cast<size_t>(8000 * from); i < static_cast<size_t>(8000 * to); ++i)
      most = std::max(most, std::abs(x[i]));
    return most;
  };
  const std::vector<float> soft = sound_of(20), loud = sound_of(40);
  CHECK(loudest(loud, 0, 1) == doctest::Approx(2 * loudest(soft, 0, 1)));
  CHECK(loudest(soft, 0, 0.3) < 20.0 / 127 * 3);  // of eight sines Σ 1/k^1.6 at most
  CHECK(loudest(soft, 0, 0.3) > 20.0 / 127);
  CHECK(loudest(soft, 1.6, 1.9) < 0.6f * loudest(soft, 0, 0.3));
  CHECK(loudest(soft, 2.1, 2.13) < 0.3f * loudest(soft, 1.9, 2));
  CHECK(loudest(soft, 2.13, 2.9) == 0);
}

}  // namespace
}  // namespace tarsier::zoo
