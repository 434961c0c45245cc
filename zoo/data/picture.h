#pragma once
// Image files for predict, and resizing them to what the model expects.

#include <string>

#include "images.h"

namespace tarsier::zoo {

/// The picture in a file, recognised by its first bytes:
///   - PGM and PPM, ASCII and binary (P2, P3, P5, P6), with comments, up to 65535 levels;
///   - BMP without compression: 1, 4 or 8 bits with a palette, 24 or 32 bits (transparency is
///     ignored), from the bottom up or from the top down.
/// Throws Error("data") with file and byte for anything else: other formats (it names the common
/// ones), files cut off, levels above the maximum, sizes of 0 or above 100 million pixels.
/// Sources: https://netpbm.sourceforge.net/doc/ppm.html,
/// https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
Picture read_picture(const std::string& path);

/// The picture with 1 channel (0.299 red + 0.587 green + 0.114 blue, as in ITU-R BT.601) or with 3
/// (grey three times).
Picture with_channels(const Picture& picture, int64_t channels);

/// The picture at another size, every pixel the mean of the area that it covers (if that is smaller
/// than a pixel: interpolated between the four around its centre).
Picture resized(const Picture& picture, int64_t height, int64_t width);

/// The picture as a model of photographs expects it: proportions kept, as large as fits into
/// height × width, centred; the rest is filled with its mean colour.
Picture fitted(const Picture& picture, int64_t channels, int64_t height, int64_t width);

/// The picture of a sign as in MNIST: grey and bright on black (a picture with a bright edge is
/// inverted, and the edge's grey becomes black), cropped to the sign, scaled to fit into 20/28 of
/// the size, its centre of mass in the middle. A picture of a single colour comes back black.
/// Source: https://yann.lecun.com/exdb/mnist
Picture fitted_sign(const Picture& picture, int64_t height, int64_t width);

}  // namespace tarsier::zoo
