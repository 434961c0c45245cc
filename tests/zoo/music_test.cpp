// The whole Music Transformer: gradients, what it sees, learning, writing.
#include "zoo/music/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/audio/midi.h"
#include "zoo/audio/wav.h"
#include "zoo/music/generate.h"
#include "zoo/music/windows.h"

namespace tarsier::zoo {
namespace {

using music::Score;

music::Config tiny_music() {
  return {.voices = 2,
          .low = 60,
          .high = 63,
          .bar = 4,
          .window = 6,
          .width = 4,
          .layers = 2,
          .heads = 2,
          .mlp_width = 6,
          .dropout = 0};
}

/// Two voices, with held notes, rests and repeated ones.
const Score kPiece{2, {63, 60, 63, 61, 62, 61, 62, -1, 63, 62, 61, 62}};

Batch whole_piece(const music::Facts& facts) {
  return music::window_batch(facts, {{&kPiece, 0, kPiece.size()}});
}

TEST_CASE("the gradient of every weight of a whole Music Transformer is right") {
  Generator generator(3);
  music::MusicTransformer model(tiny_music(), generator);
  model.to(f64);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  const Batch batch = music::window_batch(model.facts, {{&kPiece, 0, 4}, {&kPiece, 4, 7, 5}});
  CHECK_NOTHROW(gradcheck(
      [&](const std::vector<Tensor>&) { return model.loss(batch["facts"], batch["targets"]); },
      model.parameters()));
  model.loss(batch["facts"], batch["targets"]).backward();
  CHECK(nn::check_gradients(model).empty());
}

TEST_CASE("the facts of a note are what earlier notes tell") {
  const music::Facts facts(2, 60, 63, 4, false);
  CHECK(facts.notes() == 5);
  CHECK(facts.count() == 7);
  CHECK(facts.rows() == 2 * 6 + 8 + 33 + 2 + 4 + 2);
  std::vector<int64_t> known;
  facts.append(kPiece, 5, known);  // the lower voice at step 2, after 60, 61; above it 63, 63, 62
  CHECK(known == std::vector<int64_t>{2, 6 + 1, 12 + 1 + 3, 20 + 1, 53 + 1, 55 + 2, 59 + 1});
  known.clear();
  facts.append(kPiece, 0, known);  // nothing before
  CHECK(known == std::vector<int64_t>{5, 6 + 5, 12 + 7, 20 + 0, 53, 55, 59});
  known.clear();
  facts.append(kPiece, 9, known);  // after a rest, which has no interval
  CHECK(known == std::vector<int64_t>{3, 6 + 4, 12 + 7, 20 + 1, 53 + 1, 55 + 0, 59 + 1});
  // Later notes change nothing.
  Score other = kPiece;
  for (size_t i = 5; i < other.notes.size(); ++i) other.notes[i] = 60;
  for (int64_t i = 0; i <= 5; ++i) {
    std::vector<int64_t> a, b;
    facts.append(kPiece, i, a);
    facts.append(other, i, b);
    CHECK(a == b);
  }
  const Batch batch = whole_piece(facts);
  CHECK(facts.previous(batch["facts"]).to_vector() ==
        std::vector<double>{5, 5, 3, 0, 3, 1, 2, 1, 2, 4, 3, 2});
  CHECK(error_of([&] { facts.index_of(64); }) ==
        "[music] the note E4 (MIDI pitch 64) is outside the range of the model, C4 to D♯4: "
        "transpose the piece");
}

TEST_CASE(
    "the echo is the note that followed the longest stretch of the notes before, the latest") {
  const music::Facts facts(2, 60, 63, 4, true);
  const auto echo = [&](const Score& score, int64_t i) {
    std::vector<int64_t> known;
    facts.append(score, i, known);
    return known.back() - 61;
  };
  const Score twice{2, {60, 61, 62, 63, 60, 61, 62, 63}};
  CHECK(echo(twice, 5) == 0);      // one note is as before: too little
  CHECK(echo(twice, 6) == 1 + 5);  // 60 61 was heard before 62: from 60 two up
  CHECK(echo(twice, 7) == 1 + 5);
  // After 60 61 first 62 came, then 63.
  CHECK(echo({2, {60, 61, 62, 62, 60, 61, 63, 62, 60, 61, 60, 60}}, 10) == 1 + 6);
  // 63 63 60 61 is longer, and earlier: two steps.
  CHECK(echo({2, {63, 63, 60, 61, 62, 62, 60, 61, 60, 62, 63, 63, 60, 61, 60, 60}}, 14) ==
        1 + 8 + 5);
  // Rests are heard as well; to and from them there is no interval.
  CHECK(echo({2, {60, 60, -1, -1, 60, 60, -1, -1}}, 6) == 1 + 7);
  Score held{1, std::vector<int32_t>(100, 60)};
  const music::Facts one(1, 60, 63, 4, true);
  std::vector<int64_t> known;
  one.append(held, 99, known);
  CHECK(known.back() - (one.rows() - 41) == 1 + 4 * 8 + 3);  // the longest kind, and no step
}

TEST_CASE("a logit is that of the note plus that of its interval") {
  Generator generator(5);
  music::MusicTransformer model(tiny_music(), generator);
  const NoGrad no_grad;
  const Batch batch = whole_piece(model.facts);
  nn::zeros_(model.head.weight);
  nn::zeros_(model.interval_head.weight);
  copy_(model.interval_head.bias, tensor({0, 1, 2, 3, 4, 5, 6, 7}));  // −3 … 3, and rests
  const Tensor logits = select(model(batch["facts"]), 0, 0);
  // Before note 2 its voice had 63: 60 is the interval −3, 63 the interval 0.
  CHECK(select(logits, 0, 2).to_vector() == std::vector<double>{0, 1, 2, 3, 7});
  CHECK(select(logits, 0, 3).to_vector() == std::vector<double>{3, 4, 5, 6, 7});  // 60
  CHECK(select(logits, 0, 0).to_vector() == std::vector<double>{7, 7, 7, 7, 7});  // none
}

TEST_CASE("a Music Transformer memorises a batch") {
  Generator generator(1);
  music::Config config = tiny_music();
  config.width = 16;
  config.mlp_width = 32;
  config.window = 16;
  music::MusicTransformer model(config, generator);
  const Batch batch = whole_piece(model.facts);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2});
  double loss = 0;
  for (int step = 0; step < 100; ++step) {
    const Tensor now = model.loss(batch["facts"], batch["targets"]);
    optimizer.zero_grad();
    now.backward();
    optimizer.step();
    if (step == 0) CHECK(now.item() == doctest::Approx(std::log(5)).epsilon(0.05));
    loss = now.item();
  }
  CHECK(loss < 0.02);
  // What it knows by heart it writes: the likeliest notes are the piece, also from its middle.
  Score open = kPiece;
  for (size_t i = 2; i < open.notes.size(); ++i) open.notes[i] = music::kOpen;
  CHECK(music::written(model, open, {.temperature = 0}).notes == kPiece.notes);
  CHECK(model.is_training());
}

TEST_CASE("writing with a cache draws from what the model thinks of the notes in its window") {
  Generator generator(6);
  music::Config config = tiny_music();
  config.window = 40;
  music::MusicTransformer model(config, generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
  Score open{2, {60, 61}};
  open.notes.resize(30, music::kOpen);
  const Score score = music::written(model, open, {.temperature = 1, .seed = 4});
  model.eval();
  const NoGrad no_grad;
  const Tensor logits =
      model(music::window_batch(model.facts, {{&score, 0, score.size()}})["facts"]);
  for (int64_t i = 2; i < score.size(); ++i) {
    const double u = uniform<double>({4, 0}, static_cast<uint64_t>(i));
    CHECK(score.notes[static_cast<size_t>(i)] ==
          model.facts.note_of(gpt::sample_index(select(select(logits, 0, 0), 0, i).to_vector(),
                                                {.temperature = 1}, u)));
  }
  // Beyond the window it goes on, with the same seed to the same notes; given notes stay.
  open.notes.resize(200, music::kOpen);
  open.notes[101] = 63;
  const Score longer = music::written(model, open, {.temperature = 1, .seed = 4});
  CHECK(std::vector(longer.notes.begin(), longer.notes.begin() + 30) == score.notes);
  CHECK(longer.notes[101] == 63);
  for (const int32_t note : longer.notes) CHECK((note == -1 || (note >= 60 && note <= 63)));
  CHECK(longer.notes == music::written(model, open, {.temperature = 1, .seed = 4}).notes);
  CHECK(longer.notes != music::written(model, open, {.temperature = 1, .seed = 5}).notes);
  CHECK(error_of([&] { music::written(model, {.voices = 3}, {}); }) ==
        "[music] a piece of 3 voices for a model of 2");
  open.notes[0] = 70;
  CHECK_THROWS_AS(music::written(model, open, {}), Error);
}

TEST_CASE("attention of a Music Transformer has rows of 1 for each layer and head") {
  Generator generator(7);
  music::MusicTransformer model(tiny_music(), generator);
  const Batch batch = whole_piece(model.facts);
  CHECK_THROWS_AS(model.attention(batch["facts"]), Error);
  model.eval();
  const std::vector<Tensor> weights = model.attention(batch["facts"]);
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].shape() == Shape{1, 2, 12, 12});
  CHECK(allclose(sum(weights[1], 3), ones({1, 2, 12}), 1e-5, 1e-5));
  check_error("expected (batch, time, 7)", [&] { model(zeros({1, 2, 3}, i64)); });
}

// ---- as a task ----

const Changes kTiny = {{"layers", "1"},    {"heads", "2"},      {"width", "8"},
                       {"mlp_width", "8"}, {"window", "16"},    {"batch_size", "2"},
                       {"steps", "6"},     {"eval_every", "3"}, {"checkpoint_every", "2"}};

/// Three small pieces for each part, four voices.
std::string small_pieces(const Scratch& scratch) {
  std::string text;
  for (int piece = 0; piece < 3; ++piece) {
    for (int step = 0; step < 12; ++step)
      text +=
          concat(step > 0 ? " " : "", 72 + (step / 4 + piece) % 3, ",67,", 60 + step / 8, ",48");
    text += "\n";
  }
  for (const std::string part : {"train", "valid", "test"}) scratch.write(part + ".txt", text);
  return scratch.path("");
}

TEST_CASE("music: a stopped run ends with the bits of an unbroken one") {
  const Scratch scratch;
  CHECK(resumes_exactly(scratch, "music", small_pieces(scratch), kTiny, 3));
}

TEST_CASE("music: the same bits with any number of threads") {
  const Scratch scratch;
  const std::string data = small_pieces(scratch);
  std::vector<TensorDict> weights;
  for (const int threads : {1, 3}) {
    const Threads used(threads);
    const auto task = prepared_task("music", data, kTiny);
    train_task(*task, data, scratch.path(concat("run", threads)));
    weights.push_back(RunFolder::open(scratch.path(concat("run", threads))).load_weights());
  }
  CHECK(same_bits(weights[0], weights[1]));
}

TEST_CASE("music: a validation piece may have notes that are in no training piece") {
  const Scratch scratch;
  const std::string data = small_pieces(scratch);
  scratch.write("valid.txt", "80,67,60,40 80,67,60,40\n");
  scratch.write("test.txt", "72,67,60,36 72,67,60,36\n");
  const auto task = prepared_task("music", data, kTiny);
  const auto voices = task->describe_data()["voices"].as_array();
  CHECK(voices[0].as_array().at(1).as_int() == 80);
  CHECK(voices[3].as_array().at(0).as_int() == 36);
  CHECK(std::isfinite(task->validate()[0].value));
}

TEST_CASE("music: predict continues, accompanies and writes files") {
  const Scratch scratch;
  const std::string data = small_pieces(scratch);
  {
    const auto task = prepared_task("music", data, kTiny);
    train_task(*task, data, scratch.path("run"));
  }
  const auto task = loaded_task(scratch.path("run"));
  Settings options = task->predict_options();
  options.set("bars", "1");
  // A bar of sixteen steps after the two given ones.
  const auto lines = predicted_lines(*task, {"72,67,60,48 73,67,60,48", ""});
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("72,67,60,48 73,67,60,48 "));
  CHECK(std::count(lines[0].begin(), lines[0].end(), ' ') == 17);
  CHECK(std::count(lines[1].begin(), lines[1].end(), ' ') == 15);
  CHECK(predicted_lines(*task, {""})[0] == lines[1]);
  // As a MIDI file, and from one: a melody alone gets its other voices.
  options.set("out", scratch.path("a.mid"));
  CHECK(predicted_lines(*task, {"72,67,60,48 73,67,60,48"})[0] ==
        scratch.path("a.mid") + ": 2 bars");
  CHECK(read_midi(scratch.path("a.mid")).tracks.size() == 5);
  options.set("bars", "0");
  predicted_lines(*task, {"72,67,60,48 73,67,60,48 73,67,61,48"});
  options.set("out", "");
  CHECK(predicted_lines(*task, {scratch.path("a.mid")})[0] ==
        "72,67,60,48 73,67,60,48 73,67,61,48");
  Midi melody = read_midi(scratch.path("a.mid"));
  melody.tracks.resize(2);  // the tempo and the soprano
  write_midi(scratch.path("b.mid"), melody);
  const std::string harmonised = predicted_lines(*task, {scratch.path("b.mid")})[0];
  CHECK(harmonised.starts_with("72,"));
  CHECK(std::count(harmonised.begin(), harmonised.end(), ',') == 3 * 3);
  options.set("out", scratch.path("a.wav"));
  CHECK(predicted_lines(*task, {"72,67,60,48"})[0] == scratch.path("a.wav") + ": 1 bar");
  CHECK(read_wav(scratch.path("a.wav")).seconds() ==
        doctest::Approx(60.0 / 80 / 4 + 1).epsilon(0.01));
  const auto error = [&](const std::vector<std::string>& inputs) {
    return error_of([&] { predicted_lines(*task, inputs); });
  };
  CHECK(error({"", ""}) == "[predict] --out is one file, but there are 2 pieces");
  CHECK(error({"72,67,60,48\n72,67,60,48"}) ==
        "[predict] --out is one file, but there are 2 pieces");
  CHECK(error({""}) == "[predict] --bars is 0 and no notes are given: there is nothing to write");
  options.set("out", "a.mp3");
  CHECK(error({""}) == "[predict] --out is 'a.mp3': expected a name that ends in .mid or .wav");
  options.set("out", "");
  // Every line is a piece, of an input as of a file, which may have a byte-order mark.
  CHECK(predicted_lines(*task, {"72,67,60,48\n\n73,67,60,48"}) ==
        std::vector<std::string>{"72,67,60,48", "73,67,60,48"});
  CHECK(predicted_lines(*task, {scratch.write("two.txt",
                                              "\xEF\xBB\xBF"
                                              "72,67,60,48\r\n73,67,60,48")}) ==
        std::vector<std::string>{"72,67,60,48", "73,67,60,48"});
  CHECK(error({"nothing.mid"}) ==
        "[data] there is no file 'nothing.mid', and it is no notes on a grid either, such as "
        "72,67,60,48");
  CHECK(
      error({"72;67"}) ==
      "[data] 'the input', line 1: step 1 is '72;67', but must be MIDI pitches from 0 to 127 with "
      "commas between them, -1 for a rest");
  const std::string empty = scratch.write("empty.mid", ""),
                    blank = scratch.write("blank.mid", "\n");
  CHECK(error({empty}) == "[data] '" + empty + "' is empty");
  const std::string binary = scratch.write("a.bin", "ABCD\xE0\x01");
  CHECK(error({binary}) == "[data] '" + binary +
                               "' is neither a MIDI file, which begins with MThd, nor notes on a "
                               "grid, such as 72,67,60,48");
  CHECK(error({blank}) == "[data] '" + blank + "' has no notes: expected a piece a line");
  const std::string sound = scratch.path("sound.wav");
  write_wav(sound, {8000, {0.5f}});
  CHECK(error({sound}) ==
        "[data] '" + sound +
            "' is a RIFF file, such as sound (WAV): expected a MIDI file, or notes on a grid");
  CHECK(error({"20,67,60,48"}).starts_with("[music] the note G♯0 (MIDI pitch 20) is outside"));
}

}  // namespace
}  // namespace tarsier::zoo
