#pragma once
// Random changes of training pictures, which move the boxes along.

#include <array>
#include <cstdint>
#include <vector>

#include "../boxes/box.h"
#include "../data/changes.h"

namespace tarsier::zoo::detection {

/// How much changes, drawn for every picture.
struct Augmentation : PictureChanges {
  double mosaic = 0;  ///< the share of pictures that are put together from four

  void add_to(Settings& settings);
};

/// An object of which a smaller share is left in the picture is no object.
constexpr double kLeastVisible = 0.3;

/// A picture as the model gets it, and its objects.
struct Sample {
  std::vector<float> pixels;  ///< 0 … 255, channels · height · width
  std::vector<Box> boxes;     ///< in pixels
  std::vector<int64_t> labels;
};

/// `picture` and its objects, changed by random numbers from `dice`: the same size. Outside of the
/// picture is the colour of its nearest pixel.
Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const PictureChanges& limits, Dice& dice);

/// A picture of height × width that shows four of that size, each in one quarter: the one before the
/// random point where they meet in both directions, before it in one, or after it. Of each object
/// the part in its quarter stays, or nothing if that is less than `least_visible` of it.
/// Source: Bochkovskiy et al. 2020, "YOLOv4", which also moves the pictures.
Sample mosaic(const std::array<Sample, 4>& parts, int64_t height, int64_t width,
              double least_visible, Dice& dice);

}  // namespace tarsier::zoo::detection
