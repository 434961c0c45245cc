#pragma once
// The readers of the picture formats, for read.cpp, and what limits all formats.

#include "../data/bytes.h"
#include "picture.h"

namespace tarsier::zoo {

/// Levels from 0 to 255, or as they are stored: read_numbers() says of which files.
enum class Levels { scaled, stored };

Picture read_netpbm(const Bytes& file, Levels levels = Levels::scaled);
Picture read_bmp(const Bytes& file);
Picture read_png(const Bytes& file, Levels levels = Levels::scaled);
Picture read_jpeg(const Bytes& file);

/// What read_numbers() expects, for its errors.
inline constexpr const char* kOneNumber =
    "expected one number for each pixel, as a grey PGM or PNG of up to 8 bits, or the colour "
    "numbers of a PNG with a palette";

/// Larger pictures are neither read nor written.
inline constexpr int64_t kMostPixels = 100'000'000;

/// Throws Error("data") for sizes of 0 or above kMostPixels.
void check_size(const Bytes& file, int64_t height, int64_t width);

/// A picture of that size, if the file has at least `needed` bytes: a few bytes that claim to be a
/// large picture do not get the memory of one. `needed` is called once the size is known to be
/// below the limit.
template <class Needed>
Picture empty_picture(const Bytes& file, int64_t channels, int64_t height, int64_t width,
                      const Needed& needed) {
  check_size(file, height, width);
  const int64_t bytes = needed();
  check(static_cast<int64_t>(file.bytes.size()) >= bytes, "data", "'", file.path, "' has ",
        file.bytes.size(), " bytes, but ", width, " × ", height, " pixels need ", bytes,
        ": it is cut off");
  Picture out{channels, height, width, {}};
  out.pixels.resize(static_cast<size_t>(out.numel()));
  return out;
}

}  // namespace tarsier::zoo
