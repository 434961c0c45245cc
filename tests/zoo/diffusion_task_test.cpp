// The Diffusion Transformer as a task: data, training, what predict, eval and the report show.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/markup.h"
#include "tests/zoo/pictures.h"
#include "tests/zoo/scratch.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/digits.h"
#include "zoo/picture/read.h"
#include "zoo/picture/write.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

const Changes kTinyDiffusion = {{"layers", "1"},     {"heads", "2"},      {"width", "8"},
                                {"mlp_width", "8"},  {"reach", "1"},      {"batch_size", "8"},
                                {"steps", "6"},      {"eval_every", "3"}, {"checkpoint_every", "2"},
                                {"ema_decay", "0.5"}};

/// Digits of `size` × `size` pixels as IDX files.
std::string idx_folder(const Scratch& scratch, const std::string& name = "idx", int64_t size = 8) {
  write_idx(scratch, name, "train", draw_digits(60, {1, 0}, size));
  write_idx(scratch, name, "t10k", draw_digits(20, {2, 0}, size));
  return scratch.path(name);
}

std::unique_ptr<Task> trained(const Scratch& scratch, const std::string& data) {
  train_task(*prepared_task("diffusion", data, kTinyDiffusion), data, scratch.path("run"));
  return loaded_task(scratch.path("run"));
}

TEST_CASE("diffusion: a stopped run ends with the bits of an unbroken one, with any threads") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  CHECK(resumes_exactly(scratch, "diffusion", data, kTinyDiffusion, 3));
  const RunFolder whole = RunFolder::open(scratch.path("whole")),
                  parts = RunFolder::open(scratch.path("parts"));
  // The averaged weights go on where they were, and are what is kept.
  const Checkpoint a = whole.load_checkpoint(), b = parts.load_checkpoint();
  CHECK(same_bits(a.average, b.average));
  CHECK_FALSE(same_bits(whole.load_weights(), a.model));
  const Threads used(3);
  train_task(*prepared_task("diffusion", data, kTinyDiffusion), data, scratch.path("threads"));
  CHECK(same_bits(RunFolder::open(scratch.path("threads")).load_weights(), whole.load_weights()));
}

TEST_CASE("diffusion: validation is the same at every call, and not about the test pictures") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  const auto task = trained(scratch, data);
  task->load_data(data);
  Settings options = task->eval_options();
  options.set("likelihood", "3");
  CHECK(task->validate().front().value == task->validate().front().value);
  const Metrics metrics = task->evaluate();
  CHECK(value_of(metrics, "loss") != value_of(task->validate(), "val_loss"));
  CHECK(value_of(metrics, "loss") == doctest::Approx(2).epsilon(0.2));  // hardly trained
  CHECK(value_of(metrics, "bits") > 3);
  CHECK(lines_of(metrics).find("a dimension, ± 0.") != std::string::npos);
  CHECK(lines_of(metrics).find("of 3 pictures") != std::string::npos);
  CHECK(std::isnan(value_of(metrics, "recognised")));
  options.set("likelihood", "0");
  CHECK(task->evaluate().size() == 1);
}

TEST_CASE("diffusion: a vit of the same data reads what is drawn, and no other reader does") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch), large = idx_folder(scratch, "large", 12);
  const Changes reader = {{"layers", "1"},    {"heads", "2"},      {"width", "8"},
                          {"mlp_width", "8"}, {"patch_size", "4"}, {"stem", "patches"},
                          {"epochs", "1"}};
  train_task(*prepared_task("vit", data, reader), data, scratch.path("vit"));
  train_task(*prepared_task("vit", large, reader), large, scratch.path("other"));
  const auto task = trained(scratch, data);
  task->load_data(data);
  Settings options = task->eval_options();
  options.set("likelihood", "0");
  options.set("steps", "1");
  options.set("method", "euler");
  options.set("reader", scratch.path("vit"));
  const Metrics metrics = task->evaluate();
  const double recognised = value_of(metrics, "recognised");  // of 1,000
  CHECK(recognised * 10 == doctest::Approx(std::round(recognised * 10)));
  CHECK(recognised <= 100);
  CHECK(value_of(metrics, "distance") > 0);
  CHECK(lines_of(metrics).find("of unseen pictures ") != std::string::npos);
  const auto error = [&](const std::string& folder) {
    options.set("reader", folder);
    return error_of([&] { task->evaluate(); });
  };
  CHECK(
      error(scratch.path("run")).find("is a run of diffusion: pictures are read by a run of vit") !=
      std::string::npos);
  CHECK(error(scratch.path("other"))
            .find("reads images of 12 × 12 with 1 channels, but those drawn "
                  "have 8 × 8") != std::string::npos);
  CHECK(error(scratch.path("none")).starts_with("[run] "));
  Images two = draw_digits(40, {5, 0}, 8);
  for (int64_t& label : two.labels) label %= 2;
  write_idx(scratch, "two", "train", two);
  write_idx(scratch, "two", "t10k", two);
  const std::string few = scratch.path("two");
  train_task(*prepared_task("vit", few, reader), few, scratch.path("few"));
  CHECK(error(scratch.path("few")).find("knows 2 classes, and not the 10") != std::string::npos);
}

TEST_CASE("diffusion: predict draws classes, variations and neighbours, and writes sheets") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  const auto task = trained(scratch, data);
  Settings options = task->predict_options();
  options.set("steps", "1");
  const std::vector<std::string> text = predicted_lines(*task, {""});
  CHECK(text.size() == 10 * 5);  // a picture of each class: four lines, and a blank one
  CHECK(predicted_lines(*task, {""}) == text);
  const auto sheet = [&](const std::vector<std::string>& inputs) {
    options.set("out", scratch.path("sheet.png"));
    const std::vector<std::string> lines = predicted_lines(*task, inputs);
    options.set("out", "");
    return std::pair{lines, read_picture(scratch.path("sheet.png"))};
  };
  const auto [said, whole] = sheet({""});
  CHECK(said == std::vector<std::string>{scratch.path("sheet.png") + ": 100 pictures"});
  CHECK(whole.width == 10 * 18 + 2);
  CHECK(whole.height == 10 * 18 + 2);
  options.set("seed", "2");
  CHECK(sheet({""}).second.pixels != whole.pixels);
  options.set("seed", "1");
  options.set("class", "7");
  CHECK(predicted_lines(*task, {""}).size() == 5);
  options.set("count", "13");
  const Picture sevens = sheet({""}).second;
  CHECK(sevens.height == 2 * 18 + 2);
  options.set("guidance", "0");
  CHECK(sheet({""}).second.pixels != sevens.pixels);  // of any class
  options.set("neighbours", data);
  const auto [near, pairs] = sheet({""});
  CHECK(pairs.height == 4 * 18 + 2);
  CHECK(near.at(0).ends_with(": 33 pictures"));  // 10, 10, 3 with 7 free places, 3
  CHECK(near.at(1).starts_with("mean distance to the nearest picture: "));
  options.set("neighbours", "");
  // Of a picture nothing is changed where nothing is noise; another size is made to fit.
  options.set("count", "2");
  options.set("strength", "0");
  write_picture(scratch.path("one.png"), draw_digits(1, {9, 0}, 8).picture(0));
  write_picture(scratch.path("big.png"), draw_digits(1, {9, 0}, 32).picture(0));
  const Picture kept = sheet({scratch.path("one.png"), scratch.path("big.png")}).second;
  CHECK(kept.width == 3 * 18 + 2);
  CHECK(kept.height == 2 * 18 + 2);
  for (int64_t y = 0; y < 16; ++y)
    for (int64_t x = 0; x < 16; ++x) REQUIRE(kept.at(0, 2 + y, 2 + x) == kept.at(0, 2 + y, 20 + x));
  options.set("strength", "0.7");
  CHECK(sheet({scratch.path("one.png")}).second.pixels != kept.pixels);
}

TEST_CASE("diffusion: options that make no sense are refused") {
  const Scratch scratch;
  const auto task = trained(scratch, idx_folder(scratch));
  Settings options = task->predict_options();
  for (const auto& [name, value] : Changes{{"guidance", "-1"},
                                           {"guidance", "nan"},
                                           {"guidance", "1000"},
                                           {"steps", "0"},
                                           {"steps", "100000"},
                                           {"count", "-1"},
                                           {"count", "1000000"},
                                           {"strength", "2"},
                                           {"method", "magic"}}) {
    CAPTURE(name);
    CAPTURE(value);
    CHECK_THROWS_AS(options.set(name, value), UsageError);
  }
  options.set("class", "10");
  CHECK(error_of([&] { predicted_lines(*task, {""}); }).starts_with("[predict] --class is '10'"));
  options.set("class", "");
  options.set("out", "a.jpg");
  CHECK(error_of([&] { predicted_lines(*task, {""}); }) ==
        "[predict] --out is 'a.jpg': expected a name that ends in .png");
  options.set("out", "");
  check_error("none.png", [&] { predicted_lines(*task, {"none.png"}); });
  options.set("neighbours", scratch.path("none"));
  check_error("none': give a folder with a folder for each class",
              [&] { predicted_lines(*task, {""}); });
}

TEST_CASE("diffusion: the report shows drawings, the way there, guidance and neighbours") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  const auto task = trained(scratch, data);
  task->load_data(data);
  Page page("x");
  task->report(page);
  CHECK(flaw(page.html()) == "");
  for (const char* part : {"What it draws", "In rows: 0, 1, 2", "How a picture comes out of noise",
                           "Where it leads", "Guidance", "From memory?", "The closest of all 100"})
    CHECK_MESSAGE(page.html().find(part) != std::string::npos, part);
}

TEST_CASE("diffusion: images of another size are fitted, and unknown classes refused") {
  const Scratch scratch;
  const auto task = prepared_task("diffusion", idx_folder(scratch), kTinyDiffusion);
  task->load_data(idx_folder(scratch, "large", 12));
  const std::string facts = task->facts()[1].second;
  CHECK(facts.find("images of 8 × 8 to train on") != facts.npos);
  CHECK(facts.find("had another size and are fitted into it") != facts.npos);
  Images more = draw_digits(40, {5, 0}, 8);
  more.labels[0] = 10;
  write_idx(scratch, "more", "train", more);
  write_idx(scratch, "more", "t10k", more);
  check_error("has the class '10', which the model does not know",
              [&] { task->load_data(scratch.path("more")); });
  check_error("do not fill a picture of 12 × 12", [&] {
    prepared_task("diffusion", idx_folder(scratch, "large", 12),
                  with(kTinyDiffusion, {{"patch", "5"}}));
  });
}

TEST_CASE("diffusion: pictures in a folder for each class, in grey or in colours") {
  const Scratch scratch;
  for (const int64_t channels : {1, 3}) {
    const std::string folder = concat("pictures", channels);
    for (int i = 0; i < 24; ++i) {
      std::filesystem::create_directories(scratch.path(concat(folder, "/", i % 2 ? "ink" : "sky")));
      Picture picture{channels, 8, 8, std::vector<uint8_t>(static_cast<size_t>(channels * 64))};
      for (size_t k = 0; k < picture.pixels.size(); ++k)
        picture.pixels[k] = static_cast<uint8_t>(i % 2 ? 7 * k % 60 : 255 - 3 * k % 40);
      write_picture(scratch.path(concat(folder, "/", i % 2 ? "ink/" : "sky/", i, ".png")), picture);
    }
    const auto task = prepared_task("diffusion", scratch.path(folder), kTinyDiffusion);
    CHECK(task->describe_data()["channels"].as_int() == channels);
    CHECK(task->describe_data()["names"].dump() == R"(["ink", "sky"])");
    const Batch batch = task->batch(1, 1);
    CHECK(batch["pictures"].size(1) == channels);
    CHECK(std::isfinite(task->loss(batch).item()));
  }
}

TEST_CASE("diffusion: CIFAR-10's files in colours, from training to a coloured sheet") {
  const Scratch scratch;
  std::string records;
  for (int i = 0; i < 12; ++i)
    records += i % 2 ? cifar_record(1, 200 + i, 30, 10) : cifar_record(0, 5, 40 + i, 210);
  for (const char* part : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                           "data_batch_5", "test_batch"})
    scratch.write(concat(part, ".bin"), records);
  scratch.write("batches.meta.txt", "sea\nfire\n");
  const std::string data = scratch.path("");
  const Changes coloured = with(kTinyDiffusion, {{"patch", "8"}, {"reach", "0"}});
  train_task(*prepared_task("diffusion", data, coloured), data, scratch.path("run"));
  const auto task = loaded_task(scratch.path("run"));
  task->load_data(data);
  CHECK(task->facts()[1].second.find("images of 32 × 32 to train on") != std::string::npos);
  CHECK(std::isfinite(value_of(task->validate(), "val_loss")));
  Settings options = task->predict_options();
  options.set("steps", "1");
  options.set("class", "fire");
  options.set("neighbours", data);
  options.set("out", scratch.path("sheet.png"));
  CHECK(predicted_lines(*task, {""}).size() == 2);
  const Picture sheet = read_picture(scratch.path("sheet.png"));
  CHECK(sheet.channels == 3);
  // Under each drawing stands its neighbour, which is of one colour: red, or blue.
  const auto at = [&](int64_t channel) { return sheet.at(channel, 2 + 66 + 30, 2 + 30); };
  CHECK(at(0) != at(2));
  CHECK((at(0) > 200 || at(2) == 210));
  Page page("x");
  task->report(page);
  CHECK(flaw(page.html()) == "");
}

}  // namespace
}  // namespace tarsier::zoo
