// Masks in files: numbers as they are stored, layouts of folders, bad input.
#include "zoo/segmentation/masks.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "tests/zoo/masked.h"
#include "zoo/picture/read.h"
#include "zoo/segmentation/pictures.h"

namespace tarsier::zoo::segmentation {
namespace {

namespace fs = std::filesystem;

/// A folder with these pictures (all the same) and masks: "a/b.png", "m/b.png=palette".
struct Folder {
  const Scratch scratch;
  Masked one;

  Folder() {
    Dice dice({5, 0});
    one = draw_masked(dice, 3);
  }
  std::string path() const { return scratch.path("data"); }
  std::string at(const std::string& name) const { return scratch.path("data/" + name); }
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    scratch.write("data/" + name, bytes);
  }
  void picture(const std::string& name) const { write(name, png_of(one.picture)); }
  void mask(const std::string& name) const { write(name, png_of(one.mask)); }
  void pair(const std::string& picture_name, const std::string& mask_name) const {
    picture(picture_name), mask(mask_name);
  }
  std::string error(const MaskOptions& options = {}) const {
    const std::string text = error_of([&] { load_pictures(find_masks(path()), options); });
    // Short paths: the folder's name changes.
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, path().size(), path()) == 0) i += path().size(), out += "D";
      if (i < text.size()) out += text[i];
    }
    return out;
  }
};

TEST_CASE("numbers of masks are read as they are stored") {
  const Scratch scratch;
  CHECK(read_numbers(scratch.write("a.pgm", "P2 3 1 11\n0 5 11\n")).pixels ==
        std::vector<uint8_t>{0, 5, 11});
  const Picture grey{1, 1, 4, {0, 7, 21, 255}};
  CHECK(read_numbers(scratch.write("a.png", png_of(grey))).pixels == grey.pixels);
  const std::string palette = scratch.write("b.png", palette_png(grey));
  CHECK(read_numbers(palette).pixels == grey.pixels);
  const Picture colours = read_picture(palette);  // which other readers show
  CHECK(colours.channels == 3);
  CHECK(colours.at(0, 0, 0) == 11);
  CHECK(colours.at(1, 0, 1) == static_cast<uint8_t>(37 * 22 + 11));
  const std::string expected =
      "expected one number for each pixel, as a grey PGM or PNG of up to 8 bits, or the colour "
      "numbers of a PNG with a palette";
  const std::string rgb = scratch.write("c.png", png_of({3, 1, 1, {1, 2, 3}}));
  CHECK(error_of([&] { read_numbers(rgb); }) ==
        "[data] '" + rgb + "' is a PNG of another kind: " + expected);
  const std::string ppm = scratch.write("d.ppm", "P3 1 1 9\n1 2 3\n");
  CHECK(error_of([&] { read_numbers(ppm); }) == "[data] '" + ppm + "' has colours: " + expected);
  const std::string text = scratch.write("e.png", "nothing");
  CHECK(error_of([&] { read_numbers(text); }) ==
        "[data] '" + text + "' is neither PGM nor PNG: " + expected);
  const std::string deep = scratch.write("f.pgm", "P2 2 1 999\n3 300\n");
  CHECK(error_of([&] { read_numbers(deep); }) ==
        "[data] '" + deep + "', byte 12: the number 300 is above 255");
}

TEST_CASE("masks next to pictures, in folders for parts") {
  const Folder folder;
  folder.pair("train/a.png", "train/a-label.png");
  folder.pair("train/b.png", "train/b_mask.png");
  folder.pair("valid/c.png", "valid/c_L.png");
  folder.pair("test/d.png", "test/d-mask.png");
  const MaskedFiles files = find_masks(folder.path());
  CHECK(files.format == "folders of pictures and masks");
  REQUIRE(files.parts.train.size() == 2);
  CHECK(files.parts.train[1].mask == folder.at("train/b_mask.png"));
  CHECK(files.parts.val.size() == 1);
  CHECK(files.parts.test.size() == 1);
  const SegmentationData data = load_pictures(files, {});
  CHECK(data.names == std::vector<std::string>{"0", "1", "2"});
  CHECK(data.parts.train[0].mask.pixels == folder.one.mask.pixels);
  CHECK(data.parts.train[0].picture.pixels == folder.one.picture.pixels);
  // With names for the numbers.
  CHECK(load_pictures(files, {.names = "ground,red , green,blue"}).names[1] == "red");
  folder.write("classes.txt", "ground\nred\ngreen\n\n");
  CHECK(load_pictures(find_masks(folder.path()), {.names = "a,b"}).names[2] == "green");
}

TEST_CASE("folders of images and masks, for each part, with parts inside, and of one list") {
  for (const auto& [train, val] :
       {std::pair{"train/images/@;train/masks/@", "val/images/@;val/masks/@"},
        {"images/train/@;labels/train/@", "images/val/@;labels/val/@"},
        {"train/@;trainannot/@", "val/@;valannot/@"}}) {
    CAPTURE(train);
    const Folder folder;
    const auto write = [&](std::string form, const std::string& name) {
      const size_t end = form.find(';');
      folder.pair(form.substr(0, end - 1) + name,
                  form.substr(end + 1, form.size() - end - 2) + name);
    };
    write(train, "x.png");
    write(val, "y.png");
    const MaskedFiles files = find_masks(folder.path());
    REQUIRE(files.parts.train.size() == 1);
    CHECK(files.parts.val.size() == 1);
    CHECK(files.parts.test.empty());
    CHECK(files.parts.train[0].picture.ends_with("x.png"));
    CHECK(files.parts.train[0].mask.ends_with("x.png"));
    CHECK(load_pictures(files, {}).names.size() == 3);
  }
  const Folder folder;
  for (int i = 0; i < 10; ++i)
    folder.pair(concat("images/", i, ".png"), concat("masks/", i, ".png"));
  const MaskedFiles files = find_masks(folder.path());
  CHECK(files.parts.train.size() == 8);
  CHECK(files.parts.val.size() == 1);
  CHECK(files.parts.test.size() == 1);
}

TEST_CASE("Pascal VOC: palette PNG, lists of the parts, 255 does not count") {
  const Folder folder;
  Picture mask = folder.one.mask;
  mask.at(0, 0, 0) = 255;
  for (const char* name : {"2007_1", "2007_2", "2007_3"}) {
    folder.picture(concat("JPEGImages/", name, ".png"));
    folder.write(concat("SegmentationClass/", name, ".png"), palette_png(mask));
  }
  folder.picture("JPEGImages/unlisted.png");
  folder.write("ImageSets/Segmentation/train.txt", "2007_1\n2007_3\n");
  folder.write("ImageSets/Segmentation/val.txt", "2007_2\n");
  const SegmentationData data = load_pictures(find_masks(folder.path()), {});
  CHECK(data.format == "Pascal VOC");
  CHECK(data.parts.train.size() == 2);
  CHECK(data.parts.val[0].name == "2007_2.png");
  CHECK(data.names.size() == 3);
  CHECK(data.parts.val[0].mask.pixels[0] == kVoid);
  CHECK(data.parts.val[0].mask.pixels[15] == folder.one.mask.pixels[15]);
  folder.write("ImageSets/Segmentation/val.txt", "2007_2\nmissing\n");
  CHECK(folder.error() ==
        "[data] 'D/ImageSets/Segmentation/val.txt', line 2: there is no 'missing' in JPEGImages");
}

TEST_CASE("numbers of masks without names: what occurs in training; another number for void") {
  const Folder folder;
  Picture binary = folder.one.mask;
  for (uint8_t& c : binary.pixels) c = c > 0 ? 255 : 0;
  for (const char* name : {"train/a", "val/b"}) {
    folder.picture(concat(name, ".png"));
    folder.write(concat(name, "-mask.png"), png_of(binary));
  }
  CHECK(folder.error().find("expected 2 to 255 classes in the masks, found 1; --ignored N") !=
        std::string::npos);
  const SegmentationData data = load_pictures(find_masks(folder.path()), {.ignored = -1});
  CHECK(data.names == std::vector<std::string>{"0", "255"});
  CHECK(*std::max_element(data.parts.val[0].mask.pixels.begin(),
                          data.parts.val[0].mask.pixels.end()) == 1);
}

TEST_CASE("large pictures are scaled down, their masks not") {
  const Folder folder;
  folder.pair("train/a.png", "train/a-label.png");
  folder.pair("val/a.png", "val/a-label.png");
  const SegmentationData data = load_pictures(find_masks(folder.path()), {.longest = 8});
  CHECK(data.parts.train[0].picture.width == 8);
  CHECK(data.parts.train[0].picture.height == 6);
  CHECK(data.parts.train[0].mask.width == 16);
  const Picture mask{1, 2, 4, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK(resized_mask(mask, 2, 4).pixels == mask.pixels);
  CHECK(resized_mask(mask, 1, 2).pixels == std::vector<uint8_t>{6, 8});
  CHECK(resized_mask(mask, 4, 4).pixels ==
        std::vector<uint8_t>{1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8});
}

TEST_CASE("bad pictures and masks are named") {
  const auto error = [](const std::function<void(const Folder&)>& change,
                        const MaskOptions& options = {}) {
    const Folder folder;
    folder.pair("train/a.png", "train/a-label.png");
    folder.pair("val/a.png", "val/a-label.png");
    change(folder);
    return folder.error(options);
  };
  CHECK(error([](const Folder& f) {
          f.write("train/a-label.png", png_of({1, 2, 3, {0, 1, 0, 1, 0, 1}}));
        }) ==
        "[data] 'D/train/a-label.png' has 3 × 2 pixels, but its picture 'D/train/a.png' 16 × 12: "
        "they must be of the same size");
  CHECK(error([](const Folder& f) { f.picture("train/b.png"); }) ==
        "[data] 'D/train/b.png' has no mask: expected 'b-label.png' (or .pgm) next to it, or "
        "'b.png' in a folder masks");
  CHECK(error([](const Folder& f) { f.mask("val/c-label.png"); }) ==
        "[data] 'D/val/c-label.png' is the mask of no picture: expected 'c' with the ending of a "
        "picture");
  CHECK(error([](const Folder& f) { f.write("train/a.png", "no picture"); }) ==
        "[data] 'D/train/a.png' is not an image that can be read: give PNG, JPEG, PGM, PPM or BMP "
        "(convert it with `convert picture.gif picture.png`)");
  CHECK(error([](const Folder& f) {
          f.write("train/a-label.png", "P2 x");
        }).starts_with("[data] 'D/train/a-label.png', byte 3: the width was expected"));
  CHECK(error([](const Folder& f) {
          Picture mask = f.one.mask;
          mask.at(0, 2, 4) = 9;
          f.write("val/a-label.png", png_of(mask));
        }) ==
        "[data] 'D/val/a-label.png' has the number 9 at column 5 of row 3, which is no class: "
        "expected '0', '1' and '2'; --ignored N says which number does not count");
  CHECK(error([](const Folder& f) {
          f.write("val/a-label.png", png_of({1, 12, 16, std::vector<uint8_t>(12 * 16, 255)}));
        }) ==
        "[data] no pixel of 'D/val/a-label.png' and the other masks of its part counts: all are "
        "the ignored number");
  CHECK(error([](const Folder& f) { f.write("classes.txt", "a\na\nb\n"); }) ==
        "[data] two classes have the same name among 'a', 'a' and 'b'");
  CHECK(error([](const Folder& f) {
          fs::remove_all(f.at("val"));
          fs::create_directories(f.at("val"));
        }) == "[data] 'D/val' has no pictures: expected PNG, JPEG, PPM, PGM or BMP");
  CHECK(error([](const Folder& f) { fs::remove_all(f.at("val")); }) ==
        "[data] 'D' has nothing to validate with: name a part val, or give all pictures as one");
  CHECK(error([](const Folder& f) {
          fs::remove_all(f.path());
          fs::create_directories(f.path());
        }) == "[data] 'D' has no pictures: expected PNG, JPEG, PPM, PGM or BMP");
  CHECK(error([](const Folder& f) {
          fs::remove_all(f.path());
          f.pair("a.png", "a-label.png");
        }) ==
        "[data] 'D' has 1 picture, too few to split off validation and test: give at least 10");
  CHECK(error([](const Folder& f) { f.write("train/a.ppm", "P3 1 1 9\n1 2 3\n"); }) ==
        "[data] 'D/train/a.png' and 'a.ppm' have the same name: a mask would belong to both");
  CHECK(error_of([] { find_masks("/nowhere"); }) ==
        "[data] '/nowhere' is no folder: expected one with pictures and masks");
}

}  // namespace
}  // namespace tarsier::zoo::segmentation
