#pragma once
// Random changes of training pictures, which move the boxes along.

#include <cstdint>
#include <vector>

#include "../boxes/box.h"
#include "../data/changes.h"

namespace tarsier::zoo::detection {

/// A picture as the model gets it, and its objects.
struct Sample {
  std::vector<float> pixels;  ///< 0 … 255, channels · height · width
  std::vector<Box> boxes;     ///< in pixels
  std::vector<int64_t> labels;
};

/// `picture` and its objects, changed by random numbers from `dice`: the same size. An object of
/// which less than 0.3 is left is no object. Outside of the picture is the colour of its nearest
/// pixel.
Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const PictureChanges& limits, Dice& dice);

}  // namespace tarsier::zoo::detection
