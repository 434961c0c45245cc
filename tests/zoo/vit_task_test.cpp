// The Vision Transformer's task: data, settings, answers for pictures, resuming.
#include "zoo/vit/task.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "autograd/io/json.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/digits.h"
#include "zoo/picture/write.h"

namespace tarsier::zoo {
namespace {

/// A model that trains in milliseconds, with dropout, to test its random numbers as well.
const Changes kTinyVit = {{"width", "16"},      {"mlp_width", "16"}, {"layers", "1"},
                          {"heads", "2"},       {"patch_size", "7"}, {"stem", "patches"},
                          {"batch_size", "16"}, {"epochs", "2"},     {"dropout", "0.1"},
                          {"warmup_steps", "3"}};

/// 100 images to train with and 20 to test, as MNIST's four files in the folder "mnist".
std::string mnist_folder(const Scratch& scratch) {
  write_idx(scratch, "mnist", "train", draw_digits(100, {1, 0}));
  write_idx(scratch, "mnist", "t10k", draw_digits(20, {2, 0}));
  return scratch.path("mnist");
}

/// A white 1 on black, 28 × 28, as a PGM file.
std::string pgm_one() {
  std::string bytes = "P5 28 28 255\n";
  for (int y = 0; y < 28; ++y)
    for (int x = 0; x < 28; ++x)
      bytes += static_cast<char>(y >= 4 && y < 24 && x >= 13 && x < 16 ? 255 : 0);
  return bytes;
}

/// The same as a PPM file.
std::string ppm_one() {
  const std::string grey = pgm_one().substr(13);
  std::string bytes = "P6 28 28 255\n";
  for (const char value : grey) bytes.append(3, value);
  return bytes;
}

/// The same as a BMP file: 24 bits, rows from the bottom up, each filled up to 4 bytes.
std::string bmp_one() {
  const std::string grey = pgm_one().substr(13);
  const auto little = [](int64_t n, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(n >> (8 * i) & 255);
    return out;
  };
  std::string bytes = "BM" + little(54 + 28 * 84, 4) + little(0, 4) + little(54, 4) +
                      little(40, 4) + little(28, 4) + little(28, 4) + little(1, 2) + little(24, 2) +
                      std::string(24, '\0');
  for (size_t y = 28; y-- > 0;)
    for (size_t x = 0; x < 28; ++x) bytes.append(3, grey[28 * y + x]);
  return bytes;
}

TEST_CASE("vit: the default data are digits that the program draws; they train" *
          doctest::test_suite("long")) {
  const std::unique_ptr<Task> task =
      prepared_task("vit", "", with(kTinyVit, {{"epochs", "0"}, {"steps", "20"}}));
  const Json data = task->describe_data();
  CHECK(data["height"].as_int() == 28);
  CHECK(data["channels"].as_int() == 1);
  CHECK(data["names"].as_array().size() == 10);
  CHECK(task->batches_per_epoch() == (data["images"].as_int() * 9 / 10 + 15) / 16);
  const double before = value_of(task->validate(), "val_loss");
  const Scratch scratch;
  const TrainOutcome outcome = train_task(*task, "", scratch.path("run"));
  CHECK(outcome.step == 20);
  CHECK(outcome.metrics[0].name == "accuracy");
  CHECK(value_of(outcome.metrics, "val_loss") < before);
  std::ostringstream sample;
  task->show_sample(sample);
  CHECK(sample.str().find("read as") != std::string::npos);
}

TEST_CASE("vit: a batch depends only on seed and number; augmentation changes only images") {
  const Scratch scratch;
  const std::string data = mnist_folder(scratch);
  const std::unique_ptr<Task> a = prepared_task("vit", data, kTinyVit),
                              b = prepared_task("vit", data, kTinyVit),
                              plain = prepared_task(
                                  "vit", data,
                                  with(kTinyVit,
                                       {{"shift", "0"}, {"rotate", "0"}, {"scale", "0"}}));
  b->batch(3, 1);  // in another order
  for (const int64_t number : {1, 2, 9}) {
    const Batch x = a->batch(number, 1), y = b->batch(number, 1), z = plain->batch(number, 1);
    CHECK(same_bits(x.tensors, y.tensors));
    CHECK(x["labels"].to_vector() == z["labels"].to_vector());
    CHECK(x["images"].to_vector() != z["images"].to_vector());
    CHECK(a->batch(number, 2)["images"].to_vector() != x["images"].to_vector());
  }
  // An epoch has every training image once: 90, for ten validate.
  CHECK(a->batches_per_epoch() == 6);
  int64_t items = 0;
  for (int64_t number = 1; number <= 6; ++number) items += a->batch(number, 1).items;
  CHECK(items == 90);
}

TEST_CASE("vit: MNIST's files train; only evaluate counts the test images") {
  const Scratch scratch;
  const std::string data = mnist_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("vit", data, kTinyVit);
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.step == 12);
  // Fractions of 10 validation and 20 test images.
  const double tenths = task->validate()[0].value / 10, twentieths = task->evaluate()[0].value / 5;
  CHECK(tenths == doctest::Approx(std::round(tenths)));
  CHECK(twentieths == doctest::Approx(std::round(twentieths)));
  const double loss = value_of(task->evaluate(), "loss");
  CHECK(loss > 0);
  CHECK(loss != value_of(task->validate(), "val_loss"));

  // Loaded from its files it gives the same.
  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  const std::string picture = scratch.write("one.pgm", pgm_one());
  CHECK(predicted_lines(*loaded, {picture}) == predicted_lines(*task, {picture}));
  loaded->load_data(data);
  CHECK(value_of(loaded->evaluate(), "loss") == loss);
}

TEST_CASE("vit: predict reads all kinds of image files alike, and reports what it cannot read") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = prepared_task("vit", "", kTinyVit);
  task->model().eval();
  const std::string pgm = scratch.write("one.pgm", pgm_one()),
                    ppm = scratch.write("one.ppm", ppm_one()),
                    bmp = scratch.write("one.bmp", bmp_one());
  const std::vector<std::string> lines = predicted_lines(*task, {pgm, ppm, bmp});
  REQUIRE(lines.size() == 3);
  const std::string answer = lines[0].substr(pgm.size());
  CHECK(lines[0] == pgm + answer);
  CHECK(lines[1] == ppm + answer);
  CHECK(lines[2] == bmp + answer);
  CHECK(answer.find(" %)") != answer.npos);
  CHECK(predicted_lines(*task, {bmp}).front() == lines[2]);  // alone as well

  check_error("nothing.pgm", [&] { predicted_lines(*task, {scratch.path("nothing.pgm")}); });
  check_error("text.pgm", [&] { predicted_lines(*task, {scratch.write("text.pgm", "hello")}); });
  check_error("cut.pgm", [&] {
    predicted_lines(*task, {scratch.write("cut.pgm", pgm_one().substr(0, 200))});
  });
}

TEST_CASE("vit: CIFAR's files have three channels, and names of their classes") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path("cifar"));
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
    std::string records;
    for (int i = 0; i < 10; ++i) {  // class i is a shade of red
      records += static_cast<char>(i);
      records.append(1024, static_cast<char>(25 * i)).append(2048, '\0');
    }
    scratch.write(std::string("cifar/") + name, records);
  }
  scratch.write("cifar/batches.meta.txt",
                "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n");
  const std::string data = scratch.path("cifar");
  const std::unique_ptr<Task> task = prepared_task(
      "vit", data,
      with(kTinyVit, {{"patch_size", "8"}, {"stem", "convolutions"}, {"epochs", "3"}}));
  CHECK(task->describe_data()["channels"].as_int() == 3);
  CHECK(task->batch(1, 1)["images"].shape() == Shape{16, 3, 32, 32});
  train_task(*task, data, scratch.path("run"));
  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  const std::string line = predicted_lines(*loaded, {scratch.write("one.ppm", ppm_one())}).front();
  bool named = false;
  for (const char* name :
       {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"})
    named = named || line.find(name) != line.npos;
  CHECK_MESSAGE(named, line);
}

/// Red and blue signs on white as PNG files, a JPEG among them, in folders of classes: 24 to train.
std::string picture_folder(const Scratch& scratch) {
  for (int64_t i = 0; i < 36; ++i) {
    const std::string folder = scratch.path(concat("signs/",
                                                   i < 24   ? "train"
                                                   : i < 30 ? "val"
                                                            : "test",
                                                   "/", i % 2 == 0 ? "red one" : "blue zero"));
    std::filesystem::create_directories(folder);
    Picture picture{3, 20, 24 + i % 3, {}};
    picture.pixels.assign(static_cast<size_t>(picture.numel()), 250);
    for (int64_t y = 4; y < 16; ++y)
      for (int64_t x = 6; x < 18; ++x)
        for (const int64_t c : {i % 2 == 0 ? 1 : 0, i % 2 == 0 ? 2 : 1})
          picture.at(c, y, x) = static_cast<uint8_t>(i);
    write_picture(concat(folder, "/", i, ".png"), picture);
  }
  std::filesystem::copy_file(source_file("tests/golden/pictures/rgb.jpg"),
                             scratch.path("signs/train/red one/photo.jpg"));
  return scratch.path("signs");
}

TEST_CASE("vit: pictures in folders of classes train, evaluate and are named") {
  const Scratch scratch;
  const std::string data = picture_folder(scratch);
  const Changes changes = with(kTinyVit, {{"image_size", "14"},
                                          {"epochs", "12"},
                                          {"learning_rate", "0.01"},
                                          {"label_smoothing", "0"}});
  const std::unique_ptr<Task> task = prepared_task("vit", data, changes);
  CHECK(task->describe_data()["channels"].as_int() == 3);
  CHECK(task->training_examples() == 25);
  CHECK(task->facts()[1].second == "'" + data +
                                       "': 25 images of 14 × 14 to train on, 6 to validate, 2 "
                                       "classes; 37 had another size and are fitted into it");
  train_task(*task, data, scratch.path("run"));
  CHECK(value_of(task->evaluate(), "accuracy") == 100);

  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  const std::string red = data + "/test/red one/30.png", blue = data + "/test/blue zero/31.png";
  std::ostringstream out, notes;
  loaded->predict({red, blue}, out, &notes);
  CHECK(out.str().starts_with(red + "  red one"));
  CHECK(out.str().find(blue + "  blue zero") != std::string::npos);
  CHECK(notes.str() == "'" + red + "' has 24 × 20 pixels: it is read as 14 × 12\n'" + blue +
                           "' has 25 × 20 pixels: it is read as 14 × 11\n");

  // Other data are read in the model's form, and their classes found by name.
  std::filesystem::rename(data + "/train/blue zero", data + "/train/Blue");
  check_error("has the class 'Blue', which the model does not know", [&] {
    std::filesystem::remove_all(data + "/val");
    std::filesystem::remove_all(data + "/test");
    loaded->load_data(data);
  });
}

TEST_CASE("vit: a model of MNIST's files reads pictures of digits of another size as well") {
  const Scratch scratch;
  const std::string mnist = mnist_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("vit", mnist, kTinyVit);
  task->model().eval();
  const double loss = value_of(task->evaluate(), "loss");
  // The same test digits as files of classes, in 56 × 56.
  const Images digits = draw_digits(20, {2, 0});
  for (int64_t i = 0; i < 20; ++i)
    for (const char* part : {"train", "test"}) {
      const std::string folder =
          scratch.path(concat("large/", part, "/", digits.labels[static_cast<size_t>(i)]));
      std::filesystem::create_directories(folder);
      Picture large{1, 56, 56, std::vector<uint8_t>(56 * 56)};
      for (int64_t y = 0; y < 56; ++y)
        for (int64_t x = 0; x < 56; ++x) large.at(0, y, x) = digits.picture(i).at(0, y / 2, x / 2);
      write_picture(concat(folder, "/", i, ".png"), large);
    }
  task->load_data(scratch.path("large"));
  CHECK(value_of(task->evaluate(), "loss") == doctest::Approx(loss));
  CHECK(task->facts()[1].second.find("40 had another size and are fitted") != std::string::npos);

  std::ostringstream out, notes;
  const std::string picture = scratch.write("two.pgm", "P2 2 1 255 0 255");
  task->predict({picture}, out, &notes);
  CHECK(notes.str() == "'" + picture +
                           "' has 2 × 1 pixels: the sign in it is read as 20 × 20, centred in 28 × "
                           "28\n");
}

TEST_CASE("vit: a run stopped in the middle of an epoch resumes to the same bits") {
  const Scratch scratch;
  const std::string data = mnist_folder(scratch);
  // Batch norm in the stem: its running statistics belong to the state. 6 batches are an epoch.
  for (const char* stem : {"convolutions", "stages"})
    CHECK(resumes_exactly(Scratch(), "vit", data,
                          with(kTinyVit, {{"stem", stem}, {"patch_size", "4"}}), 8));
}

TEST_CASE("vit: settings of the model that do not fit are refused, and those that do are built") {
  const Scratch scratch;
  const std::string data = mnist_folder(scratch);
  const auto build = [&](const Changes& changes) {
    return prepared_task("vit", data, with(kTinyVit, changes));
  };
  check_error("patches of 5×5 do not fill an image of 28×28", [&] {
    build({{"patch_size", "5"}});
  });
  check_error("[vit]", [&] { build({{"patch_size", "7"}, {"stem", "convolutions"}}); });
  check_error("heads=3 does not divide width=16", [&] { build({{"heads", "3"}}); });
  CHECK_THROWS_AS(build({{"stem", "roots"}}), UsageError);
  CHECK_THROWS_AS(build({{"pooling", "max"}}), UsageError);
  CHECK_THROWS_AS(build({{"rotate", "181"}}), UsageError);
  const auto names = [&](const Changes& changes) {
    std::string all;
    for (const auto& [name, tensor] : build(changes)->model().state_dict()) all += name + " ";
    return all;
  };
  CHECK(names({{"pooling", "mean"}}).find("class_token") == std::string::npos);
  CHECK(names({{"pooling", "class_token"}}).find("class_token") != std::string::npos);
  CHECK(names({{"stem", "patches"}}).find("stem.conv1") == std::string::npos);
  CHECK(names({{"stem", "convolutions"}, {"patch_size", "4"}}).find("stem.conv1") !=
        std::string::npos);
}

}  // namespace
}  // namespace tarsier::zoo
