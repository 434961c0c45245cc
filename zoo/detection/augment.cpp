#include "zoo/detection/augment.h"

#include <algorithm>

namespace tarsier::zoo::detection {

namespace {

/// Adds the part of an object that is inside `seen`, if it is enough of it.
void add_seen(Sample& out, const Box& box, int64_t label, const Box& seen, double least_visible) {
  const Box left = intersection(box, seen);
  if (left.area() <= 0 || left.area() < least_visible * box.area()) return;
  out.boxes.push_back(left);
  out.labels.push_back(label);
}

}  // namespace

void Augmentation::add_to(Settings& settings) {
  PictureChanges::add_to(settings);
  settings.add("mosaic", mosaic, "training images: the share that is put together from four", 0, 1);
}

Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const PictureChanges& limits, Dice& dice) {
  const int64_t h = picture.height, w = picture.width;
  const Warp warp = drawn_warp(h, w, limits, dice);
  Sample out;
  out.pixels = warped(picture, warp);
  recolor(out.pixels, h * w, limits, dice);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const auto [x1, x2] = std::minmax({warp.across(boxes[i].x1), warp.across(boxes[i].x2)});
    const auto [y1, y2] = std::minmax({warp.down(boxes[i].y1), warp.down(boxes[i].y2)});
    add_seen(out, {x1, y1, x2, y2}, labels[i],
             {0, 0, static_cast<double>(w), static_cast<double>(h)}, kLeastVisible);
  }
  return out;
}

Sample mosaic(const std::array<Sample, 4>& parts, int64_t height, int64_t width,
              double least_visible, Dice& dice) {
  const auto middle = [&](int64_t size) {  // not too near an edge
    return size / 4 + dice.below(size - 2 * (size / 4) + 1);
  };
  const int64_t row = middle(height), column = middle(width);
  const auto h = static_cast<double>(height), w = static_cast<double>(width),
             y = static_cast<double>(row), x = static_cast<double>(column);
  const std::array<Box, 4> quarters{{{0, 0, x, y}, {x, 0, w, y}, {0, y, x, h}, {x, y, w, h}}};
  Sample out;
  out.pixels.resize(parts[0].pixels.size());
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    const auto place = static_cast<int64_t>(i) % (height * width);
    const size_t quarter = (place / width >= row ? 2u : 0u) + (place % width >= column ? 1u : 0u);
    out.pixels[i] = parts[quarter].pixels[i];
  }
  for (size_t q = 0; q < parts.size(); ++q)
    for (size_t i = 0; i < parts[q].boxes.size(); ++i)
      add_seen(out, parts[q].boxes[i], parts[q].labels[i], quarters[q], least_visible);
  return out;
}

}  // namespace tarsier::zoo::detection
