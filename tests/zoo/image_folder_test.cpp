// Pictures with classes: folders and tables, sizes and channels, errors with their file.
#include "zoo/data/image_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/picture/write.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;

/// A PNG file of one colour, with the folders above it; grey if the three are equal.
std::string write_plain(const Scratch& scratch, const std::string& name, int64_t height,
                        int64_t width, uint8_t red, uint8_t green, uint8_t blue) {
  Picture picture{red == green && green == blue ? 1 : 3, height, width, {}};
  for (const uint8_t value : {red, green, blue})
    if (std::ssize(picture.pixels) < picture.numel())
      picture.pixels.insert(picture.pixels.end(), static_cast<size_t>(height * width), value);
  fs::create_directories(fs::path(scratch.path(name)).parent_path());
  write_picture(scratch.path(name), picture);
  return scratch.path(name);
}

/// Two classes of 12 × 8 pixels in three parts: data/train/cat/0.png … Cats are red.
std::string cats_and_dogs(const Scratch& scratch) {
  const auto level = [](int i) { return static_cast<uint8_t>(100 + i); };
  for (const auto& [part, count] : {std::pair{"train", 3}, {"val", 2}, {"test", 1}})
    for (int i = 0; i < count; ++i) {
      write_plain(scratch, concat("data/", part, "/cat/", i, ".png"), 12, 8, level(i), 0, 0);
      write_plain(scratch, concat("data/", part, "/dog/", i, ".png"), 12, 8, 0, level(i), 0);
    }
  return scratch.path("data");
}

std::string reading_error(const std::string& path, const ClassColumns& columns = {}) {
  return error_of([&] { read_image_folder(path, {}, columns); });
}

TEST_CASE("image folder: the folder's name is the class, in parts, in the order of the names") {
  const Scratch scratch;
  const std::string data = cats_and_dogs(scratch);
  // As torchvision has it: pictures of any ending below the folder, other files are none.
  fs::create_directories(scratch.path("data/train/Ant/below/deep"));
  fs::copy_file(source_file("tests/golden/pictures/rgb.jpg"),
                scratch.path("data/train/Ant/below/deep/1.JPG"));
  scratch.write("data/train/Ant/notes.txt", "no picture");
  fs::create_directories(scratch.path("data/train/.cache"));
  const ImageFolder folder = read_image_folder(data, {.height = 12, .width = 8});
  CHECK(folder.names == std::vector<std::string>{"Ant", "cat", "dog"});
  CHECK(folder.train.labels == std::vector<int64_t>{0, 1, 1, 1, 2, 2, 2});
  CHECK(folder.val.labels == std::vector<int64_t>{1, 1, 2, 2});
  CHECK(folder.test.labels == std::vector<int64_t>{1, 2});
  CHECK(folder.train.image(2)[0] == 101);       // cat/1.png is red
  CHECK(folder.train.image(5)[12 * 8] == 101);  // dog/1.png is green
  CHECK(folder.resized == 1);
  CHECK(folder.remark.empty());
  CHECK_FALSE(folder.signs);
  // Other usual names of the part for validation.
  fs::rename(scratch.path("data/val"), scratch.path("data/valid"));
  CHECK(read_image_folder(data).val.size() == 4);
  fs::remove_all(scratch.path("data/valid"));
  CHECK(read_image_folder(data).val.size() == 0);
  const ImageFolder split = with_validation(read_image_folder(data));
  CHECK(split.train.size() == 6);
  CHECK(split.val.size() == 1);
}

TEST_CASE("image folder: without parts every class is split; a class may be called train") {
  const Scratch scratch;
  for (int i = 0; i < 10; ++i)
    for (const char* label : {"bus", "car", "train"})
      write_plain(scratch, concat("toys/", label, "/", i, ".png"), 8, 8,
                  static_cast<uint8_t>(20 * i), 0, 9);
  const ImageFolder folder = read_image_folder(scratch.path("toys"));
  CHECK(folder.names == std::vector<std::string>{"bus", "car", "train"});
  CHECK(folder.train.size() == 25);
  CHECK(folder.val.size() == 3);
  CHECK(folder.test.size() == 2);
  std::set<std::pair<int64_t, int>> all;  // label and colour name a picture
  for (const Images* part : {&folder.train, &folder.val, &folder.test})
    for (int64_t i = 0; i < part->size(); ++i)
      all.emplace(part->labels[static_cast<size_t>(i)], part->image(i)[0]);
  CHECK(all.size() == 30);
  CHECK(read_image_folder(scratch.path("toys")).test.pixels == folder.test.pixels);
}

TEST_CASE(
    "image folder: pictures get one size with their proportions, and the channels they need") {
  const Scratch scratch;
  for (const char* label : {"a", "b"})
    for (int i = 0; i < 2; ++i)
      write_plain(scratch, concat("train/", label, "/", i, ".png"), 28, 30, 50, 50, 50);
  const std::string data = scratch.path("");
  // Small ones of one size keep it, rounded up to whole patches.
  const ImageFolder small = read_image_folder(data, {.multiple = 4});
  CHECK(small.train.height == 28);
  CHECK(small.train.width == 32);
  CHECK(small.train.channels == 1);
  CHECK(small.resized == 4);
  // Grey pixels in a file with colours are grey; the whole is fitted into the middle of 16 × 16.
  scratch.write("train/a/x.ppm", "P3 1 2 255 7 7 7 7 7 7");
  const ImageFolder fitted = read_image_folder(data, {.height = 16, .width = 16});
  CHECK(fitted.train.channels == 1);
  CHECK(fitted.train.picture(2).pixels == std::vector<uint8_t>(256, 7));
  CHECK(read_image_folder(data).train.height == 48);  // of several sizes
  // One pixel is enough of a picture, and one colour for colours.
  scratch.write("train/a/x.ppm", "P3 1 1 255 200 7 7");
  const ImageFolder coloured = read_image_folder(data, {.height = 4, .width = 4});
  CHECK(coloured.train.channels == 3);
  CHECK(coloured.train.image(2)[0] == 200);
  CHECK(coloured.train.image(2)[16] == 7);
  CHECK(coloured.train.image(0)[32] == 50);
  // A form that is known is kept, and other parts follow the training part.
  CHECK(read_image_folder(data, {1, 4, 4, 1}).train.channels == 1);
  write_plain(scratch, "test/b/0.png", 9, 9, 1, 2, 3);
  scratch.write("train/a/x.ppm", "P3 1 1 255 7 7 7");
  CHECK(read_image_folder(data).test.channels == 1);
  CHECK(read_image_folder(data).test.height == 48);
}

TEST_CASE("image folder: tables name pictures and classes") {
  const Scratch scratch;
  for (int i = 0; i < 14; ++i)
    write_plain(scratch, concat("images/", i, ".png"), 8, 8, static_cast<uint8_t>(i), 0, 0);
  scratch.write("train.csv", "image,id,label\n3.png,1,b\nimages/4.png,2,a\n5.png,3,b\n");
  scratch.write("test.csv", "label,image\na,6.png\n");
  const ImageFolder folder = read_image_folder(scratch.path(""));
  CHECK(folder.names == std::vector<std::string>{"a", "b"});
  CHECK(folder.train.labels == std::vector<int64_t>{1, 0, 1});
  CHECK(folder.train.image(1)[0] == 4);
  CHECK(folder.test.image(0)[0] == 6);
  CHECK(folder.columns == "'image' and 'label'");
  scratch.write("test.csv", "Art,Bild\na,6.png\n");
  CHECK(reading_error(scratch.path("")).find("test.csv") != std::string::npos);

  const std::string test = scratch.write("test.csv", "image,label\n6.png,a\n7.png,c\n");
  CHECK(reading_error(scratch.path("")) == "[data] '" + test +
                                               "', line 3 is of class 'c', which no training "
                                               "picture has; they have 'a', 'b'");
  scratch.write("test.csv", "image,label\n6.png,a\n77.png,a\n");
  CHECK(reading_error(scratch.path(""))
            .starts_with("[data] '" + test + "', line 3: there is no file '77.png'"));
  scratch.write("test.csv", "image,label\n6.png,a\ntest.csv,a\n");
  CHECK(reading_error(scratch.path(""))
            .starts_with("[data] '" + test + "', line 3: [data] '" + test + "' is not an image"));
  scratch.write("test.csv", "image,label\n6.png,\n");
  CHECK(reading_error(scratch.path("")).find("line 2") != std::string::npos);

  // One table is split.
  fs::remove(scratch.path("train.csv"));
  std::string rows = "Bild\tArt\n";
  for (int i = 0; i < 14; ++i) rows += concat(i, ".png\t", i % 2 == 0 ? "even" : "odd", "\n");
  const std::string table = scratch.write("mine.tsv", rows);
  const ClassColumns columns{.image = "Bild", .label = "Art"};
  fs::remove(test);
  for (const std::string& path : {table, scratch.path("")}) {
    const ImageFolder split = read_image_folder(path, {}, columns);
    CHECK(split.names == std::vector<std::string>{"even", "odd"});
    CHECK(split.train.size() == 12);
    CHECK(split.val.size() == 1);
    CHECK(split.test.size() == 1);
    CHECK(split.val.image(0)[0] % 2 == split.val.labels[0]);
  }
}

TEST_CASE("image folder: what is wrong is named by its file") {
  const Scratch scratch;
  const std::string data = cats_and_dogs(scratch);
  const auto file = [&](const std::string& name) { return scratch.path("data/" + name); };

  const auto refused = [&](const std::string& name, const std::string& bytes) {
    const std::string path = scratch.write("data/" + name, bytes);
    const std::string what = reading_error(data);
    fs::remove(path);
    CAPTURE(what);
    REQUIRE(what.starts_with("[data] '" + path + "': [data] '" + path + "'"));
    return what.substr(2 * path.size() + 20);
  };
  CHECK(refused("val/dog/x.png", "hello").starts_with(" is not an image that can be read"));
  CHECK(refused("test/dog/x.webp", "RIFF1234WEBP").starts_with(" is a WebP file"));
  CHECK(refused("train/dog/x.jpg", scratch.read("data/train/dog/0.png").substr(0, 50)) !=
        "no error");
  CHECK(refused("train/dog/huge.pgm", "P5 20000 20000 255\n")
            .starts_with(" claims to have 20000 × 20000 pixels"));

  write_plain(scratch, "data/test/wolf/1.png", 4, 4, 1, 2, 3);
  CHECK(reading_error(data) == "[data] '" + file("test/wolf/1.png") +
                                   "' is of class 'wolf', which no training picture has; they "
                                   "have 'cat', 'dog'");
  fs::remove_all(file("test/wolf"));

  // Pictures outside the folders of classes have no label: they are left out, and it is said.
  write_plain(scratch, "data/stray.png", 4, 4, 1, 2, 3);
  CHECK(read_image_folder(data).remark ==
        "1 picture outside the folders of classes left out ('" + file("stray.png") + "')");
  write_plain(scratch, "data/train/other.png", 4, 4, 1, 2, 3);
  CHECK(read_image_folder(data).remark ==
        "2 pictures outside the folders of classes left out (the first: '" + file("stray.png") +
            "')");
  CHECK(read_image_folder(data).train.size() == 6);

  fs::create_directories(file("train/empty"));
  CHECK(reading_error(data).starts_with("[data] the folder '" + file("train/empty") +
                                        "' of class 'empty' has no pictures, but no files"));
  fs::remove_all(file("train/empty"));
  fs::create_directories(file("test/empty"));
  CHECK(read_image_folder(data).test.size() == 2);

  fs::remove_all(file("train/cat"));
  CHECK(reading_error(data) ==
        "[data] '" + data + "' has only one class, 'dog': a classifier needs at least two");
  fs::remove_all(file("train"));
  CHECK(reading_error(data).starts_with(
      "[data] '" + file("val") + "' has folders of classes, but there is no '" + file("train")));
  CHECK(reading_error(file("val")) ==
        "[data] '" + file("val") +
            "' has 4 pictures of 2 classes, too few to split off validation and test: give at "
            "least 12, or parts train and val");
  CHECK(reading_error(scratch.path("nowhere")).starts_with("[data] there is no '"));
}

TEST_CASE("image folder: a folder that contains itself is read once") {
  const Scratch scratch;
  const std::string data = cats_and_dogs(scratch);
  fs::create_directory_symlink(scratch.path("data"), scratch.path("data/train/cat/again"));
  // Three cats, through the link all but them, three dogs.
  CHECK(read_image_folder(data).train.labels.size() == 3 + 9 + 3);
}

TEST_CASE("image folder: other data get the numbers that the classes have for the model") {
  const Scratch scratch;
  ImageFolder data = read_image_folder(cats_and_dogs(scratch));
  renumber_classes(data, {"ant", "dog", "cat"}, "'x'");
  CHECK(data.test.labels == std::vector<int64_t>{2, 1});
  CHECK(data.names == std::vector<std::string>{"ant", "dog", "cat"});
  CHECK(error_of([&] {
          renumber_classes(data, {"ant", "dog"}, "'x'");
        }) ==
        "[data] 'x' has the class 'cat', which the model does not know; it knows 'ant', 'dog'");
  // Classes without names are taken by number, but only if there are as many.
  ImageFolder numbered;
  numbered.names = {"0", "1"};
  numbered.test.labels = {1, 0};
  renumber_classes(numbered, {"cat", "dog"}, "'x'");
  CHECK(numbered.test.labels == std::vector<int64_t>{1, 0});
  numbered.names = {"0", "1"};
  CHECK_THROWS_AS(renumber_classes(numbered, {"cat", "dog", "emu"}, "'x'"), Error);
  numbered.names = {"0", "1"};
  renumber_classes(numbered, {"1", "0"}, "'x'");
  CHECK(numbered.test.labels == std::vector<int64_t>{0, 1});
}

TEST_CASE("image folder: images of other sizes are fitted when the model asks for it") {
  const Scratch scratch;
  ImageFolder data = read_image_folder(cats_and_dogs(scratch));
  fit_images(data, {});
  CHECK(data.train.height == 16);  // 12 × 8 in whole multiples of 8
  const int64_t before = data.resized;
  fit_images(data, {3, 16, 8, 8});
  CHECK(data.resized == before);
  fit_images(data, {1, 4, 4, 8});
  CHECK(data.resized == before + 12);
  CHECK(data.val.channels == 1);
  CHECK(data.val.labels == std::vector<int64_t>{0, 0, 1, 1});
}

}  // namespace
}  // namespace tarsier::zoo
