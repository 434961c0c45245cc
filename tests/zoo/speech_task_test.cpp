// The speech task: recordings and tables, features, augmentation, answers for files, resuming.
#include "zoo/speech/task.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <sstream>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "tests/zoo/sounds.h"
#include "zoo/audio/spoken_digits.h"
#include "zoo/report/page.h"
#include "zoo/speech/examples.h"
#include "zoo/speech/recordings.h"

namespace tarsier::zoo {
namespace {

using speech::read_speech;

const std::vector<std::string> kWords = {"low", "mid", "high"};

/// A folder with single recordings and, for training and validation, strings of them.
std::string tones_folder(const Scratch& scratch) {
  write_tones(scratch, "tones", "train", kWords, 24);
  write_tones(scratch, "tones", "val", kWords, 6);
  write_tones(scratch, "tones", "test", kWords, 9);
  scratch.write("tones/strings-train.tsv",
                "id\ttext\tparts\n1\tlow mid\ttrain-0.wav,train-1.wav\n"
                "2\thigh high\ttrain-2.wav, train-5.wav\n");
  scratch.write("tones/strings-test.tsv", "parts\ttext\ntest-0.wav,test-2.wav\tlow high\n");
  return scratch.path("tones");
}

// -------------------------------------------------------------------------------------- recordings

TEST_CASE("speech: tables of a folder, and strings of recordings without gaps") {
  const Scratch scratch;
  const speech::SpeechData data = read_speech(tones_folder(scratch), {});
  CHECK(data.train.single.size() == 24);
  CHECK(data.train.strings.size() == 2);
  CHECK(data.val.single.size() == 6);
  CHECK(data.val.strings.empty());
  CHECK(data.test.single.size() == 9);
  CHECK(data.train.single[1].text == "mid");
  const speech::Utterance& two = data.train.strings[1];
  CHECK(two.text == "high high");
  std::vector<float> expected = data.train.single[2].sound.samples;
  const std::vector<float>& more = data.train.single[5].sound.samples;
  expected.insert(expected.end(), more.begin(), more.end());
  CHECK(two.sound.samples == expected);
}

TEST_CASE("speech: one table is split, whatever its name, with columns in any order") {
  const Scratch scratch;
  write_tones(scratch, "mine", "all", kWords, 30);
  for (const std::string& path : {scratch.path("mine"), scratch.path("mine/all.tsv")}) {
    const speech::SpeechData data = read_speech(path, {});
    CHECK(data.train.single.size() == 24);
    CHECK(data.val.single.size() == 3);
    CHECK(data.test.single.size() == 3);
    std::set<std::string> names;
    for (const speech::Split* part : {&data.train, &data.val, &data.test})
      for (const speech::Utterance& one : part->single) names.insert(one.name);
    CHECK(names.size() == 30);
  }
  std::string csv = "speaker,sentence,path\n";
  for (int i = 0; i < 10; ++i) csv += concat("anna,\"low, I say\",all-", i, ".wav\n");
  const std::string file = scratch.write("mine/list.csv", csv);
  const speech::SpeechData data = read_speech(file, {});
  CHECK(data.columns == "'path' and 'sentence'");
  CHECK(data.train.single[0].text == "low, I say");
  CHECK(read_speech(file, {.path = "3", .text = "speaker"}).val.single[0].text == "anna");
}

TEST_CASE("speech: folders as Common Voice and LJSpeech have them, and paths of Windows") {
  const Scratch scratch;
  for (const char* part : {"train", "dev", "test"}) write_tones(scratch, "cv", part, kWords, 10);
  CHECK(read_speech(scratch.path("cv"), {}).val.single.size() == 10);

  write_tones(scratch, "lj", "a", kWords, 10);
  std::filesystem::remove(scratch.path("lj/a.tsv"));
  std::filesystem::rename(scratch.path("lj/wav"), scratch.path("lj/wavs"));
  std::string bars, windows = "Datei;Satz\r\n";
  for (int i = 0; i < 10; ++i) {
    bars += concat("a-", i, "|\"Low\", I say|low, i say\n");
    windows += concat("wavs\\a-", i, ".wav;low\r\n");
  }
  const std::string file = scratch.write("lj/metadata.csv", bars);
  CHECK(read_speech(file, {.path = "1", .text = "2"}).train.single[0].text == "\"Low\", I say");
  const std::string other = scratch.write("lj/list.csv", windows);
  CHECK(read_speech(other, {.header = Header::yes}).test.single[0].text == "low");
  check_error("if this line names the columns: --header yes", [&] { read_speech(other, {}); });
}

TEST_CASE("speech: errors in tables name file, line and fix") {
  const Scratch scratch;
  write_tones(scratch, "a", "train", kWords, 12);
  const auto error = [&](const std::string& path) {
    return error_of([&] { read_speech(scratch.path(path), {}); });
  };
  CHECK(error("a").find("there is no 'val.tsv' or 'val.csv' in") != std::string::npos);
  CHECK(error("a/wav").find("there is no 'train.tsv'") != std::string::npos);
  CHECK(error("a/train.tsv") == "no error");
  CHECK(error("nothing").find("nothing") != std::string::npos);
  write_tones(scratch, "few", "one", kWords, 9);
  CHECK(error("few").find("has 9 recordings, too few to split off") != std::string::npos);
  const auto table = [&](const std::string& text) {
    scratch.write("few/one.tsv", text);
    return error("few");
  };
  CHECK(table("one-0.wav\tlow\ngone.wav\tmid\n").find("line 2: there is no file 'gone.wav' in") !=
        std::string::npos);
  CHECK(table("one-0.wav\tlow\none-1.wav\t \n").find("line 2") != std::string::npos);
  scratch.write("few/wav/bad.wav", "RIFF");
  CHECK(table("one-0.wav\tlow\nbad.wav\tmid\n").find("bad.wav' is not a sound file") !=
        std::string::npos);
  CHECK(table("").find("one.tsv' is empty") != std::string::npos);
  const Sound a{8000, {1}}, b{16000, {1}};
  check_error("of 8000 and of 16000 samples a second cannot be joined", [&] {
    speech::joined({&a, &b});
  });
}

TEST_CASE("speech: the official recordings are all read") {
  if (!have_data("speech-recognition/train.tsv")) return;
  const speech::SpeechData data = read_speech(data_file("speech-recognition").string(), {});
  CHECK(data.columns == "'file' and 'text'");
  CHECK(data.train.single.size() == 1080);
  CHECK(data.train.strings.size() == 600);
  CHECK(data.val.single.size() == 120);
  CHECK(data.val.strings.size() == 60);
  CHECK(data.test.single.size() == 300);
  CHECK(data.test.strings.size() == 120);
  // strings-test.tsv: test0000, 1.847 seconds.
  CHECK(data.test.strings[0].text == "two five zero five");
  CHECK(data.test.strings[0].sound.seconds() == doctest::Approx(1.847).epsilon(1e-3));
}

TEST_CASE("spoken digits: always the same, within limits, different for every voice") {
  std::set<std::vector<float>> sounds;
  for (int digit = 0; digit <= 9; ++digit)
    for (uint64_t voice = 0; voice < 3; ++voice) {
      const Sound sound = speak_digit(digit, {3, 0}, voice);
      CHECK(sound.samples == speak_digit(digit, {3, 0}, voice).samples);
      CHECK(sound.seconds() > 0.15);
      CHECK(sound.seconds() < 1);
      float loudest = 0;
      for (const float x : sound.samples) loudest = std::max(loudest, std::abs(x));
      CHECK(loudest > 0.04f);
      CHECK(loudest < 0.5f);
      sounds.insert(sound.samples);
    }
  CHECK(sounds.size() == 30);
  CHECK(digit_words()[7] == "seven");
  check_error("there is no digit 10", [] { speak_digit(10, {}, 0); });
}

// --------------------------------------------------------------------------------------- features

TEST_CASE("features have mean 0 and deviation 1 over the training data, and survive as JSON") {
  speech::Features features(4000, 8);
  std::vector<std::vector<float>> sounds;
  for (int i = 0; i < 6; ++i) sounds.push_back(tone_word(300 * (i + 1), i).samples);
  features.learn(sounds);
  std::vector<double> sum(8), squares(8);
  double count = 0;
  for (const auto& samples : sounds) {
    const Frames frames = features(samples);
    CHECK(frames.count == features.frames(static_cast<int64_t>(samples.size())));
    count += static_cast<double>(frames.count);
    for (size_t i = 0; i < frames.values.size(); ++i) {
      sum[i % 8] += frames.values[i];
      squares[i % 8] += frames.values[i] * frames.values[i];
    }
  }
  for (size_t m = 0; m < 8; ++m) {
    CHECK(std::abs(sum[m] / count) < 1e-4);
    CHECK(squares[m] / count == doctest::Approx(1).epsilon(1e-3));
  }
  const speech::Features again =
      speech::Features::from_json(Json::parse(features.to_json().dump()));
  CHECK(again(sounds[0]).values == features(sounds[0]).values);
  CHECK(features.seconds_of(25) == 0.25);
  // Sound at another rate is resampled.
  CHECK(features(Sound{8000, std::vector<float>(800)}).count == 11);
  check_error("the deviation of a band is 0", [] {
    speech::Features::from_json(Json::parse(R"({"rate": 8000, "mean": [1], "deviation": [0]})"));
  });
  check_error("sound of 100 samples a second", [] { speech::Features(100, 8); });
}

TEST_CASE("a long recording is cut where it is quietest, and nothing is lost") {
  std::vector<float> samples(5000);
  for (size_t n = 0; n < samples.size(); ++n) samples[n] = n % 2 == 0 ? 0.5f : -0.5f;
  for (size_t n = 1700; n < 1740; ++n) samples[n] = 0;  // a pause
  std::vector<int64_t> sizes;
  std::vector<float> all;
  speech::for_each_piece(
      5000, 2000,
      [&](int64_t begin, int64_t count) {
        const auto first = samples.begin() + begin;
        return Sound{4000, {first, first + count}};
      },
      [&](const Sound& piece) {
        sizes.push_back(static_cast<int64_t>(piece.samples.size()));
        all.insert(all.end(), piece.samples.begin(), piece.samples.end());
      });
  CHECK(all == samples);
  CHECK(sizes[0] > 1700);
  CHECK(sizes[0] < 1740);
  for (const int64_t size : sizes) CHECK(size <= 2000);
  check_error("pieces of 99 samples", [] { speech::for_each_piece(1, 99, {}, {}); });
}

TEST_CASE("moments that CTC needs: equal neighbours need a blank between them") {
  CHECK(speech::moments_needed({}) == 0);
  CHECK(speech::moments_needed({4, 5, 4}) == 3);
  CHECK(speech::moments_needed({4, 4, 4, 5}) == 6);
}

// ------------------------------------------------------------------------------------------- task

TEST_CASE("speech: a batch depends only on seed and number; joined recordings have joined texts") {
  const Scratch scratch;
  const std::string data = tones_folder(scratch);
  const auto task = [&](const Changes& more) {
    Changes changes = kTinySpeech;
    changes.insert(changes.end(), more.begin(), more.end());
    return prepared_task("speech", data, changes);
  };
  const auto a = task({}), b = task({}), joined = task({{"join", "1"}}),
             plain = task({{"join", "0"},
                           {"speed", "0"},
                           {"gain", "0"},
                           {"time_masks", "0"},
                           {"frequency_masks", "0"}});
  b->batch(3, 1);  // in another order
  int64_t items = 0;
  for (const int64_t number : {1, 2, 4}) {
    const Batch x = a->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    CHECK(a->batch(number, 2)["frames"].to_vector() != x["frames"].to_vector());
    items += x.items;
  }
  CHECK(items > 10);
  CHECK(a->training_examples() == 26);
  double longest = 0;
  for (int64_t number = 1; number <= 4; ++number) {
    for (const double count : joined->batch(number, 1)["target_lengths"].to_vector())
      longest = std::max(longest, count);
    for (const double count : plain->batch(number, 1)["target_lengths"].to_vector())
      CHECK(count <= 2);
  }
  CHECK(longest > 2);
  CHECK(longest <= 5);
}

TEST_CASE("speech: tones are learned, strings as well; a loaded model hears the same") {
  const Scratch scratch;
  const std::string data = tones_folder(scratch);
  Changes changes = kTinySpeech;
  changes.insert(changes.end(), {{"epochs", "40"},
                                 {"learning_rate", "0.01"},
                                 {"dropout", "0"},
                                 {"frequency_width", "2"},
                                 {"time_width", "2"}});
  const auto task = prepared_task("speech", data, changes);
  const double before = value_of(task->validate(), "val_loss");
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.metrics[0].name == "val_loss");
  CHECK(value_of(outcome.metrics, "val_loss") < before / 4);
  const Metrics test = task->evaluate();
  CHECK(test[0].name == "accuracy");
  CHECK(value_of(test, "accuracy") == 100);
  CHECK(value_of(test, "WER") == 0);
  CHECK(test[1].line() == "WER 0.00 %");

  const auto loaded = loaded_task(scratch.path("run"));
  const std::string file = scratch.path("tones/wav/test-1.wav"),
                    faster = scratch.path("faster.wav");
  CHECK(predicted_lines(*loaded, {file}) == std::vector<std::string>{file + "  mid"});
  // The same tone at another rate, in a file of another kind of samples.
  Sound sound{16000, {}};
  for (int n = 0; n < 3200; ++n)
    sound.samples.push_back(0.2f * std::sin(2 * 3.14159265f * 600 * static_cast<float>(n) / 16000));
  write_wav(faster, sound);
  CHECK(predicted_lines(*loaded, {faster}) == std::vector<std::string>{faster + "  mid"});
  loaded->load_data(data);
  CHECK(value_of(loaded->evaluate(), "loss") == value_of(test, "loss"));

  Page page("speech");
  loaded->report(page);
  CHECK(page.html().find("Validation recordings") != std::string::npos);
  CHECK(page.html().find("data:image/png") != std::string::npos);
  std::ostringstream sample;
  loaded->show_sample(sample);
  CHECK(sample.str().find("heard as") != std::string::npos);
}

TEST_CASE("speech: a long file is read in pieces, and predict says so; bad files are errors") {
  const Scratch scratch;
  const std::string data = tones_folder(scratch);
  Changes changes = kTinySpeech;
  changes.emplace_back("max_seconds", "1");
  const auto task = prepared_task("speech", data, changes);
  task->model().eval();
  Sound sound = tone_word(300, 0);
  while (sound.seconds() < 3.3)
    sound.samples.insert(sound.samples.end(), sound.samples.begin(), sound.samples.begin() + 400);
  const std::string file = scratch.path("long.wav");
  write_wav(file, sound);
  std::ostringstream out, notes;
  task->predict({file}, out, &notes);
  CHECK(out.str().starts_with(file + "  "));
  CHECK(notes.str() == "'" + file +
                           "' lasts 3.3 seconds: it is read in pieces of at most 1 "
                           "(max_seconds), cut where it is quietest\n");
  // A model that has learned nothing is sure of nothing: a cost of tokens makes the text shorter.
  Settings options = task->predict_options();
  options.set("beams", "100");
  const auto length_at = [&](const char* cost) {
    options.set("token-cost", cost);
    return predicted_lines(*task, {file}).at(0).size();
  };
  CHECK(length_at("100") < length_at("0"));
  for (const char* name : {"nothing.wav", "text.wav", "cut.wav"}) {
    scratch.write("text.wav", "hello");
    scratch.write("cut.wav", scratch.read("long.wav").substr(0, 2000));
    check_error(name, [&] { predicted_lines(*task, {scratch.path(name)}); });
  }
}

TEST_CASE("speech: recordings that cannot be trained on are left out, and said") {
  const Scratch scratch;
  const std::string data = tones_folder(scratch);
  write_wav(scratch.path("tones/wav/train-0.wav"), {4000, std::vector<float>(4400)});  // 1.1 s
  write_wav(scratch.path("tones/wav/train-1.wav"), {4000, {0, 0}});  // no moment for two words
  scratch.write("tones/strings-train.tsv", "parts\ttext\ntrain-1.wav,train-1.wav\tlow mid\n");
  Changes changes = kTinySpeech;
  changes.emplace_back("max_seconds", "1");
  const auto task = prepared_task("speech", data, changes);
  CHECK(task->training_examples() == 23);  // train-1 alone is one moment, enough for one word
  bool said = false;
  for (const auto& [what, fact] : task->facts())
    said |= what == "cut" && fact.starts_with("2 recordings, which are longer than max_seconds=1");
  CHECK(said);
  CHECK(std::isfinite(value_of(task->validate(), "val_loss")));
}

TEST_CASE("speech: a run stopped in the middle of an epoch resumes to the same bits") {
  const Scratch scratch;
  Changes changes = kTinySpeech;
  changes.insert(changes.end(), {{"epochs", "3"}, {"dropout", "0.1"}});
  CHECK(resumes_exactly(scratch, "speech", tones_folder(scratch), changes, 5));
}

TEST_CASE("speech: characters as tokens; joined texts have a space between them") {
  const Scratch scratch;
  Changes changes = kTinySpeech;
  changes.insert(changes.end(), {{"tokens", "characters"}, {"join", "1"}});
  const auto task = prepared_task("speech", tones_folder(scratch), changes);
  const Batch batch = task->batch(1, 1);
  const double longest = max(batch["target_lengths"]).item();
  CHECK(longest >= 3 + 1 + 3);
  CHECK(std::isfinite(value_of(task->validate(), "val_loss")));
}

}  // namespace
}  // namespace tarsier::zoo
