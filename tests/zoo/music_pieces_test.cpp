// Pieces: their files, windows and transpositions, those made by rules, and how notes are counted.
#include "zoo/music/pieces.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/music/chorale.h"
#include "zoo/music/midi_score.h"
#include "zoo/music/roll.h"
#include "zoo/music/windows.h"

namespace tarsier::zoo::music {
namespace {

TEST_CASE("notes on a grid are read, as parts and as chords") {
  const std::vector<Score> parts =
      read_grid("72,67,60,48 72,-1,60,48\n\n71,67,62,43\n", "x", Grid::parts, 0);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].voices == 4);
  CHECK(parts[0].notes == std::vector<int32_t>{72, 67, 60, 48, 72, -1, 60, 48});
  CHECK(parts[1].steps() == 1);
  CHECK(grid_text(parts[0]) == "72,67,60,48 72,-1,60,48");
  // Chords: the lowest note is the last, rests stand above it; equal notes count once.
  const std::vector<Score> chords =
      read_grid("48,60,67,72 60,48,72 55 - 48,48,60", "x", Grid::chords, 0);
  CHECK(chords[0].notes == std::vector<int32_t>{72, 67, 60, 48, 72, 60, -1, 48, -1, -1,
                                                -1, 55, -1, -1, -1, -1, 60, -1, -1, 48});
}

TEST_CASE("what is no grid of notes is an error with line and step") {
  const auto error = [](const std::string& text, Grid grid, int64_t voices = 0) {
    return error_of([&] { read_grid(text, "a.txt", grid, voices); });
  };
  CHECK(error("60,64\n60,x\n", Grid::parts) ==
        "[data] 'a.txt', line 2: step 1 is '60,x', but must be MIDI pitches from 0 to 127 with "
        "commas between them, -1 for a rest");
  CHECK(
      error("60,64 60,128", Grid::parts).starts_with("[data] 'a.txt', line 1: step 2 is '60,128'"));
  CHECK(error("60,64 60,-2", Grid::parts).starts_with("[data] 'a.txt', line 1: step 2 is '60,-2'"));
  CHECK(error("60,64 60", Grid::parts) ==
        "[data] 'a.txt', line 1: step 2 has 1 note, but there are 2 voices, and each needs a pitch "
        "or -1; chords are read with --set grid=chords");
  CHECK(error("60,64,67", Grid::chords, 2) ==
        "[data] 'a.txt', line 1: step 1 has 3 notes, but there are at most 2 voices");
  for (const int64_t voices : {0, 4})
    for (const char* text : {"", " \n\n"})
      CHECK(error(text, Grid::parts, voices) ==
            "[data] 'a.txt' has no notes: expected a piece a line");
  CHECK(error("60,\xff", Grid::parts).starts_with("[data] 'a.txt' is not UTF-8 text"));
}

TEST_CASE("a folder has a file for each part, of the grid that is asked for, or MIDI files") {
  const Scratch scratch;
  for (const std::string part : {"train", "valid", "test"}) {
    scratch.write("a16-" + part + ".txt", "60,48 62,48\n");
    scratch.write("a-quarter-" + part + ".txt", "48,60,64\n");
  }
  CHECK(read_pieces(scratch.path(""), Grid::parts).train[0].voices == 2);
  CHECK(read_pieces(scratch.path(""), Grid::chords).test[0].voices == 3);
  scratch.write("b16-train.txt", "60,48\n");
  check_error("has 2 files that end in 'train.txt' and contain '16': leave one",
              [&] { read_pieces(scratch.path(""), Grid::parts); });
  const Scratch other;
  check_error(
      "holds no files: expected files that end in train.txt, valid.txt and test.txt, or "
      "MIDI files",
      [&] { read_pieces(other.path(""), Grid::parts); });
  other.write("train.txt", "60,48\n");
  check_error("has 'train.txt', but no file that ends in valid.txt",
              [&] { read_pieces(other.path(""), Grid::parts); });
  check_error("has 2 pieces: at least 3 are needed",
              [&] { read_pieces(other.write("two.txt", "60\n62\n"), Grid::parts); });
  check_error("a.mid' is a MIDI file, which holds one piece: give a folder of such files",
              [&] { read_pieces(other.write("a.mid", "MThd...."), Grid::parts); });
  const PieceFiles one = read_pieces(other.write("one.txt", "60\n62\n64\n65\n"), Grid::parts);
  CHECK(one.train.size() == 2);
  CHECK(one.val.size() == 1);
  CHECK(one.test.size() == 1);
}

TEST_CASE("a piece written as MIDI is read as the same piece; a folder of such files is data") {
  const Score piece{4, {72, 67, 60, 48, 72, 67, 60, -1, 74, 67, 62, 47, 74, 67, 62, 47}};
  const Midi midi = midi_of(piece);
  CHECK(midi.tracks[0].name == "soprano");
  CHECK(midi.tracks[0].notes == std::vector<MidiNote>{{0, 240, 72, 80, 0}, {240, 480, 74, 80, 0}});
  CHECK(midi.tracks[3].notes.size() == 2);
  CHECK(score_of(parse_midi(midi_bytes(midi), "x"), 4, "x").notes == piece.notes);
  // Parts are sorted by height; a part with chords makes all of it chords.
  Midi mixed = midi;
  std::swap(mixed.tracks[0], mixed.tracks[2]);
  CHECK(score_of(mixed, 4, "x").notes == piece.notes);
  Midi chords{.tempos = {}, .tracks = {{"", 0, {{0, 480, 60, 64, 0}, {0, 240, 64, 64, 0}}}}};
  CHECK(score_of(chords, 4, "x").notes == std::vector<int32_t>{64, 60, 64, 60, -1, 60, -1, 60});
  check_error("has no note that is as long as a step of the grid", [] {
    score_of({.tempos = {}, .tracks = {{"", 0, {{0, 9, 60, 64, 0}}}}}, 4, "x");
  });
  check_error("'x' has only drums, which are left out", [] {
    score_of({.tempos = {}, .tracks = {{"", 0, {{0, 480, 38, 64, kDrums}}}}}, 4, "x");
  });
  check_error("'x' has no notes that end",
              [] { score_of({.tempos = {}, .tracks = {{}}}, 4, "x"); });
  const Scratch scratch;
  for (const std::string name : {"a", "b", "c"}) write_midi(scratch.path(name + ".mid"), midi);
  std::filesystem::create_directories(scratch.path("val"));
  write_midi(scratch.path("val/d.MID"), midi_of({1, {60, 60}}));
  const PieceFiles files = read_pieces(scratch.path(""), Grid::parts);
  CHECK(files.train.size() == 1);
  CHECK(files.val.size() == 2);
  CHECK(files.test.size() == 1);
  CHECK(std::any_of(files.val.begin(), files.val.end(), [](const Score& score) {
    return score.notes == std::vector<int32_t>{-1, -1, -1, 60, -1, -1, -1, 60};
  }));
}

TEST_CASE("pieces are shifted only within the range of each voice in training") {
  const std::vector<Score> pieces{{2, {72, 48, 79, 50}}, {2, {74, 45, 76, 52}}};
  const Range range(pieces, 2);
  CHECK(range.low() == 45);
  CHECK(range.high() == 79);
  CHECK(range.shifts(pieces[0], -5, 6) == std::vector<int32_t>{0});
  CHECK(range.shifts(pieces[1], -5, 6) == std::vector<int32_t>{0});
  CHECK(range.shifts({2, {74, -1, 75, -1}}, -5, 6) == std::vector<int32_t>{-2, -1, 0, 1, 2, 3, 4});
  CHECK(range.shifts({2, {90, 48}}, -5, 6) == std::vector<int32_t>{0});  // as it is, if none fits
  CHECK(transposed({2, {74, -1}}, 3).notes == std::vector<int32_t>{77, -1});
  CHECK(note_name(60) == "C4");
  CHECK(note_name(36) == "C2");
  CHECK(note_name(78) == "F♯5");
  CHECK(note_name(-1) == "rest");
}

TEST_CASE("windows cover every note once, and those of training depend on the step alone") {
  std::vector<Score> pieces(3, Score{2, {}});
  for (size_t i = 0; i < 3; ++i)
    for (int32_t n = 0; n < 2 * static_cast<int32_t>(7 + 5 * i); ++n)
      pieces[i].notes.push_back(60 + n % 5);
  const Facts facts(2, 60, 66, 4, false);
  std::multiset<const int32_t*> seen;
  for_each_window(pieces, 8, [&](const std::vector<Window>& windows) {
    for (const Window& w : windows) {
      CHECK(w.end - w.begin <= 8);
      CHECK(w.begin % 2 == 0);
      if (w.first > 0) CHECK(w.first - w.begin >= 4);  // half of it is context
      for (int64_t i = w.first; i < w.end; ++i) seen.insert(w.score->notes.data() + i);
    }
    const Batch batch = window_batch(facts, windows);
    CHECK(count_nonzero(batch["targets"] >= 0).item() == static_cast<double>(batch.items));
  });
  size_t notes = 0;
  for (const Score& piece : pieces) notes += piece.notes.size();
  CHECK(seen.size() == notes);
  CHECK(std::set(seen.begin(), seen.end()).size() == notes);

  const Range range(pieces, 2);
  const auto drawn = [&](int64_t number) {
    return training_batch(facts, pieces, range, {-5, 6}, {1, 0}, number, 3, 8).tensors;
  };
  CHECK(same_bits(drawn(4), drawn(4)));
  CHECK_FALSE(same_bits(drawn(4), drawn(5)));
  CHECK(drawn(1)["facts"].shape() == Shape{3, 8, 7});
}

TEST_CASE("chorales made by rules keep the rules") {
  std::set<std::vector<int32_t>> different;
  int moves = 0, parallels = 0;
  for (uint64_t i = 0; i < 12; ++i) {
    const Score score = chorale({1, i});
    CHECK(score.voices == 4);
    CHECK(score.steps() == 4 * 8 * 4);
    different.insert(score.notes);
    for (int64_t step = 0; step < score.steps(); ++step) {
      const auto at = [&](int64_t s, int64_t v) { return score.at(s, v); };
      for (int64_t v = 0; v < 3; ++v) {
        CHECK(at(step, v) >= at(step, v + 1) - 2);  // a passing note may cross
        if (step % 4 == 0) CHECK(at(step, v) >= at(step, v + 1));
        if (step % 4 == 0 && v < 2) CHECK(at(step, v) - at(step, v + 1) <= 12);
      }
      if (step % 4 != 0 || step == 0) continue;
      for (int64_t a = 0; a < 4; ++a)
        for (int64_t b = a + 1; b < 4; ++b) {
          const int before = (at(step - 4, a) - at(step - 4, b)) % 12,
                    after = (at(step, a) - at(step, b)) % 12;
          ++moves;
          parallels +=
              at(step, a) != at(step - 4, a) && before == after && (after == 0 || after == 7);
        }
    }
    // The last chord is a triad on the note of its bass.
    std::set<int> last;
    for (int64_t v = 0; v < 4; ++v)
      last.insert((score.at(score.steps() - 1, v) - score.at(score.steps() - 1, 3) + 48) % 12);
    CHECK((last == std::set<int>{0, 4, 7} || last == std::set<int>{0, 3, 7}));
  }
  CHECK(different.size() == 12);
  CHECK(parallels * 100 < moves);
  CHECK(chorale({1, 3}).notes == chorale({1, 3}).notes);
}

TEST_CASE("a piano roll draws each held note once, and what was given pale") {
  const Score score{2, {72, 48, 72, 50, 74, 50, 74, -1}};
  const std::string roll = piano_roll(score, 2, 1, "a roll").markup;
  const auto count = [&](const std::string& what) {
    size_t n = 0;
    for (size_t at = roll.find(what); at != roll.npos; at = roll.find(what, at + 1)) ++n;
    return n;
  };
  CHECK(count("<title>") == 5);  // C5 in two parts, D5, C3, D3
  CHECK(count("opacity=\".4\"") == 2);
  CHECK(count("<title>C5</title>") == 2);
  CHECK(count("class=\"s0\"") == 3);
  CHECK_THROWS_AS(piano_roll({1, {-1}}, 2), Error);
}

/// Mean of −ln p(note | context) over the test part, with counts of the training part:
///   p(x | own note before) = (n(x) + 0.1) / (n + 0.1·47),
///   p(x | own note before, voice above) = (n'(x) + 16·p(x | own note before)) / (n' + 16).
/// The first is `bigram`.
double counted_nats(const PieceFiles& files, bool bigram) {
  constexpr size_t kNotes = 130;  // with kSilence, and −2 where there is none
  std::vector<double> one(4 * kNotes * kNotes), two(one.size() * kNotes), all_one(4 * kNotes),
      all_two(one.size());
  const auto number = [](const Score& score, int64_t i, bool exists = true) {
    return static_cast<size_t>(2 + (exists ? score.notes[static_cast<size_t>(i)] : -2));
  };
  const auto contexts = [&](const Score& score, int64_t i) {
    const size_t a = static_cast<size_t>(i % 4) * kNotes + number(score, i - 4, i >= 4);
    return std::pair(a, a * kNotes + number(score, i - 1, i % 4 > 0));
  };
  for (const Score& score : files.train)
    for (int64_t i = 0; i < score.size(); ++i) {
      const auto [a, b] = contexts(score, i);
      const size_t note = number(score, i);
      ++one[a * kNotes + note], ++two[b * kNotes + note], ++all_one[a], ++all_two[b];
    }
  double sum = 0, notes = 0;
  for (const Score& score : files.test)
    for (int64_t i = 0; i < score.size(); ++i, ++notes) {
      const auto [a, b] = contexts(score, i);
      const size_t note = number(score, i);
      double p = (one[a * kNotes + note] + 0.1) / (all_one[a] + 4.7);
      if (!bigram) p = (two[b * kNotes + note] + 16 * p) / (all_two[b] + 16);
      sum -= std::log(p);
    }
  return sum / notes;
}

TEST_CASE("Bach's chorales: sizes, and counts reach the figures of the data's description" *
          doctest::test_suite("long")) {
  if (!have_data("music-generation/jsb16-train.txt")) return;
  const std::string folder = data_file("music-generation").string();
  const PieceFiles files = read_pieces(folder, Grid::parts);
  CHECK(files.train.size() == 229);
  CHECK(files.val.size() == 76);
  CHECK(files.test.size() == 77);
  int64_t steps = 0, notes = 0;
  for (const Score& score : files.train) steps += score.steps();
  for_each_window(files.test, 256, [&](const std::vector<Window>& windows) {
    for (const Window& w : windows) notes += w.end - w.first;
  });
  CHECK(steps == 55'228);
  CHECK(notes == 4 * 18'900);  // every note of every sixteenth counts, held ones too
  const Range range(files.train, 4);
  CHECK(range.low() == 36);
  CHECK(range.high() == 81);
  CHECK(counted_nats(files, true) == doctest::Approx(0.983).epsilon(0.001));
  CHECK(counted_nats(files, false) == doctest::Approx(0.876).epsilon(0.001));
  const PieceFiles quarters = read_pieces(folder, Grid::chords);
  CHECK(quarters.voices() == 4);
  int64_t frames = 0;
  for (const Score& score : quarters.test) frames += score.steps();
  CHECK(frames == 4'725);
}

}  // namespace
}  // namespace tarsier::zoo::music
