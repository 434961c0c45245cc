// Image GPT as a task: data, training, what predict and the report show.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/markup.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/digits.h"
#include "zoo/image_gpt/drawings.h"
#include "zoo/picture/read.h"
#include "zoo/picture/write.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

const Changes kTiny = {{"layers", "1"},          {"heads", "2"}, {"width", "8"},
                       {"mlp_width", "8"},       {"reach", "3"}, {"window", "2"},
                       {"batch_size", "4"},      {"steps", "6"}, {"eval_every", "3"},
                       {"checkpoint_every", "2"}};

/// Digits of 8 × 8 pixels as IDX files.
std::string idx_folder(const Scratch& scratch) {
  write_idx(scratch, "idx", "train", draw_digits(30, {1, 0}, 8));
  write_idx(scratch, "idx", "t10k", draw_digits(6, {2, 0}, 8));
  return scratch.path("idx");
}

/// Pictures of digits as PNG files, in a folder for each class: ImageFolder.
std::string png_folder(const Scratch& scratch, const std::string& part, int64_t count) {
  const Images images = draw_digits(count, {3, 0}, 8);
  for (int64_t i = 0; i < count; ++i) {
    const std::string folder = scratch.path(
        concat("png/", part, part.empty() ? "" : "/", images.labels[static_cast<size_t>(i)]));
    std::filesystem::create_directories(folder);
    write_picture(concat(folder, "/", i, ".png"), images.picture(i));
  }
  return scratch.path("png");
}

TEST_CASE("image-gpt: IDX files of images become levels; a tenth validates") {
  const Scratch scratch;
  const std::string folder = idx_folder(scratch);
  for (const char* part : {"train", "t10k"})  // nobody asks for labels
    REQUIRE(std::filesystem::remove(concat(folder, "/", part, "-labels-idx1-ubyte")));
  const image_gpt::Parts parts = image_gpt::read_drawings(folder, 2);
  CHECK(parts.train.size() == 27);
  CHECK(parts.val.size() == 3);
  CHECK(parts.test.size() == 6);
  CHECK(parts.train.height == 8);
  const Images test = draw_digits(6, {2, 0}, 8);
  for (size_t i = 0; i < test.pixels.size(); ++i)
    REQUIRE(parts.test.pixels[i] == (test.pixels[i] >= 128 ? 1 : 0));
  // With a part for validation all of the training part is for training.
  write_idx(scratch, "idx", "val", draw_digits(5, {4, 0}, 8));
  write_idx(scratch, "idx", "test", draw_digits(4, {4, 0}, 8));
  const image_gpt::Parts three = image_gpt::read_drawings(folder, 4);
  CHECK(three.train.size() == 30);
  CHECK(three.val.size() == 5);
  CHECK(three.test.size() == 4);
  CHECK(*std::max_element(three.train.pixels.begin(), three.train.pixels.end()) == 3);
  write_idx(scratch, "idx", "val", draw_digits(5, {4, 0}, 9));
  check_error("pictures of 8 × 8 pixels to learn from, and others of 9 × 9",
              [&] { image_gpt::read_drawings(folder, 2); });
}

TEST_CASE("image-gpt: folders of picture files, in classes or not, in parts or not") {
  const Scratch scratch;
  const std::string folder = png_folder(scratch, "", 20);
  scratch.write("png/notes.txt", "no picture");
  CHECK(image_gpt::read_drawings(folder, 2).train.size() == 18);
  CHECK(image_gpt::read_drawings(folder, 2).val.size() == 2);
  png_folder(scratch, "train", 12);
  png_folder(scratch, "test", 3);
  const image_gpt::Parts parts = image_gpt::read_drawings(folder, 2);
  CHECK(parts.train.size() == 11);
  CHECK(parts.val.size() == 1);
  CHECK(parts.test.size() == 3);
  // Sorted by folder: the digits of class 0 come first.
  const Images images = draw_digits(3, {3, 0}, 8);
  CHECK(std::vector(parts.test.at(1), parts.test.at(2)) ==
        image_gpt::levels_of(images.picture(1), 8, 8, 2));
  // Pictures of other sizes, in colours, are made to fit the first.
  scratch.write("png/train/9/z.ppm", "P3 1 1 255 255 255 255");
  const image_gpt::Parts more = image_gpt::read_drawings(folder, 2);
  CHECK(more.train.size() + more.val.size() == 13);
  scratch.write("png/train/9/bad.png", "\x89PNG");
  check_error("bad.png", [&] { image_gpt::read_drawings(folder, 2); });
  check_error("is not a folder", [&] { image_gpt::read_drawings(scratch.path("none"), 2); });
  std::filesystem::create_directories(scratch.path("empty"));
  check_error("has 0 pictures to learn from, but at least 2 are needed; it holds no files",
              [&] { image_gpt::read_drawings(scratch.path("empty"), 2); });
  std::filesystem::create_directories(scratch.path("large"));
  write_picture(scratch.path("large/a.png"), {1, 200, 1, std::vector<uint8_t>(200)});
  check_error("up to 128 × 128", [&] { image_gpt::read_drawings(scratch.path("large"), 2); });
}

TEST_CASE("image-gpt: levels and greys") {
  CHECK(image_gpt::level_of(127, 2) == 0);
  CHECK(image_gpt::level_of(128, 2) == 1);
  CHECK(image_gpt::level_of(255, 256) == 255);
  CHECK(image_gpt::grey_of(1, 2) == 255);
  CHECK(image_gpt::grey_of(1, 4) == 85);
  const std::vector<uint8_t> levels{0, 1, 2, 3};
  const Picture picture = image_gpt::picture_of(levels.data(), 2, 2, 4);
  CHECK(picture.pixels == std::vector<uint8_t>{0, 85, 170, 255});
  CHECK(image_gpt::levels_of(picture, 2, 2, 4) == levels);
}

TEST_CASE("image-gpt: a batch depends on seed and number; shifts move whole drawings") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  const auto task = prepared_task("image-gpt", data, kTiny);
  CHECK(same_bits(task->batch(3, 1).tensors, task->batch(3, 1).tensors));
  CHECK_FALSE(same_bits(task->batch(3, 1).tensors, task->batch(3, 2).tensors));
  Changes still = kTiny;
  still.emplace_back("shift", "0");
  const auto plain = prepared_task("image-gpt", data, still);
  const Tensor moved = task->batch(2, 1)["pixels"], whole = plain->batch(2, 1)["pixels"];
  CHECK(moved.shape() == Shape{4, 8, 8});
  // Each is its drawing, moved by up to a pixel in each direction.
  for (int64_t i = 0; i < 4; ++i) {
    const std::vector<double> a = select(moved, 0, i).to_vector(),
                              b = select(whole, 0, i).to_vector();
    int matches = 0;
    for (int64_t down = -1; down <= 1; ++down)
      for (int64_t right = -1; right <= 1; ++right) {
        bool same = true;
        for (int64_t y = 1; y < 7; ++y)
          for (int64_t x = 1; x < 7; ++x)
            same = same && a[static_cast<size_t>(8 * y + x)] ==
                               b[static_cast<size_t>(8 * (y - down) + x - right)];
        matches += same;
      }
    CHECK(matches >= 1);
  }
  const Metrics metrics = task->validate();  // nats a block, and a picture of 16 blocks
  CHECK(metrics[1].value == doctest::Approx(16 * metrics[0].value));
  CHECK(task->choice()->count == 16);
}

TEST_CASE("image-gpt: what is bent is told, and is not what validation sees") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  Changes settings = kTiny;
  settings.insert(settings.end(), {{"shift", "0"}, {"bent", "1"}, {"turned", "0"}});
  const auto task = prepared_task("image-gpt", data, settings);
  const Batch batch = task->batch(2, 1);
  CHECK(same_bits(batch.tensors, task->batch(2, 1).tensors));
  CHECK(sum(batch["changes"], 0).to_vector() == std::vector<double>{4, 0, 0, 0, 0, 0, 0, 0});
  settings.insert(settings.end(), {{"bent", "0"}});
  const auto plain = prepared_task("image-gpt", data, settings);
  CHECK(sum(plain->batch(2, 1)["changes"]).item() == 0);
  CHECK_FALSE(batch["pixels"].to_vector() == plain->batch(2, 1)["pixels"].to_vector());
  // The models begin alike, and are measured on the same drawings.
  CHECK(task->validate()[0].value == plain->validate()[0].value);
}

TEST_CASE("image-gpt: a row that is studied has ink") {
  const Scratch scratch;
  Images images;
  for (int64_t i = 0; i < 4; ++i) {  // ink in row 4 alone
    Picture picture{1, 8, 8, std::vector<uint8_t>(64, 0)};
    std::fill(picture.pixels.begin() + 33, picture.pixels.begin() + 39, uint8_t{255});
    images.append(picture, 0);
  }
  write_idx(scratch, "idx", "train", images);
  const auto task = prepared_task("image-gpt", scratch.path("idx"), kTiny);
  const Tensor pixels = task->study_input(4, 1).batch["pixels"];
  CHECK(pixels.shape() == Shape{1, 2, 8});
  CHECK(sum(pixels, 2).to_vector() == std::vector<double>{6, 0});
  CHECK(task->study_input(100, 1).batch["pixels"].shape() == Shape{1, 8, 8});
}

TEST_CASE("image-gpt: a stopped run ends with the bits of an unbroken one, with any threads") {
  const Scratch scratch;
  const std::string data = idx_folder(scratch);
  CHECK(resumes_exactly(scratch, "image-gpt", data, kTiny, 3));
  const Threads used(3);
  train_task(*prepared_task("image-gpt", data, kTiny), data, scratch.path("threads"));
  CHECK(same_bits(RunFolder::open(scratch.path("threads")).load_weights(),
                  RunFolder::open(scratch.path("whole")).load_weights()));
}

TEST_CASE("image-gpt: predict draws, completes and writes sheets") {
  const Scratch scratch;
  const std::string data = png_folder(scratch, "", 20);
  train_task(*prepared_task("image-gpt", data, kTiny), data, scratch.path("run"));
  const auto task = loaded_task(scratch.path("run"));
  Settings options = task->predict_options();
  options.set("count", "2");
  const std::vector<std::string> text = predicted_lines(*task, {""});
  CHECK(text.size() == 2 * 5);  // four lines each, and a blank one
  CHECK(predicted_lines(*task, {""}) == text);
  options.set("seed", "2");
  CHECK(predicted_lines(*task, {""}) != text);
  const std::string sheet = scratch.path("sheet.png"), one = scratch.path("png/4/4.png");
  options.set("out", sheet);
  options.set("count", "13");
  CHECK(predicted_lines(*task, {""})[0] == sheet + ": 13 pictures");
  CHECK(read_picture(sheet).width == 10 * 26 + 2);
  CHECK(read_picture(sheet).height == 2 * 26 + 2);
  options.set("count", "3");
  CHECK(predicted_lines(*task, {one, one})[0] == sheet + ": 10 pictures");
  const Picture rows = read_picture(sheet), given = read_picture(one);
  CHECK(rows.width == 5 * 26 + 2);
  // The picture, its upper half, and completions that keep it.
  for (int64_t y = 0; y < 4; ++y)
    for (int64_t x = 0; x < 8; ++x)
      for (int64_t i = 0; i < 5; ++i)
        REQUIRE(rows.at(0, 2 + 3 * y, 2 + 26 * i + 3 * x) == (given.at(0, y, x) >= 128 ? 255 : 0));
  options.set("out", "a.jpg");
  CHECK(error_of([&] { predicted_lines(*task, {""}); }) ==
        "[predict] --out is 'a.jpg': expected a name that ends in .png");
  options.set("out", "");
  check_error("none.png", [&] { predicted_lines(*task, {"none.png"}); });

  task->load_data(data);
  Page page("x");
  task->report(page);
  CHECK(flaw(page.html()) == "");
  for (const char* part : {"What it draws", "Where it looks", "What surprises it", " nats"})
    CHECK_MESSAGE(page.html().find(part) != std::string::npos, part);
}

TEST_CASE("image-gpt: pictures of another size than the model's are refused as data") {
  const Scratch scratch;
  const auto task = prepared_task("image-gpt", idx_folder(scratch), kTiny);
  write_idx(scratch, "other", "train", draw_digits(30, {1, 0}, 10));
  check_error("has pictures of 10 × 10 pixels, but the model draws 8 × 8",
              [&] { task->load_data(scratch.path("other")); });
}

}  // namespace
}  // namespace tarsier::zoo
