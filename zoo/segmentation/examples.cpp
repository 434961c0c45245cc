#include "zoo/segmentation/examples.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace tarsier::zoo::segmentation {

namespace {

/// The mask at another size in the middle of height × width pixels, void around it.
Picture fitted_mask(const Picture& mask, const Picture& picture, Pair size) {
  const PictureFit fit = fit_of(picture.height, picture.width, size.h, size.w);
  const Picture small = resized_mask(mask, fit.height, fit.width);
  Picture out{1, size.h, size.w, {}};
  out.pixels.assign(static_cast<size_t>(size.h * size.w), kVoid);
  for (int64_t y = 0; y < small.height; ++y)
    for (int64_t x = 0; x < small.width; ++x)
      out.at(0, fit.top + y, fit.left + x) = small.at(0, y, x);
  return out;
}

}  // namespace

FittedExamples fitted_examples(const std::vector<Example>& examples, Pair size) {
  FittedExamples out;
  for (const Example& example : examples) {
    out.images.append(fitted(example.picture, 3, size.h, size.w), 0);
    out.masks.push_back(fitted_mask(example.mask, example.picture, size));
  }
  return out;
}

Sample augmented(const Picture& picture, const Picture& mask, const PictureChanges& limits,
                 Dice& dice) {
  const int64_t h = picture.height, w = picture.width;
  const Warp warp = drawn_warp(h, w, limits, dice);
  Sample out{warped(picture, warp), {}};
  recolor(out.pixels, h * w, limits, dice);
  for (int64_t y = 0; y < h; ++y)
    for (int64_t x = 0; x < w; ++x) {
      const auto from_y =
          static_cast<int64_t>(std::floor(warp.down.back(static_cast<double>(y) + 0.5)));
      const auto from_x =
          static_cast<int64_t>(std::floor(warp.across.back(static_cast<double>(x) + 0.5)));
      const bool inside = from_y >= 0 && from_y < h && from_x >= 0 && from_x < w;
      out.mask.push_back(inside ? mask.at(0, from_y, from_x) : kVoid);
    }
  return out;
}

void Colors::apply(std::vector<float>& pixels, int64_t area) const {
  if (!own) {
    scale.apply(pixels.data(), area);
    return;
  }
  for (size_t begin = 0; begin < pixels.size(); begin += static_cast<size_t>(area)) {
    const std::span<float> channel(pixels.data() + begin, static_cast<size_t>(area));
    double sum = 0, squares = 0;
    for (const float p : channel) sum += p;
    const double mean = sum / static_cast<double>(area);
    for (const float p : channel) squares += (p - mean) * (p - mean);
    // One level at least: a plain picture has no colours to scale.
    const double deviation = std::max(1.0, std::sqrt(squares / static_cast<double>(area)));
    for (float& p : channel) p = static_cast<float>((p - mean) / deviation);
  }
}

Batch example_batch(const FittedExamples& examples, const std::vector<int64_t>& chosen,
                    const Colors& colors, const std::vector<double>& weights,
                    const PictureChanges* limits, RandomKey key) {
  const Images& images = examples.images;
  const int64_t count = std::ssize(chosen), h = images.height, w = images.width;
  std::vector<float> pixels;
  std::vector<int64_t> classes;
  double weight = 0;
  Dice dice(key);
  for (const int64_t i : chosen) {
    const Picture& mask = examples.masks[static_cast<size_t>(i)];
    Sample sample;
    if (limits != nullptr) {
      sample = augmented(images.picture(i), mask, *limits, dice);
    } else {
      sample = {{images.image(i), images.image(i) + images.image_size()}, mask.pixels};
    }
    colors.apply(sample.pixels, h * w);
    pixels.insert(pixels.end(), sample.pixels.begin(), sample.pixels.end());
    classes.insert(classes.end(), sample.mask.begin(), sample.mask.end());
    for (const uint8_t c : sample.mask) weight += c == kVoid ? 0 : weights[c];
  }
  return {{{"images", from_vector(pixels, {count, 3, h, w})},
           {"masks", from_vector(classes, {count, h, w})}},
          count,
          std::max(1.0, weight)};
}

Pair seen_size(int64_t height, int64_t width, Pair size, int64_t stride) {
  const PictureFit fit = fit_of(height, width, size.h, size.w);
  const auto whole = [&](int64_t side, int64_t most) {
    return std::clamp((side + stride / 2) / stride * stride, stride, most);
  };
  return {whole(fit.height, size.h), whole(fit.width, size.w)};
}

Tensor seen(const Picture& picture, Pair size, int64_t stride, const Colors& colors) {
  const Pair to = seen_size(picture.height, picture.width, size, stride);
  const Picture small = resized(with_channels(picture, 3), to.h, to.w);
  std::vector<float> pixels(small.pixels.begin(), small.pixels.end());
  colors.apply(pixels, to.h * to.w);
  return from_vector(pixels, {1, 3, to.h, to.w});
}

}  // namespace tarsier::zoo::segmentation
