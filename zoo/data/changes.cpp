#include "zoo/data/changes.h"

#include <algorithm>
#include <cmath>

namespace tarsier::zoo {

namespace {

/// A side of `size` pixels `scale` times as long, at a random place where it fills the picture or,
/// if shorter, lies inside it; mirrored or not.
Line drawn_line(int64_t size, double scale, bool mirrored, Dice& dice) {
  const double length = static_cast<double>(size);
  const double offset = dice.roll() * (1 - scale) * length;
  return mirrored ? Line{-scale, offset + scale * length} : Line{scale, offset};
}

/// From 1 / (1 + limit) to 1 + limit, evenly in its logarithm.
double factor(double limit, Dice& dice) { return std::pow(1 + limit, 2 * dice.roll() - 1); }

}  // namespace

void PictureChanges::add_to(Settings& settings) {
  settings.add("flip", flip, "training images: mirror half of them");
  settings.add("flip_vertical", flip_vertical, "training images: turn half upside down");
  settings.add("zoom", zoom, "training images: 0.3 is up to 30 % larger or smaller", 0, 10);
  settings.add("stretch", stretch, "training images: change of the proportions", 0, 1);
  settings.add("color", color, "training images: change of brightness, contrast and colours", 0, 1);
  settings.add("cast", cast, "training images: change of the colour of the light", 0, 10);
}

Warp drawn_warp(int64_t height, int64_t width, const PictureChanges& limits, Dice& dice) {
  const bool mirrored = dice.roll() < 0.5 && limits.flip;
  const bool turned = dice.roll() < 0.5 && limits.flip_vertical;
  const double scale = factor(limits.zoom, dice), stretch = std::sqrt(factor(limits.stretch, dice));
  const Line across = drawn_line(width, scale * stretch, mirrored, dice);
  return {across, drawn_line(height, scale / stretch, turned, dice)};
}

std::vector<float> warped(const Picture& picture, const Warp& warp) {
  const int64_t h = picture.height, w = picture.width, area = h * w;
  std::vector<float> out(static_cast<size_t>(picture.numel()));
  float* to = out.data();
  for (int64_t c = 0; c < picture.channels; ++c)
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x)
        *to++ = static_cast<float>(sample_at(picture.pixels.data() + c * area, h, w,
                                             warp.down.back(static_cast<double>(y) + 0.5) - 0.5,
                                             warp.across.back(static_cast<double>(x) + 0.5) - 0.5));
  return out;
}

void recolor(std::vector<float>& pixels, int64_t area, const PictureChanges& limits, Dice& dice) {
  const auto change = [&] { return limits.color * (2 * dice.roll() - 1); };
  const double contrast = 1 + change(), brightness = 255 * 0.5 * change();
  double mean = 0;
  for (const float p : pixels) mean += p;
  mean /= static_cast<double>(pixels.size());
  for (size_t begin = 0; begin < pixels.size(); begin += static_cast<size_t>(area)) {
    const double strength = contrast * (1 + 0.5 * change());
    const double light = limits.cast > 0 ? factor(limits.cast, dice) : 1;
    for (size_t i = begin; i < begin + static_cast<size_t>(area); ++i)
      pixels[i] = static_cast<float>(
          std::clamp(light * ((pixels[i] - mean) * strength + mean + brightness), 0.0, 255.0));
  }
}

}  // namespace tarsier::zoo
