#pragma once
// Pictures with masks, as the model learns from them.

#include <cstdint>
#include <string>
#include <vector>

#include "../picture/picture.h"
#include "masks.h"

namespace tarsier::zoo::segmentation {

/// The class of a pixel that does not count.
inline constexpr uint8_t kVoid = 255;

/// A picture, and the class of each of its pixels.
struct Example {
  std::string name;  ///< the file's name
  Picture picture;   ///< in colours; may be smaller than the file's
  Picture mask;      ///< 1 channel of classes, or kVoid, at the size of the file
};

/// What a segmenter learns from.
struct SegmentationData {
  Parts<Example> parts;
  std::vector<std::string> names;  ///< of the classes; a mask has indices of it
  std::string format = "";         ///< as in MaskedFiles
};

struct MaskOptions {
  int64_t ignored = 255;   ///< the number in masks of what does not count; −1: all count
  std::string names = "";  ///< of the classes, comma between, 0 first; for data without classes.txt
  int64_t longest = 96;    ///< larger pictures are scaled down to so many pixels
};

/// Reads the pictures. Those whose longer side has more than `longest` pixels are scaled down, their
/// masks stay as they are. Without names, the numbers in the training masks are the classes.
/// Throws Error("data") with the file for pictures and masks that cannot be read, that differ in
/// size, for a number that is no class, for fewer than two classes or more than 255, and if nothing
/// counts in the training or the validation masks.
SegmentationData load_pictures(const MaskedFiles& files, const MaskOptions& options);

/// Scenes that the program draws (data/scenes.h): 2,000 to train, 200 to validate, 400 to test;
/// always the same. Class 0 is the background.
SegmentationData scene_pictures();

/// The mask at another size: each pixel is the one of the old mask at its middle.
Picture resized_mask(const Picture& mask, int64_t height, int64_t width);

}  // namespace tarsier::zoo::segmentation
