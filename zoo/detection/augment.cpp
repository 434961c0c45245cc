#include "zoo/detection/augment.h"

#include <algorithm>
#include <cmath>

namespace tarsier::zoo::detection {

namespace {

/// Along one axis: a pixel at `from` moves to scale · from + offset.
struct Line {
  double scale = 1, offset = 0;

  double operator()(double from) const { return scale * from + offset; }
  double back(double to) const { return (to - offset) / scale; }
};

/// A side of `size` pixels `scale` times as long, at a random place where it fills the picture or,
/// if shorter, lies inside it; mirrored or not.
Line drawn_line(int64_t size, double scale, bool mirrored, Dice& dice) {
  const double length = static_cast<double>(size);
  const double offset = dice.roll() * (1 - scale) * length;
  return mirrored ? Line{-scale, offset + scale * length} : Line{scale, offset};
}

/// From 1 / (1 + limit) to 1 + limit, evenly in its logarithm.
double factor(double limit, Dice& dice) { return std::pow(1 + limit, 2 * dice.roll() - 1); }

/// Brightness, contrast and the strength of each colour, in place.
void recolor(std::vector<float>& pixels, int64_t area, double limit, Dice& dice) {
  const auto change = [&] { return limit * (2 * dice.roll() - 1); };
  const double contrast = 1 + change(), brightness = 255 * 0.5 * change();
  double mean = 0;
  for (const float p : pixels) mean += p;
  mean /= static_cast<double>(pixels.size());
  for (size_t begin = 0; begin < pixels.size(); begin += static_cast<size_t>(area)) {
    const double strength = contrast * (1 + 0.5 * change());
    for (size_t i = begin; i < begin + static_cast<size_t>(area); ++i)
      pixels[i] = static_cast<float>(
          std::clamp((pixels[i] - mean) * strength + mean + brightness, 0.0, 255.0));
  }
}

}  // namespace

void Augmentation::add_to(Settings& settings) {
  settings.add("flip", flip, "training images: mirror half of them");
  settings.add("flip_vertical", flip_vertical, "training images: turn half upside down");
  settings.add("zoom", zoom, "training images: 0.3 is up to 30 % larger or smaller", 0, 10);
  settings.add("stretch", stretch, "training images: change of the proportions", 0, 1);
  settings.add("color", color, "training images: change of brightness, contrast and colours", 0, 1);
}

Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const Augmentation& limits, Dice& dice) {
  const bool mirrored = dice.roll() < 0.5 && limits.flip;
  const bool turned = dice.roll() < 0.5 && limits.flip_vertical;
  const double scale = factor(limits.zoom, dice), stretch = std::sqrt(factor(limits.stretch, dice));
  const int64_t h = picture.height, w = picture.width, area = h * w;
  const Line across = drawn_line(w, scale * stretch, mirrored, dice),
             down = drawn_line(h, scale / stretch, turned, dice);
  Sample out;
  out.pixels.resize(static_cast<size_t>(picture.numel()));
  float* to = out.pixels.data();
  for (int64_t c = 0; c < picture.channels; ++c)
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x)  // the middle of a pixel is half a pixel from its edge
        *to++ = static_cast<float>(sample_at(picture.pixels.data() + c * area, h, w,
                                             down.back(static_cast<double>(y) + 0.5) - 0.5,
                                             across.back(static_cast<double>(x) + 0.5) - 0.5));
  recolor(out.pixels, area, limits.color, dice);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const auto [x1, x2] = std::minmax({across(boxes[i].x1), across(boxes[i].x2)});
    const auto [y1, y2] = std::minmax({down(boxes[i].y1), down(boxes[i].y2)});
    const Box moved{x1, y1, x2, y2};
    const Box seen = intersection(moved, {0, 0, static_cast<double>(w), static_cast<double>(h)});
    if (seen.area() <= 0 || seen.area() < limits.least_visible * moved.area()) continue;
    out.boxes.push_back(seen);
    out.labels.push_back(labels[i]);
  }
  return out;
}

}  // namespace tarsier::zoo::detection
