// Boxes in four formats.
#include "zoo/detection/annotations.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/detection/pictures.h"
#include "zoo/picture/write.h"

namespace tarsier::zoo::detection {
namespace {

namespace fs = std::filesystem;

/// Files of a data set in a folder of its own.
struct Folder {
  Scratch scratch;

  std::string path() const { return scratch.path("data"); }
  /// Writes a file, with the folders above it.
  void text(const std::string& name, const std::string& content) const {
    const fs::path file = fs::path(path()) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }
  /// A picture of 20 × 10 pixels of one brightness.
  void picture(const std::string& name, uint8_t grey = 100, int64_t side = 1) const {
    const fs::path file = fs::path(path()) / name;
    fs::create_directories(file.parent_path());
    write_picture(file.string(),
                  {1, 10 * side, 20 * side,
                   std::vector<uint8_t>(200 * static_cast<size_t>(side * side), grey)});
  }
};

/// The data of read_annotations() and load_pictures() in a line: parts, names, boxes.
std::string told(const std::string& path, int64_t longest = 96) {
  const DetectionData data = load_pictures(read_annotations(path), longest);
  std::string out;
  for (const auto* part : {&data.parts.train, &data.parts.val, &data.parts.test}) {
    for (const Example& example : *part) {
      out += concat(example.name, ":", int{example.picture.pixels[0]});
      for (const TrueObject& object : example.objects) {
        const Box& b = object.box;
        out += concat(" ", data.names[static_cast<size_t>(object.label)], object.crowd ? "*" : "",
                      "(", b.x1, ",", b.y1, ",", b.x2, ",", b.y2, ")");
      }
      out += "; ";
    }
    out += "| ";
  }
  return out;
}

const std::string kTold =
    "a.png:10 dog(1,2,6,8) cat(10,0,20,10); b.png:20; | c.png:30 cat(0,0,5,5); | d.png:40 "
    "dog(2,2,4,4); | ";

/// The same pictures in all formats: `folder_of` says where a part's lie.
void write_pictures(const Folder& folder, const std::vector<std::string>& places) {
  folder.picture(places[0] + "a.png", 10);
  folder.picture(places[0] + "b.png", 20);
  folder.picture(places[1] + "c.png", 30);
  folder.picture(places[2] + "d.png", 40);
}

TEST_CASE("boxes in tables: parts, headers in any order, and none") {
  const Folder folder;
  write_pictures(folder, {"images/", "images/", "images/"});
  folder.text("train.tsv",
              "image\tlabel\tx1\ty1\tx2\ty2\na.png\tdog\t1\t2\t6\t8\n"
              "a.png\tcat\t10\t0\t20\t10\nb.png\t\t\t\t\t\n");
  folder.text("valid.csv", "xmin,ymin,xmax,ymax,class,filename,extra\n0,0,5,5,cat,c,1\n");
  folder.text("test.tsv", "d.png\tdog\t2\t2\t4\t4.0\n");
  CHECK(told(folder.path()) == kTold);
  folder.text("test.tsv", "images\\d.png\t2\t2\t4\t4\tdog\n");  // numbers before the label
  CHECK(told(folder.path()) == kTold);
}

TEST_CASE("boxes in COCO's JSON: files named after parts, crowds, categories in their order") {
  const Folder folder;
  write_pictures(folder, {"train2017/", "val2017/", "test2017/"});
  const auto file = [&](const std::string& name, const std::string& images,
                        const std::string& annotations) {
    folder.text("annotations/" + name,
                concat("{\"images\": [", images, "], \"annotations\": [", annotations,
                       "], \"categories\": [{\"id\": 7, "
                       "\"name\": \"dog\"}, {\"id\": 3, \"name\": \"cat\"}]}"));
  };
  const std::string train = R"({"id": 1, "file_name": "a.png"}, {"id": 5, "file_name": "b.png"})";
  file("instances_train2017.json", train,
       R"({"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 5, 6], "iscrowd": 0},
          {"id": 2, "image_id": 1, "category_id": 3, "bbox": [10, 0, 10, 10]})");
  file("instances_val2017.json", R"({"id": 1, "file_name": "c.png"})",
       R"({"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5]})");
  file("instances_test2017.json", R"({"id": 1, "file_name": "d.png"})",
       R"({"id": 1, "image_id": 1, "category_id": 7, "bbox": [2, 2, 2, 2]})");
  folder.text("annotations/captions_train2017.json", "{\"images\": [], \"annotations\": []}");
  CHECK(told(folder.path()) == kTold);
  CHECK(read_annotations(folder.path()).names == std::vector<std::string>{"dog", "cat"});

  const std::string start =
      concat("[data] '", folder.path(), "/annotations/instances_train2017.json'");
  const auto message = [&](const std::string& annotation) {
    file("instances_train2017.json", train, annotation);
    const std::string text = error_of([&] { read_annotations(folder.path()); });
    return text.starts_with(start) ? text.substr(start.size()) : text;
  };
  CHECK(message(R"({"id": 4, "image_id": 2, "category_id": 7, "bbox": [1, 2, 5, 6]})") ==
        ", annotation with the id 4: there is no image with the id 2");
  CHECK(message(R"({"image_id": 1, "category_id": 8, "bbox": [1, 2, 5, 6]})") ==
        ", annotation number 1 is of category 8, which is not in \"categories\"");
  CHECK(message(R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 5]})") ==
        ", annotation number 1: its \"bbox\" is not four numbers: x, y, width and height");
  CHECK(message(R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 5, "6"]})") ==
        ", annotation number 1: its \"bbox\" is not four numbers: x, y, width and height");
  CHECK(message(R"({"image_id": 1, "category_id": 7})") ==
        ", annotation number 1 has no \"bbox\": COCO's format has an array there");
  CHECK(
      message(R"({"image_id": "1", "category_id": 7, "bbox": [1, 2, 5, 6]})") ==
      ", annotation number 1: \"image_id\" is of the wrong kind: COCO's format has a whole number "
      "there");
  CHECK(message("7") ==
        ", annotation number 1 has no \"category_id\": COCO's format has a whole number there");
  CHECK(message(R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 5, 6], "iscrowd": 1})") ==
        "no error");
  CHECK(told(folder.path()).starts_with("a.png:10 dog*(1,2,6,8); b.png:20;"));
}

std::string voc_object(const std::string& label, const std::string& box) {
  const char* sides[] = {"xmin", "ymin", "xmax", "ymax"};
  std::string out = "<object>\n<name>" + label + "</name><bndbox>";
  size_t at = 0;
  for (const char* side : sides) {
    const size_t end = std::min(box.find(' ', at), box.size());
    out += concat("<", side, ">", box.substr(at, end - at), "</", side, ">");
    at = end + 1;
  }
  return out + "</bndbox></object>\n";
}

std::string voc_file(const std::string& picture, const std::string& objects) {
  return concat("<annotation>\n<filename>", picture, "</filename>\n", objects, "</annotation>");
}

TEST_CASE("boxes in Pascal VOC's XML: sets, or folders of parts") {
  const Folder folder;
  write_pictures(folder, {"JPEGImages/", "JPEGImages/", "JPEGImages/"});
  const std::string two = voc_object("dog", "1 2 6 8") + voc_object("cat", "10 0 20 10");
  folder.text("Annotations/a.xml", voc_file("a.png", two));
  folder.text("Annotations/b.xml", voc_file("wrong.jpg", ""));  // found by the file's own name
  folder.text("Annotations/c.xml", voc_file("c.png", voc_object("cat", "0 0 5 5")));
  folder.text("Annotations/d.xml", voc_file("d.png", voc_object("dog", "2 2 4 4.0")));
  folder.text("ImageSets/Main/train.txt", "a\nb  1\n");
  folder.text("ImageSets/Main/val.txt", "c\n");
  folder.text("ImageSets/Main/test.txt", "d\n");
  CHECK(told(folder.path()) == kTold);

  const Folder parts;
  write_pictures(parts, {"train/", "valid/", "test/"});
  parts.text("train/a.xml", voc_file("a.png", two));
  parts.text("train/b.xml", voc_file("b.png", ""));
  parts.text("valid/c.xml", voc_file("c.png", voc_object("cat", "0 0 5 5")));
  parts.text("test/d.xml", voc_file("d.png", voc_object("dog", "2 2 4 4")));
  CHECK(told(parts.path()) == kTold);

  const std::string file = folder.path() + "/Annotations/a.xml";
  const auto message = [&](const std::string& text) {
    folder.text("Annotations/a.xml", text);
    return error_of([&] { read_annotations(folder.path()); });
  };
  CHECK(message(voc_file("a.png", voc_object("dog", "1 2 x 8"))) ==
        "[data] '" + file + "', line 3: xmax is 'x': a number was expected");
  CHECK(message(voc_file("a.png", "<object><name>dog</name></object>")) ==
        "[data] '" + file + "', line 3: <object> has no <bndbox>");
  CHECK(message("<html></html>") ==
        "[data] '" + file + "', line 1: <html> where Pascal VOC has <annotation>");
  folder.text("ImageSets/Main/val.txt", "e\n");
  folder.text("Annotations/a.xml", voc_file("a.png", two));
  check_error("lists 'e', but", [&] { read_annotations(folder.path()); });
}

TEST_CASE("boxes in YOLO's texts: data.yaml or classes.txt, parts as folders") {
  const Folder folder;
  write_pictures(folder, {"images/train/", "images/val/", "images/test/"});
  folder.text("labels/train/a.txt", "1 0.175 0.5 0.25 0.6\n0 0.75 0.5 0.5 1\n");
  folder.text("labels/val/c.txt", "0 .125 .25 .25 .5\n");
  folder.text("labels/test/d.txt", "1 0.15 0.3 0.1 0.2\n");
  folder.text("classes.txt", "cat\ndog\n");
  CHECK(told(folder.path()) == kTold);  // b.png has no text: nothing in it
  for (const char* names : {"names: ['cat', dog]\n", "names:\n  - cat\n  - 'dog'\n",
                            "names:\n  0: cat  # a comment\n  1: dog\nnc: 2\n"}) {
    folder.text(
        "data.yaml",
        concat("# a comment\ntrain: ../images/train\nval: images/val\ntest: images/test\n", names));
    CHECK(told(folder.path()) == kTold);
    CHECK(told(folder.path() + "/data.yaml") == kTold);
  }

  const std::string file = folder.path() + "/labels/train/a.txt";
  const auto message = [&](const std::string& text) {
    folder.text("labels/train/a.txt", text);
    const std::string what = error_of([&] { read_annotations(folder.path()); });
    const std::string start = "[data] '" + file + "', line 2";
    return what.starts_with(start) ? what.substr(start.size()) : what;
  };
  CHECK(message("\n2 0.1 0.1 0.1 0.1\n") ==
        ": there is no class 2 among 2 names, which count from 0");
  CHECK(message("\ndog 0.1 0.1 0.1 0.1\n") == ": the class is 'dog': a number from 0 was expected");
  CHECK(message("\n1 0.1 0.1 0.1\n") ==
        " has 4 fields: expected 5, a class's number and the box's "
        "centre x, centre y, width and height");
  CHECK(message("\n1 40 30 20 10\n") ==
        ": 40 is no share of the picture's sides: YOLO's boxes are "
        "between 0 and 1, not in pixels");
  CHECK(message("\n1 0.1 nan 0.1 0.1\n") ==
        ": a number of the box is 'nan': a number was expected");
  folder.text("labels/train/a.txt", "");
  folder.text("labels/train/z.txt", "0 0.5 0.5 1 1\n");
  CHECK(error_of([&] { read_annotations(folder.path()); }) ==
        "[data] '" + folder.path() + "/labels/train/z.txt' labels a picture that is not in '" +
            folder.path() + "/images/train'");
}

TEST_CASE("boxes: one table is split by pictures, and so is a folder of YOLO's") {
  const Folder table, yolo;
  std::string rows = "image\tlabel\tx1\ty1\tx2\ty2\n";
  for (int i = 0; i < 20; ++i) {
    table.picture(concat(i, ".png"));
    rows += concat(i, ".png\tdog\t1\t1\t5\t5\n", i, ".png\tdog\t2\t2\t5\t5\n");
    yolo.picture(concat("images/", i, ".png"));
    yolo.text(concat("labels/", i, ".txt"), "0 0.5 0.5 0.5 0.5\n");
  }
  table.text("all.tsv", rows);
  for (const std::string& path : {table.path(), table.path() + "/all.tsv", yolo.path()}) {
    const Annotations found = read_annotations(path);
    CHECK(found.parts.train.size() == 16);
    CHECK(found.parts.val.size() == 2);
    CHECK(found.parts.test.size() == 2);
  }
  CHECK(read_annotations(yolo.path()).parts.train.front().objects.front().label == "0");
}

TEST_CASE(
    "boxes: what lies outside is cut or dropped and counted, and what cannot be read is named") {
  const Folder folder;
  write_pictures(folder, {"", "", ""});
  folder.picture("lost.png");
  const std::string train = folder.path() + "/train.tsv";
  folder.text("val.tsv", "c.png\tdog\t0\t0\t5\t5\n");
  folder.text("train.tsv",
              "a.png\tdog\t-4\t2\t6\t80\na.png\tdog\t3\t3\t3\t9\na.png\tdog\t30\t3\t33\t9\n"
              "b.png\tdog\t1\t1\t20.005\t2\nb.png\tdog\t5\t5\t1\t1\n");
  CHECK(told(folder.path()) ==
        "a.png:10 dog(0,2,6,10); b.png:20 dog(1,1,20,2); | c.png:30 dog(0,0,5,5); | | ");
  const DetectionData data = load_pictures(read_annotations(folder.path()), 96);
  CHECK(data.repairs.text() ==
        "1 box cut at the picture's edge ('" + train +
            "', line 1), 3 boxes without an area dropped "
            "(the first: '" +
            train + "', line 2), 2 pictures without annotations left out (the first: '" +
            folder.path() + "/d.png')");

  const auto message = [&](const std::string& text) {
    folder.text("train.tsv", text);
    const std::string what = error_of([&] { told(folder.path()); });
    const std::string start = "[data] '" + train + "'";
    return what.starts_with(start) ? what.substr(start.size()) : what;
  };
  CHECK(message("a.png\tdog\t1\t1\t5\tx\nb.png\tdog\t1\t1\t2\t2\n") ==
        ", line 1: y2 is 'x': a number was expected");
  CHECK(message("a.png\tdog\t1\t1\t5\t5\ne.png\tdog\t1\t1\t2\t2\n") ==
        ", line 2: there is no picture 'e.png' in '" + folder.path() +
            "' or the one above, nor in "
            "their folders images, JPEGImages, train, val and test");
  CHECK(message("a.png\tdog\t1\t1\t5\t5\nb.png\tdog\n") ==
        ", line 2 has 2 fields: expected 6, with image, label, x1, y1, x2 and y2");
  CHECK(message("a.png\t\t1\t1\t5\t5\n") == ", line 1: the label is blank");
  CHECK(message("a\tb\n") ==
        " has no boxes: expected a row for each, with image, label, x1, y1, x2 "
        "and y2 (in pixels)");
  CHECK(message("a.png\tcat\t1\t1\t5\t5\n") ==
        "[data] '" + folder.path() +
            "/val.tsv', line 1: training has no class 'dog'; it has 'cat'");
  CHECK(message("a.png\n\t\t\n") ==
        " has no boxes: expected a row for each, with image, label, x1, y1, "
        "x2 and y2 (in pixels)");
  folder.text("a.png", "no picture");
  check_error("a.png'", [&] {
    folder.text("train.tsv", "a.png\tdog\t1\t1\t5\t5\n");
    told(folder.path());
  });
  fs::remove(train);
  check_error("holds no annotations of boxes", [&] { read_annotations(folder.path() + "/.."); });
  check_error("there is no '", [&] { read_annotations(folder.path() + "/none"); });
}

TEST_CASE("boxes: large pictures are kept smaller, their boxes in pixels of the file") {
  const Folder folder;
  folder.picture("a.png", 10, 10);
  folder.picture("c.png", 30);
  folder.text("train.tsv", "a.png\tdog\t10\t20\t60\t80\n");
  folder.text("val.tsv", "c.png\tdog\t1\t2\t6\t8\n");
  const DetectionData data = load_pictures(read_annotations(folder.path()), 50);
  const Example& large = data.parts.train.front();
  CHECK(large.picture.width == 50);
  CHECK(large.picture.height == 25);
  CHECK(large.width == 200);
  CHECK(large.height == 100);
  CHECK(large.objects.front().box == Box{10, 20, 60, 80});
  CHECK(data.parts.val.front().picture.width == 20);
}

}  // namespace
}  // namespace tarsier::zoo::detection
