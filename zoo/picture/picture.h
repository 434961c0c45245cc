#pragma once
// A picture, and resizing it to what a model expects.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tarsier::zoo {

/// One image: channels · height · width bytes in this order, rows from the top. Channels are grey,
/// or red, green and blue.
struct Picture {
  int64_t channels = 1, height = 0, width = 0;
  std::vector<uint8_t> pixels;

  int64_t numel() const { return channels * height * width; }
  uint8_t& at(int64_t c, int64_t y, int64_t x) {
    return pixels[static_cast<size_t>((c * height + y) * width + x)];
  }
  uint8_t at(int64_t c, int64_t y, int64_t x) const {
    return pixels[static_cast<size_t>((c * height + y) * width + x)];
  }
};

/// The picture with 1 channel (0.299 red + 0.587 green + 0.114 blue, as in ITU-R BT.601) or with 3
/// (grey three times).
Picture with_channels(const Picture& picture, int64_t channels);

/// The picture at another size, every pixel the mean of the area that it covers (if that is smaller
/// than a pixel: interpolated between the four around its centre).
Picture resized(const Picture& picture, int64_t height, int64_t width);

/// The picture as a model of photographs expects it: proportions kept, as large as fits into
/// height × width, centred; the rest is filled with its mean colour.
Picture fitted(const Picture& picture, int64_t channels, int64_t height, int64_t width);

/// Where fitted() puts a picture: height × width pixels whose upper left corner is at (top, left).
struct PictureFit {
  int64_t top = 0, left = 0, height = 0, width = 0;
};
/// For a picture of from_height × from_width that fitted() puts into height × width.
PictureFit fit_of(int64_t from_height, int64_t from_width, int64_t height, int64_t width);

/// The value of a channel of height × width values at (y, x), interpolated between the four pixels
/// around it; outside, the value of the nearest pixel.
double sample_at(const uint8_t* channel, int64_t height, int64_t width, double y, double x);

/// The picture of a sign as in MNIST: grey and bright on black (a picture with a bright edge is
/// inverted, and the edge's grey becomes black), cropped to the sign, scaled to fit into 20/28 of
/// the size, its centre of mass in the middle. A picture of a single colour comes back black.
/// Source: https://yann.lecun.com/exdb/mnist
Picture fitted_sign(const Picture& picture, int64_t height, int64_t width);

}  // namespace tarsier::zoo
