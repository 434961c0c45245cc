// Pictures with captions: tables, COCO's JSON, sizes, errors with file and line.
#include "zoo/data/captions.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/captioned.h"

namespace tarsier::zoo {
namespace {

/// A picture of one colour.
std::string write_plain(const Scratch& scratch, const std::string& name, int64_t height,
                        int64_t width, uint8_t red) {
  Picture picture{3, height, width, {}};
  picture.pixels.assign(static_cast<size_t>(picture.numel()), red);
  write_picture(scratch.path(name), picture);
  return scratch.path(name);
}

TEST_CASE("captions: a folder of tables, with pictures below it") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {7, 0});
  const CaptionData data = read_captions(scratch.path("a"), {}, {});
  CHECK(data.columns == "'image' and 'caption'");
  CHECK(data.train.size() == 12);
  CHECK(data.val.size() == 4);
  CHECK(data.test.size() == 4);
  CHECK(data.train.resized == 0);
  CHECK(data.train.images.height == 32);
  const Scene scene = draw_scene({7, 0}, 3, {.height = 32, .width = 32, .max_objects = 2});
  CHECK(data.train.captions[3].text == scene.caption);
  CHECK(data.train.images.picture(data.train.captions[3].image).pixels == scene.picture.pixels);
  CHECK(data.train.files[3] == scratch.path("a/images/train3.png"));
}

TEST_CASE("captions: a picture in several lines is one picture with several captions") {
  const Scratch scratch;
  write_plain(scratch, "x.png", 32, 32, 10);
  write_plain(scratch, "y.png", 32, 32, 20);
  scratch.write("val.tsv", "y.png\tdark\n");
  scratch.write("train.csv", "id,text,file\n1,\"one, two\",x.png\n2,three,y.png\n3,four,x.png\n");
  const CaptionData data = read_captions(scratch.path(""), {}, {});
  CHECK(data.train.images.size() == 2);
  CHECK(data.train.by_image() ==
        std::vector<std::vector<std::string>>{{"one, two", "four"}, {"three"}});
  CHECK(data.train.captions[2].image == 0);
  CHECK(data.val.images.size() == 1);
  CHECK(data.test.size() == 0);
}

TEST_CASE("captions: COCO's JSON, with its usual names and folders") {
  const Scratch scratch;
  for (const char* folder : {"annotations", "train2017", "val2017"})
    std::filesystem::create_directories(scratch.path(folder));
  write_plain(scratch, "train2017/000.png", 40, 40, 10);
  write_plain(scratch, "train2017/001.png", 40, 40, 20);
  write_plain(scratch, "val2017/002.png", 40, 40, 30);
  scratch.write("annotations/captions_train2017.json",
                R"({"info": {}, "images": [{"id": 7, "file_name": "000.png", "width": 40},
                                           {"id": 9, "file_name": "001.png"}],
                    "annotations": [{"id": 1, "image_id": 9, "caption": "A cat.\n"},
                                    {"id": 2, "image_id": 7, "caption": "a dog"},
                                    {"id": 3, "image_id": 9, "caption": "cat"}]})");
  scratch.write("annotations/captions_val2017.json",
                R"({"images": [{"id": 1, "file_name": "002.png"}],
                    "annotations": [{"image_id": 1, "caption": "a bird"}]})");
  const CaptionData data = read_captions(scratch.path(""), {}, {});
  CHECK(data.train.by_image() ==
        std::vector<std::vector<std::string>>{{"A cat.", "cat"}, {"a dog"}});
  CHECK(data.train.images.image(0)[0] == 20);
  CHECK(data.val.captions[0].text == "a bird");
  CHECK(data.train.images.height == 40);

  const auto error = [&](const std::string& json) {
    scratch.write("annotations/captions_val2017.json", json);
    return error_of([&] { read_captions(scratch.path(""), {}, {}); });
  };
  const std::string file = "'" + scratch.path("annotations/captions_val2017.json") + "'";
  CHECK(error(R"({"images": [], "annotations": [{"image_id": 1, "caption": "a"}]})") ==
        "[data] " + file + ", annotation number 1: there is no image with the id 1");
  CHECK(error(R"({"images": [{"id": 1, "file_name": "2"}, {"id": 1, "file_name": "3"}]})") ==
        "[data] " + file + ", image with the id 1: another image has this id");
  CHECK(
      error(R"({"images": [{"id": "x"}], "annotations": []})") ==
      "[data] " + file +
          ", image number 1: \"id\" is of the wrong kind: COCO's format has a whole number there");
  CHECK(error(R"({"images": [{"id": 1, "file_name": "002.png"}], "annotations": []})") ==
        "[data] " + file + " has no captions");
  CHECK(error("{\"images\"").starts_with("[json] "));
}

TEST_CASE("captions: one file is split by pictures") {
  const Scratch scratch;
  std::string rows;
  for (int i = 0; i < 20; ++i) {
    write_plain(scratch, concat(i, ".png"), 32, 32, static_cast<uint8_t>(10 * i));
    rows += concat(i, ".png\tfirst ", i, "\n", i, ".png\tsecond ", i, "\n");
  }
  const std::string table = scratch.write("mine.tsv", rows);
  for (const std::string& path : {table, scratch.path("")}) {
    const CaptionData data = read_captions(path, {}, {});
    CHECK(data.train.images.size() == 16);
    CHECK(data.val.images.size() == 2);
    CHECK(data.test.images.size() == 2);
    std::set<std::string> texts;
    for (const CaptionPart* part : {&data.train, &data.val, &data.test})
      for (const auto& [image, text] : part->captions) {
        // The picture's colour tells its number.
        const int number = part->images.image(image)[0] / 10;
        CHECK(text.ends_with(concat(" ", number)));
        texts.insert(text);
      }
    CHECK(texts.size() == 40);
  }
}

TEST_CASE("captions: pictures of other sizes are fitted, with their proportions") {
  const Scratch scratch;
  const auto size_of = [&](int64_t height, int64_t width, int64_t other) {
    write_plain(scratch, "x.png", height, width, 90);
    write_plain(scratch, "y.png", other, other, 90);
    scratch.write("train.tsv", "x.png\ta\nx.png\tb\ny.png\tc\n");
    scratch.write("val.tsv", "y.png\ta\n");
    const CaptionData data = read_captions(scratch.path(""), {}, {});
    CHECK(data.val.images.height == data.train.images.height);
    return std::vector<int64_t>{data.train.images.height, data.train.images.width,
                                data.train.resized, data.val.resized};
  };
  CHECK(size_of(40, 40, 40) == std::vector<int64_t>{40, 40, 0, 0});
  CHECK(size_of(37, 37, 37) == std::vector<int64_t>{40, 40, 2, 1});  // whole multiples of 8
  CHECK(size_of(40, 64, 40) == std::vector<int64_t>{48, 48, 2, 1});
  CHECK(size_of(80, 80, 80) == std::vector<int64_t>{48, 48, 2, 1});
  const CaptionData data = read_captions(scratch.path(""), {}, {24, 16});
  CHECK(data.train.images.height == 24);
  CHECK(data.train.images.width == 16);
}

TEST_CASE("captions: errors name file and line") {
  const Scratch scratch;
  write_plain(scratch, "x.png", 32, 32, 90);
  scratch.write("bad.png", "\x89PNG\r\n");
  scratch.write("val.tsv", "x.png\ta\n");
  const std::string file = "'" + scratch.path("train.tsv") + "'";
  const auto error = [&](const std::string& rows) {
    scratch.write("train.tsv", rows);
    return error_of([&] { read_captions(scratch.path(""), {}, {}); });
  };
  CHECK(error("x.png\ta\n\ngone.png\tb\n")
            .starts_with("[data] " + file + ", line 3: there is no file 'gone.png' in '"));
  CHECK(error("x.png\ta\nbad.png\tb\n").starts_with("[data] " + file + ", line 2: "));
  CHECK(error("x.png\ta\nx.png\t \n").find("line 2") != std::string::npos);
  CHECK(error("x.png\n").find("line 1") != std::string::npos);
  std::filesystem::remove(scratch.path("val.tsv"));
  CHECK(error("x.png\ta\n").starts_with("[data] there are no captions to validate with"));
  CHECK(error_of([&] {
          read_captions(scratch.path("train.tsv"), {}, {});
        }).find("has 1 picture, too few to split off") != std::string::npos);
  std::filesystem::remove(scratch.path("train.tsv"));
  CHECK(error_of([&] {
          read_captions(scratch.path(""), {}, {});
        }).starts_with("[data] there is no 'train.tsv' or 'captions_train….json' in '"));
}

TEST_CASE("captions: generated scenes agree with their captions") {
  const CaptionData data = scene_captions({}, {.train = 12, .val = 10, .test = 11});
  CHECK(data.train.size() == 12);
  CHECK(data.val.images.size() == 10);
  CHECK(data.test.size() == 11);
  CHECK(data.test.images.height == 48);
  CHECK(data.val.captions[9].text == draw_scene({2027, 2}, 9).caption);
}

TEST_CASE("captions: emoji with their names") {
  if (!have_data("image-captioning/train.tsv")) return;
  const CaptionData data = read_captions(data_file("image-captioning").string(), {}, {});
  CHECK(data.train.size() == 1336);
  CHECK(data.val.size() == 139);
  CHECK(data.test.size() == 295);
  CHECK(data.train.images.height == 32);
  CHECK(data.train.resized == 0);
  CHECK(data.train.captions[1].text == "Santa Claus light skin tone");
}

}  // namespace
}  // namespace tarsier::zoo
