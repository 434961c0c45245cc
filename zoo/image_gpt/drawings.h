#pragma once
// Drawings of a few levels to learn from: IDX files, folders of pictures, or digits.

#include <string>
#include <vector>

#include "../picture/picture.h"

namespace tarsier::zoo::image_gpt {

/// Pictures of one size, each pixel one of a few levels.
struct Drawings {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> pixels;  ///< levels, drawing after drawing, rows from the top

  int64_t area() const { return height * width; }
  int64_t size() const { return area() > 0 ? static_cast<int64_t>(pixels.size()) / area() : 0; }
  const uint8_t* at(int64_t i) const { return pixels.data() + i * area(); }
};

/// The three parts of a data set.
struct Parts {
  Drawings train, val, test;  ///< test may be empty
  std::string source;         ///< for people: "'omniglot'"
};

/// Level ⌊v · levels / 256⌋ of a grey v, and the grey ⌊l · 255 / (levels − 1)⌋ of a level.
uint8_t level_of(uint8_t grey, int64_t levels);
uint8_t grey_of(uint8_t level, int64_t levels);

/// The grey picture in levels, at another size if need be.
std::vector<uint8_t> levels_of(const Picture& picture, int64_t height, int64_t width,
                               int64_t levels);
/// Levels as a grey picture.
Picture picture_of(const uint8_t* pixels, int64_t height, int64_t width, int64_t levels);

/// Reads a data set in so many levels:
///   - a folder with IDX files of images as MNIST's: train-images-idx3-ubyte, and if there are, the
///     same for val, and for test or t10k;
///   - a folder of picture files (PNG, JPEG, …), in folders of their own or not (their names, such
///     as those of classes, mean nothing): from train, val and test, if there is a folder train. All
///     become grey; those of another size than the first one are resized to it;
///   - for "" 6,000 digits drawn by the program, and 1,000 others for the test.
/// Where there is no part for validation, it is a tenth of the training part.
/// Throws Error("data") for anything else, for drawings of different sizes, for sides above 128
/// pixels, and if fewer than two are to be learned from.
Parts read_drawings(const std::string& path, int64_t levels);

}  // namespace tarsier::zoo::image_gpt
