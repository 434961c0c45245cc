#include "zoo/detection/augment.h"

#include <algorithm>

namespace tarsier::zoo::detection {

Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const PictureChanges& limits, Dice& dice) {
  constexpr double kLeastVisible = 0.3;
  const int64_t h = picture.height, w = picture.width;
  const Warp warp = drawn_warp(h, w, limits, dice);
  Sample out;
  out.pixels = warped(picture, warp);
  recolor(out.pixels, h * w, limits.color, dice);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const auto [x1, x2] = std::minmax({warp.across(boxes[i].x1), warp.across(boxes[i].x2)});
    const auto [y1, y2] = std::minmax({warp.down(boxes[i].y1), warp.down(boxes[i].y2)});
    const Box moved{x1, y1, x2, y2};
    const Box seen = intersection(moved, {0, 0, static_cast<double>(w), static_cast<double>(h)});
    if (seen.area() <= 0 || seen.area() < kLeastVisible * moved.area()) continue;
    out.boxes.push_back(seen);
    out.labels.push_back(labels[i]);
  }
  return out;
}

}  // namespace tarsier::zoo::detection
