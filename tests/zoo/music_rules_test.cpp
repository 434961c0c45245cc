// Rules of music: facts, windows, long generation, performances, how files are split.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <utility>

#include "nn/init.h"
#include "tests/zoo/scratch.h"
#include "zoo/music/chorale.h"
#include "zoo/music/generate.h"
#include "zoo/music/midi_score.h"
#include "zoo/music/pieces.h"
#include "zoo/music/roll.h"
#include "zoo/music/windows.h"

namespace tarsier::zoo::music {
namespace {

std::vector<int64_t> facts_at(const Facts& facts, const Score& score, int64_t i) {
  std::vector<int64_t> out;
  facts.append(score, i, out);
  return out;
}

TEST_CASE("facts: how long a note is held, up to 32 steps, and which voices above have moved") {
  const Facts facts(3, 48, 80, 16);
  Score held{.voices = 3};
  for (int step = 0; step < 40; ++step) held.notes.insert(held.notes.end(), {72, 60, 48});
  const size_t place = 2 * 3 - 1;  // after three notes and two intervals
  const auto held_for = [&](int64_t step) {
    return facts_at(facts, held, 3 * step)[place] - facts_at(facts, held, 3)[place];
  };
  CHECK(held_for(2) == 1);
  CHECK(held_for(20) == 19);
  CHECK(held_for(38) == held_for(36));
  // Of the lowest voice: nothing moved, the first, the second, both.
  std::vector<int64_t> moved;
  for (const auto& [first, second] : {std::pair{72, 60}, {74, 60}, {72, 62}, {74, 62}})
    moved.push_back(facts_at(facts, {3, {72, 60, 48, first, second, 48}}, 5).back());
  CHECK(moved == std::vector<int64_t>{moved[0], moved[0] + 1, moved[0] + 2, moved[0] + 3});
}

TEST_CASE("windows: notes that were predicted earlier are context, and no targets") {
  const Facts facts(2, 48, 80, 16);
  const Score score{2, {72, 60, 74, 62, 76, 64}};
  const Batch batch = window_batch(facts, {{&score, 0, 6, 4}});
  CHECK(batch["targets"].to_vector<int64_t>() ==
        std::vector<int64_t>{kNoTarget, kNoTarget, kNoTarget, kNoTarget, 28, 16});
  CHECK(batch.items == 2);
}

TEST_CASE("beyond its window, a model that writes keeps the later half of what it saw") {
  Generator generator(7);
  MusicTransformer model({.voices = 2,
                          .low = 60,
                          .high = 66,
                          .bar = 4,
                          .window = 8,
                          .width = 8,
                          .layers = 2,
                          .heads = 2,
                          .mlp_width = 16,
                          .dropout = 0},
                         generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  model.eval();
  const int64_t length = 30, window = model.config.window;
  Score open{2, std::vector<int32_t>(static_cast<size_t>(length), kOpen)};
  const Score score = written(model, open, {.temperature = 0});
  const NoGrad no_grad;
  Score again{2, std::vector<int32_t>(static_cast<size_t>(length), 60)};
  for (int64_t i = 0, begin = 0; i < length; ++i) {
    if (i - begin >= window) begin = i - window / 2;
    std::vector<int64_t> known;
    for (int64_t k = begin; k <= i; ++k) model.facts.append(again, k, known);
    const Tensor logits = model(from_vector(known, {1, i + 1 - begin, model.facts.count()}));
    const int64_t best =
        argmax(select(select(logits, 1, i - begin), 0, 0), 0).to_vector<int64_t>()[0];
    again.notes[static_cast<size_t>(i)] = model.facts.note_of(best);
  }
  CHECK(score.notes == again.notes);
}

TEST_CASE("what writes to the stream of a new Music Transformer starts smaller") {
  Generator generator(1);
  MusicTransformer model({.layers = 2}, generator);
  const auto deviation = [](const Tensor& w) { return std::sqrt(mean(square(w)).item()); };
  CHECK(std::abs(deviation(model.layers[0].attn.in_proj.weight) - 0.02) < 0.001);
  CHECK(std::abs(deviation(model.layers[0].attn.out_proj.weight) - 0.01) < 0.001);
  CHECK(std::abs(deviation(model.layers[1].linear2.weight) - 0.01) < 0.001);
}

TEST_CASE("training windows begin at both ends as well, and shifts do not depend on the place") {
  const Facts facts(1, 48, 96, 32);
  Score score{1, {}};
  for (int32_t step = 0; step < 20; ++step) score.notes.push_back(60 + step);
  const Range range({{1, {50, 90}}}, 1);
  constexpr size_t kPlace = 3;  // after a note, how long it is held, and the voice
  const int64_t start = facts_at(facts, score, 0)[kPlace];
  int64_t first = 0, all = 0, up = 0;
  for (int64_t number = 1; number <= 50; ++number) {
    const Batch batch = training_batch(facts, {score}, range, {-5, 6}, {1, 2}, number, 8, 4);
    for (int64_t b = 0; b < 8; ++b, ++all) {
      const auto known = select(select(batch["facts"], 0, b), 0, 0).to_vector<int64_t>();
      if (known[kPlace] != start) continue;
      ++first;
      up += select(batch["targets"], 0, b).to_vector<int64_t>()[0] > 60 - 48 ? 1 : 0;
    }
  }
  // Steps 0, 1 and 2 of 20 are in the middle of the first window; half of all shifts go up.
  CHECK(std::abs(static_cast<double>(first) / static_cast<double>(all) - 0.15) < 0.05);
  CHECK(std::abs(static_cast<double>(up) / static_cast<double>(first) - 0.5) < 0.2);
}

TEST_CASE("a performance has the tempo, length of steps and instrument that are asked for") {
  const Midi midi =
      midi_of({1, {60, 60, 62}}, {.steps_per_beat = 1, .beats_per_minute = 100, .program = 5});
  CHECK(midi.tempos[0].microseconds == 600'000);
  REQUIRE(midi.tracks.size() == 1);
  CHECK(midi.tracks[0].program == 5);
  CHECK(midi.tracks[0].notes[0].end == 2 * midi.ticks_per_beat);
  CHECK(midi.seconds(midi.length()) == doctest::Approx(1.8));
  // Sixteen voices: none on the channel of the drums, and all can be written.
  const Midi many = midi_of({16, std::vector<int32_t>(16, 60)});
  for (const MidiTrack& track : many.tracks) CHECK(track.notes.at(0).channel != kDrums);
  CHECK_NOTHROW(midi_bytes(many));
}

TEST_CASE("a note that reaches into the next one of its pitch is held, and no chord") {
  const Midi midi{.tempos = {}, .tracks = {{"", 0, {{0, 350, 60, 64, 0}, {240, 480, 60, 64, 0}}}}};
  const Score score = score_of(midi, 4, "x");
  CHECK(score.voices == 1);
  CHECK(score.notes == std::vector<int32_t>{60, 60, 60, 60});
}

TEST_CASE("of twenty pieces in a file two validate and two test; generated chords are quarters") {
  const Scratch scratch;
  std::string text;
  for (int piece = 0; piece < 20; ++piece) text += concat(50 + piece, "\n");
  const PieceFiles files = read_pieces(scratch.write("a.txt", text), Grid::parts);
  CHECK(files.train.size() == 16);
  CHECK(files.val.size() == 2);
  CHECK(files.test.size() == 2);
  const PieceFiles parts = generated_pieces(Grid::parts), chords = generated_pieces(Grid::chords);
  CHECK(4 * chords.train[0].steps() == parts.train[0].steps());
}

TEST_CASE("phrases of made-up chorales end on the tonic, or now and then on the fifth above it") {
  double tonic = 0, fifth = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    const Score score = chorale({3, i});
    const int32_t last = score.notes.back();  // the bass of the last chord, which is the tonic
    REQUIRE(score.steps() == 4 * 32);
    for (int64_t phrase = 0; phrase < 3; ++phrase) {
      const int32_t above = (score.at(32 * phrase + 31, 3) - last + 120) % 12;
      (above == 0 ? tonic : fifth) += 1;
      CHECK((above == 0 || above == 7));
    }
  }
  CHECK(std::abs(fifth / (tonic + fifth) - 0.4) < 0.15);
}

TEST_CASE(
    "made-up chorales in minor have III with the note that the scale has without accidental") {
  int natural = 0, raised = 0;
  for (uint64_t i = 0; i < 60; ++i) {
    const Score score = chorale({4, i});
    const int32_t tonic = score.notes.back();
    const auto degrees = [&](int64_t step) {
      std::set<int32_t> out;
      for (int64_t v = 0; v < 4; ++v) out.insert((score.at(step, v) - tonic + 120) % 12);
      return out;
    };
    if (!degrees(score.steps() - 1).contains(3)) continue;  // major
    for (int64_t step = 0; step < score.steps(); step += 4) {
      natural += degrees(step) == std::set<int32_t>{3, 7, 10};
      raised += degrees(step) == std::set<int32_t>{3, 7, 11};
    }
  }
  CHECK(natural > 5);
  CHECK(raised == 0);
}

TEST_CASE(
    "a folder's piece with far more voices than the others is left out, one with some is not") {
  const auto voices_of = [](int64_t odd) {
    const Scratch scratch;
    for (int i = 0; i < 10; ++i)
      write_midi(scratch.path(concat(i, ".mid")), midi_of({2, {72, 48, 74, 50}}));
    Score piece{odd, {}};
    for (int64_t v = 0; v < odd; ++v) piece.notes.push_back(80 - static_cast<int32_t>(v));
    write_midi(scratch.path("odd.mid"), midi_of(piece));
    const PieceFiles files = read_pieces(scratch.path(""), Grid::parts);
    CHECK(files.train.size() + files.val.size() + files.test.size() + files.left_out == 11);
    return std::pair(files.voices(), files.left_out);
  };
  CHECK(voices_of(4) == std::pair<int64_t, int64_t>(4, 0));
  CHECK(voices_of(5) == std::pair<int64_t, int64_t>(2, 1));
  CHECK(voices_of(16) == std::pair<int64_t, int64_t>(2, 1));
}

TEST_CASE("a piano roll has high notes above low ones") {
  const std::string roll = piano_roll({2, {72, 48}}, 4).markup;
  const auto height_of = [&](const std::string& name) {
    const size_t title = roll.find("<title>" + name), y = roll.rfind("y1=\"", title);
    return std::stod(roll.substr(y + 4));
  };
  CHECK(height_of("C5") < height_of("C3"));
}

}  // namespace
}  // namespace tarsier::zoo::music
