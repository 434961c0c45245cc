#include "zoo/image_gpt/drawings.h"

#include <algorithm>
#include <filesystem>

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/digits.h"
#include "zoo/data/images.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/sampler.h"
#include "zoo/picture/read.h"
#include "zoo/task/task.h"

namespace tarsier::zoo::image_gpt {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kLongestSide = 128;

void check_sides(int64_t height, int64_t width, const std::string& source) {
  check(height <= kLongestSide && width <= kLongestSide, "data", source, " has pictures of ", width,
        " × ", height, " pixels: up to ", kLongestSide, " × ", kLongestSide,
        " can be learned; make them smaller");
}

/// Images of one channel, in levels.
Drawings in_levels(const Images& images, int64_t levels, const std::string& source) {
  check_sides(images.height, images.width, source);
  Drawings out{images.height, images.width, images.pixels};
  for (uint8_t& pixel : out.pixels) pixel = level_of(pixel, levels);
  return out;
}

/// All pictures in a folder, in the size of `out`; if that is none, of the first picture.
void add_pictures(const std::string& folder, int64_t levels, Drawings& out) {
  for (const std::string& file : pictures_below(folder)) {
    const Picture picture = read_picture(file);
    if (out.height == 0) {
      check_sides(picture.height, picture.width, "'" + file + "'");
      out.height = picture.height, out.width = picture.width;
    }
    const std::vector<uint8_t> drawn = levels_of(picture, out.height, out.width, levels);
    out.pixels.insert(out.pixels.end(), drawn.begin(), drawn.end());
  }
}

Parts read_pictures(const std::string& folder, int64_t levels) {
  const auto within = [&](const char* part) { return (fs::path(folder) / part).string(); };
  Parts parts;
  if (!fs::is_directory(within("train"))) {
    add_pictures(folder, levels, parts.train);
    return parts;
  }
  add_pictures(within("train"), levels, parts.train);
  for (const auto& [part, name] : {std::pair{&parts.val, "val"}, {&parts.test, "test"}}) {
    part->height = parts.train.height, part->width = parts.train.width;
    if (fs::is_directory(within(name))) add_pictures(within(name), levels, *part);
  }
  return parts;
}

Parts read_idx_files(const std::string& folder, int64_t levels) {
  const auto read = [&](const std::string& part) {
    const std::string start = (fs::path(folder) / part).string();
    const std::string file = start + "-images-idx3-ubyte";
    return file_exists(file) ? in_levels(read_idx_images(file), levels, "'" + file + "'")
                             : Drawings{};
  };
  Parts parts{read("train"), read("val"), read("test"), ""};
  if (parts.test.size() == 0) parts.test = read("t10k");
  return parts;
}

/// A tenth of the training part becomes that for validation. Does not depend on the run's seed.
void split(Parts& parts) {
  Drawings all = std::move(parts.train);
  parts.train = parts.val = {all.height, all.width, {}};
  const std::vector<int64_t> order = permutation(all.size(), kSplitKey);
  const int64_t first = all.size() - std::max<int64_t>(1, all.size() / 10);
  for (int64_t i = 0; i < all.size(); ++i) {
    const uint8_t* drawing = all.at(order[static_cast<size_t>(i)]);
    std::vector<uint8_t>& to = (i < first ? parts.train : parts.val).pixels;
    to.insert(to.end(), drawing, drawing + all.area());
  }
}

}  // namespace

uint8_t level_of(uint8_t grey, int64_t levels) { return static_cast<uint8_t>(grey * levels / 256); }

uint8_t grey_of(uint8_t level, int64_t levels) {
  return static_cast<uint8_t>(level * 255 / (levels - 1));
}

std::vector<uint8_t> levels_of(const Picture& picture, int64_t height, int64_t width,
                               int64_t levels) {
  Picture grey = with_channels(picture, 1);
  if (grey.height != height || grey.width != width) grey = resized(grey, height, width);
  for (uint8_t& pixel : grey.pixels) pixel = level_of(pixel, levels);
  return std::move(grey.pixels);
}

Picture picture_of(const uint8_t* pixels, int64_t height, int64_t width, int64_t levels) {
  Picture out{1, height, width, {pixels, pixels + height * width}};
  for (uint8_t& pixel : out.pixels) pixel = grey_of(pixel, levels);
  return out;
}

Parts read_drawings(const std::string& path, int64_t levels) {
  Parts parts;
  if (path.empty()) {
    const ImageFolder digits = digits_folder();
    parts.train = in_levels(digits.train, levels, "");
    parts.test = in_levels(digits.test, levels, "");
    parts.source = "digits drawn by the program";
  } else {
    check(fs::is_directory(path), "data", "'", path,
          "' is not a folder: give a folder with picture files, or with MNIST's IDX files");
    parts = file_exists((fs::path(path) / "train-images-idx3-ubyte").string())
                ? read_idx_files(path, levels)
                : read_pictures(path, levels);
    parts.source = "'" + path + "'";
  }
  if (parts.train.size() < 2)
    fail("data", parts.source, " has ", counted(parts.train.size(), "picture"),
         " to learn from, but at least 2 are needed; it holds ", describe_folder(path));
  if (parts.val.size() == 0) split(parts);
  for (const Drawings* part : {&parts.val, &parts.test})
    check(part->size() == 0 ||
              (part->height == parts.train.height && part->width == parts.train.width),
          "data", parts.source, " has pictures of ", parts.train.width, " × ", parts.train.height,
          " pixels to learn from, and others of ", part->width, " × ", part->height);
  return parts;
}

}  // namespace tarsier::zoo::image_gpt
