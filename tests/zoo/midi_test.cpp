// MIDI files: bytes that mido writes and reads, damaged files, and music as sound.
#include "zoo/audio/midi.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/audio/synth.h"

namespace tarsier::zoo {
namespace {

/// "4d 54": bytes in hexadecimal, blanks ignored.
std::string bytes_of(const std::string& hex) {
  std::string digits, bytes;
  for (const char c : hex)
    if (c != ' ') digits += c;
  for (size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

/// A file of type 0 with 480 ticks a beat, whose one track has these events.
std::string file_of(const std::string& events) {
  const std::string track = bytes_of(events);
  return bytes_of("4d546864 00000006 0000 0001 01e0 4d54726b 000000") +
         static_cast<char>(track.size()) + track;
}

std::vector<MidiNote> notes_of(const std::string& events) {
  return parse_midi(file_of(events), "test").tracks.at(0).notes;
}

TEST_CASE("a MIDI file of mido is read: running status, tempo, both kinds of end") {
  // mido 1.3.3: MidiFile() with a track of set_tempo(bpm2tempo(133)), note_on 60 at 0, note_on 62
  // after 480, note_on 60 with velocity 0 after 300, note_off 62 after 180.
  const Midi midi = parse_midi(
      bytes_of("4d546864 00000006 0001 0001 01e0 4d54726b 0000001c 00ff510306e238 00903c40"
               "83603e40 822c3c00 8134803e40 00ff2f00"),
      "mido");
  CHECK(midi.ticks_per_beat == 480);
  REQUIRE(midi.tempos.size() == 1);
  CHECK(midi.tempos[0].microseconds == 451'128);
  CHECK(microseconds_per_beat(133) == 451'128);
  CHECK(microseconds_per_beat(70) == 857'143);
  CHECK(midi.tracks.at(0).notes ==
        std::vector<MidiNote>{{0, 780, 60, 64, 0}, {480, 960, 62, 64, 0}});
  CHECK(midi.length() == 960);
  CHECK(midi.seconds(960) == doctest::Approx(2 * 0.451128));
  CHECK(midi.unfinished == 0);
}

TEST_CASE("a MIDI file is written with the bytes that mido reads") {
  Midi midi;
  midi.tempos = {{0, 750'000}};
  midi.tracks = {{"soprano", 19, {{0, 480, 60, 80, 0}, {480, 960, 62, 80, 0}}},
                 {"", 0, {{0, 200, 48, 80, 1}}}};
  CHECK(midi_bytes(midi) ==
        bytes_of("4d546864 00000006 0001 0003 01e0"
                 "4d54726b 0000000b 00ff51030b71b0 00ff2f00"
                 "4d54726b 00000021 00ff0307 736f7072616e6f 00c013 00903c50 83603c00 003e50"
                 "83603e00 00ff2f00"
                 "4d54726b 0000000c 00913050 81483000 00ff2f00"));
  const Scratch scratch;
  write_midi(scratch.path("a.mid"), midi);
  const Midi read = read_midi(scratch.path("a.mid"));
  REQUIRE(read.tracks.size() == 3);  // the first has the tempo
  for (size_t i = 0; i < 2; ++i) {
    CHECK(read.tracks[i + 1].notes == midi.tracks[i].notes);
    CHECK(read.tracks[i + 1].name == midi.tracks[i].name);
    CHECK(read.tracks[i + 1].program == midi.tracks[i].program);
  }
  CHECK(read.seconds(480) == doctest::Approx(0.75));
}

TEST_CASE("an off ends all notes of its pitch but one that begins at its tick, as in pretty_midi") {
  // on@0, on@240, off@480
  CHECK(notes_of("00903c40 8170 3c40 8170 3c00 00ff2f00") ==
        std::vector<MidiNote>{{0, 480, 60, 64, 0}, {240, 480, 60, 64, 0}});
  // on@0, on@480, off@480, off@960
  CHECK(notes_of("00903c40 8360 3c40 00 3c00 8360 3c00 00ff2f00") ==
        std::vector<MidiNote>{{0, 480, 60, 64, 0}, {480, 960, 60, 64, 0}});
  // Notes without an end are left out, and counted; another channel or pitch does not end one.
  const Midi open = parse_midi(file_of("00903c40 10 3d00 00813c40 00ff2f00"), "open");
  CHECK(open.tracks.at(0).notes.empty());
  CHECK(open.unfinished == 1);
}

TEST_CASE("running status is kept across a meta event, but not across a system exclusive one") {
  CHECK(notes_of("00903c40 00ff0100 8360 3c00").size() == 1);  // no end of track: read all the same
  CHECK(error_of([] { notes_of("00903c40 00f00101 8360 3c00"); }) ==
        "[midi] 'test', byte 32: an event without a kind: no event before it has one. The file is "
        "damaged");
  // An end of track in the middle is dropped, and its time counts: 10 + 480.
  CHECK(notes_of("00903c40 0aff2f00 8360 803c40 00ff2f00") ==
        std::vector<MidiNote>{{0, 490, 60, 64, 0}});
  // Other events are skipped: control, program, bend, pressure, aftertouch, text.
  const Midi midi = parse_midi(
      file_of("00b04007 00c013 00e00040 00d040 00a03c10 00ff0302 6869 00903c40 10803c00"), "test");
  CHECK(midi.tracks[0].program == 19);
  CHECK(midi.tracks[0].name == "hi");
  CHECK(midi.tracks[0].notes.size() == 1);
}

TEST_CASE("tempos of all tracks count, from their tick on") {
  Midi midi{.ticks_per_beat = 100};
  midi.tempos = {{100, 1'000'000}, {300, 250'000}};
  CHECK(midi.seconds(0) == 0);
  CHECK(midi.seconds(100) == doctest::Approx(0.5));  // 120 beats a minute before the first
  CHECK(midi.seconds(300) == doctest::Approx(2.5));
  CHECK(midi.seconds(500) == doctest::Approx(3.0));
}

TEST_CASE("damaged MIDI files are refused with the byte") {
  const auto error = [](const std::string& bytes) {
    return error_of([&] { parse_midi(bytes, "x.mid"); });
  };
  const std::string good = file_of("00903c40 8360803c40 00ff2f00");
  CHECK(error("RIFF") ==
        "[midi] 'x.mid' is not a MIDI file: expected 'MThd' and a header of 14 "
        "bytes at its beginning");
  std::string bad = good;
  bad[9] = 2;
  CHECK(error(bad) ==
        "[midi] 'x.mid', byte 8: type 2: expected 0 or 1. The patterns of type 2 have "
        "no common time");
  bad = good;
  bad[12] = '\xE8';
  check_error("byte 12: a division of 59616: expected ticks per beat",
              [&] { parse_midi(bad, "x"); });
  bad = good;
  bad[11] = 2;
  CHECK(error(bad) ==
        "[midi] 'x.mid', byte 35: the file ends after 1 tracks, but its header says 2");
  bad = good;
  bad[21] = 99;
  CHECK(error(bad) ==
        "[midi] 'x.mid', byte 18: a chunk of 99 bytes, but the file has 13 left: it "
        "is cut off, or damaged");
  bad = good;
  bad[7] = 99;
  CHECK(error(bad) ==
        "[midi] 'x.mid', byte 4: a header of 99 bytes, but expected 6, and the file has 27 left");
  CHECK(error(good.substr(0, 18)) ==
        "[midi] 'x.mid', byte 14: 4 bytes, but a chunk begins with 8: the file is cut off");
  CHECK(error(file_of("00ff5103 07")) ==
        "[midi] 'x.mid', byte 26: an event of 3 bytes, but its track has 1 left. The file is "
        "damaged");
  CHECK(error(file_of("00903c")) ==
        "[midi] 'x.mid', byte 25: the track ends in the middle of an event. The file is damaged");
  CHECK(error(file_of("00903cc8")) ==
        "[midi] 'x.mid', byte 25: byte 200 is not data of an event. The file is damaged");
  CHECK(error(file_of("8080808000")) ==
        "[midi] 'x.mid', byte 26: a number of more than 4 bytes. The file is damaged");
  check_error("byte 241 begins no event of a file", [] { notes_of("00f100"); });
  // Every beginning of a good file is an error, and none a crash.
  for (size_t size = 0; size < good.size(); ++size)
    CHECK_THROWS_AS(parse_midi(good.substr(0, size), "x"), Error);
}

TEST_CASE("a MIDI file with any wrong byte is read, or refused with a MIDI error") {
  const std::string good = file_of("00ff51030b71b0 00903c40 10803c40 00913d40 8360 3d00 00ff2f00");
  int refused = 0;
  for (size_t at = 0; at < good.size(); ++at)
    for (const int byte : {0, 1, 0x7F, 0x80, 0x90, 0xF0, 0xF7, 0xFF}) {
      std::string bad = good;
      bad[at] = static_cast<char>(byte);
      try {
        const Midi midi = parse_midi(bad, "x");
        CHECK(midi.seconds(midi.length()) >= 0);
      } catch (const Error& error) {
        CHECK(std::string(error.what()).starts_with("[midi] 'x'"));
        ++refused;
      }
    }
  CHECK(refused > 100);
}

TEST_CASE("what a MIDI file cannot hold is refused") {
  const auto error = [](const MidiNote& note) {
    return error_of([&] { midi_bytes({.tempos = {}, .tracks = {{"", 0, {note}}}}); });
  };
  CHECK(error({0, 10, 200, 64, 0}).starts_with("[midi] a note of pitch 200, velocity 64"));
  CHECK(error({10, 10, 60, 64, 0}).find("an end after its start") != std::string::npos);
  CHECK(error({0, int64_t{1} << 30, 60, 64, 0}) ==
        "[midi] a time or length of 1073741824: a MIDI file holds numbers from 0 to 268,435,455");
  CHECK(error_of([] {
          midi_bytes({.tempos = {{0, 1 << 24}}, .tracks = {}});
        }) == "[midi] a tempo of 16777216 microseconds a beat: expected 1 to 16,777,215");
}

TEST_CASE("ticks are rounded to the grid as by muspy: start and end each, halves to even") {
  const auto span = [](int64_t start, int64_t duration) {
    const int64_t begin = grid_step(start, 480, 4), end = grid_step(start + duration, 480, 4);
    return std::pair(begin, end - begin);
  };
  CHECK(span(60, 60) == std::pair<int64_t, int64_t>(0, 1));
  CHECK(span(180, 60) == std::pair<int64_t, int64_t>(2, 0));
  CHECK(span(300, 120) == std::pair<int64_t, int64_t>(2, 2));
  CHECK(span(0, 30) == std::pair<int64_t, int64_t>(0, 0));
}

TEST_CASE("a note sounds with its frequency, from its start to its end, without clicks") {
  Midi midi;
  midi.tracks = {{"", 0, {{480, 1440, 69, 127, 0}, {0, 4800, 36, 127, kDrums}}}};
  const Sound sound = synthesise(midi, 8000);
  CHECK(sound.rate == 8000);
  CHECK(sound.seconds() == doctest::Approx(5 + 1).epsilon(1e-3));
  // The strength of a frequency, from the half second at which the note begins on.
  const auto strength = [&](double frequency) {
    double re = 0, im = 0;
    for (int i = 4000; i < 8000; ++i) {
      const double turn = 2 * 3.14159265358979 * frequency * i / 8000;
      re += sound.samples[static_cast<size_t>(i)] * std::cos(turn);
      im += sound.samples[static_cast<size_t>(i)] * std::sin(turn);
    }
    return std::hypot(re, im);
  };
  CHECK(strength(440) > 2 * strength(880));
  CHECK(strength(880) > 20 * strength(500));
  float before = 0, after = 0, jump = 0;
  for (size_t i = 0; i < 4000; ++i) before = std::max(before, std::abs(sound.samples[i]));
  for (size_t i = 13'000; i < sound.samples.size(); ++i)
    after = std::max(after, std::abs(sound.samples[i]));
  CHECK(before == 0);  // drums are left out
  CHECK(after == 0);
  CHECK(std::abs(sound.samples[4001]) < 0.05f);
  for (size_t i = 12'000; i < 13'000; ++i)
    jump = std::max(jump, std::abs(sound.samples[i] - sound.samples[i - 1]));
  CHECK(jump < 1);
  // Loud chords are not clipped.
  for (int pitch = 60; pitch < 90; ++pitch)
    midi.tracks[0].notes.push_back({480, 960, pitch, 127, 0});
  float loudest = 0;
  for (const float sample : synthesise(midi, 8000).samples)
    loudest = std::max(loudest, std::abs(sample));
  CHECK(loudest == doctest::Approx(0.9));
  CHECK(error_of([] { synthesise({}); }) == "[midi] there is no note to play");
  midi.tempos = {{0, 16'000'000}};
  midi.tracks[0].notes = {{0, 480 * 300, 60, 64, 0}};
  CHECK(error_of([&] { synthesise(midi); }) ==
        "[midi] music of 4800 seconds: at most an hour can be played");
}

}  // namespace
}  // namespace tarsier::zoo
