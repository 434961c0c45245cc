#include "zoo/segmentation/pictures.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "zoo/base/format.h"
#include "zoo/data/rows.h"
#include "zoo/data/scenes.h"
#include "zoo/picture/read.h"

namespace tarsier::zoo::segmentation {

namespace {

/// A picture and the numbers of its mask.
Example read_example(const MaskedFile& file, int64_t longest) {
  Example out{std::filesystem::path(file.picture).filename().string(),
              with_channels(read_picture(file.picture), 3), read_numbers(file.mask)};
  const auto& [name, picture, mask] = out;
  check(mask.height == picture.height && mask.width == picture.width, "data", "'", file.mask,
        "' has ", mask.width, " × ", mask.height, " pixels, but its picture '", file.picture, "' ",
        picture.width, " × ", picture.height, ": they must be of the same size");
  if (std::max(picture.height, picture.width) > longest) {
    const PictureFit fit = fit_of(picture.height, picture.width, longest, longest);
    out.picture = resized(picture, fit.height, fit.width);
  }
  return out;
}

/// The classes' numbers in masks, as text, where nothing names them.
std::vector<std::string> numbers_in(const std::vector<Example>& examples, int64_t ignored) {
  std::set<uint8_t> all;
  for (const Example& example : examples)
    all.insert(example.mask.pixels.begin(), example.mask.pixels.end());
  std::vector<std::string> out;
  for (const uint8_t number : all)
    if (number != ignored) out.push_back(concat(int{number}));
  return out;
}

/// For each number of a mask its class; kVoid for what does not count, and −1 for no class.
std::vector<int> classes_of(const std::vector<std::string>& names, bool numbered, int64_t ignored) {
  std::vector<int> out(256, -1);
  for (size_t c = 0; c < names.size(); ++c)
    out[numbered ? static_cast<size_t>(std::stoi(names[c])) : c] = static_cast<int>(c);
  if (ignored >= 0) out[static_cast<size_t>(ignored)] = kVoid;
  return out;
}

void renumber(Example& example, const std::string& file, const std::vector<int>& classes,
              const std::vector<std::string>& names) {
  std::vector<uint8_t>& pixels = example.mask.pixels;
  for (size_t i = 0; i < pixels.size(); ++i) {
    const int c = classes[pixels[i]];
    if (c < 0) {
      const auto at = static_cast<int64_t>(i);
      fail("data", "'", file, "' has the number ", int{pixels[i]}, " at column ",
           at % example.mask.width + 1, " of row ", at / example.mask.width + 1,
           ", which is no class: expected ",
           names.size() > 20 ? concat("one of ", names.size()) : quoted_list(names),
           "; --ignored N says which number does not count");
    }
    pixels[i] = static_cast<uint8_t>(c);
  }
}

/// Refuses a part of which nothing counts: there is nothing to learn or to measure.
void check_part(const std::vector<Example>& examples, const std::vector<MaskedFile>& files) {
  const bool counts = std::any_of(examples.begin(), examples.end(), [](const Example& example) {
    return std::any_of(example.mask.pixels.begin(), example.mask.pixels.end(),
                       [](uint8_t c) { return c != kVoid; });
  });
  check(counts, "data", "no pixel of '", files.front().mask, "' and the other masks of its part ",
        "counts: all are the ignored number");
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    out.push_back(trimmed(text.substr(begin, end - begin)));
  }
  return out;
}

}  // namespace

SegmentationData load_pictures(const MaskedFiles& files, const MaskOptions& options) {
  SegmentationData out;
  out.format = files.format;
  out.names = files.names.empty() ? split_names(options.names) : files.names;
  const auto parts = {std::pair{&files.parts.train, &out.parts.train},
                      {&files.parts.val, &out.parts.val},
                      {&files.parts.test, &out.parts.test}};
  for (const auto& [from, to] : parts)
    for (const MaskedFile& file : *from) to->push_back(read_example(file, options.longest));
  const bool numbered = out.names.empty();
  if (numbered) out.names = numbers_in(out.parts.train, options.ignored);
  check(out.names.size() >= 2 && out.names.size() <= kVoid, "data",
        "expected 2 to 255 classes in the masks, found ", out.names.size(),
        "; --ignored N says which number does not count (now ", options.ignored, ", -1 for none)");
  check(std::set<std::string>(out.names.begin(), out.names.end()).size() == out.names.size(),
        "data", "two classes have the same name among ", quoted_list(out.names));
  const std::vector<int> classes = classes_of(out.names, numbered, options.ignored);
  for (const auto& [from, to] : parts)
    for (size_t i = 0; i < to->size(); ++i) renumber((*to)[i], (*from)[i].mask, classes, out.names);
  check_part(out.parts.train, files.parts.train);
  check_part(out.parts.val, files.parts.val);
  return out;
}

SegmentationData scene_pictures() {
  SegmentationData out;
  out.names = {"background"};
  out.names.insert(out.names.end(), scene_labels().begin(), scene_labels().end());
  uint64_t stream = 0;
  for (const auto& [part, count] :
       {std::pair<std::vector<Example>*, int64_t>{&out.parts.train, 2000},
        {&out.parts.val, 200},
        {&out.parts.test, 400}}) {
    const RandomKey key{2026, ++stream};
    for (int64_t i = 0; i < count; ++i) {
      Scene scene = draw_scene(key, static_cast<uint64_t>(i));
      const int64_t height = scene.picture.height, width = scene.picture.width;
      part->push_back({concat("scene ", i + 1),
                       std::move(scene.picture),
                       {1, height, width, std::move(scene.mask)}});
    }
  }
  return out;
}

Picture resized_mask(const Picture& mask, int64_t height, int64_t width) {
  Picture out{1, height, width, {}};
  out.pixels.reserve(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      out.pixels.push_back(mask.at(0, (2 * y + 1) * mask.height / (2 * height),
                                   (2 * x + 1) * mask.width / (2 * width)));
  return out;
}

}  // namespace tarsier::zoo::segmentation
