#pragma once
// Random changes of training pictures, which move the boxes along.

#include <cstdint>
#include <vector>

#include "../boxes/box.h"
#include "../data/dice.h"
#include "../picture/picture.h"
#include "../task/settings.h"

namespace tarsier::zoo::detection {

/// How much changes, drawn for every picture.
struct Augmentation {
  bool flip = true;            ///< mirror half of them, left to right
  bool flip_vertical = false;  ///< and upside down: for pictures without an up, as in a microscope
  double zoom = 0.3;     ///< larger or smaller by up to a factor of 1 + zoom, and moved so that
                         ///< what was there stays in sight
  double stretch = 0.1;  ///< width against height, by up to a factor of 1 + stretch
  double color = 0.2;    ///< brightness, contrast and the strength of each colour, by this share
  double least_visible = 0.3;  ///< an object of which a smaller share is left is no object

  void add_to(Settings& settings);
};

/// A picture as the model gets it, and its objects.
struct Sample {
  std::vector<float> pixels;  ///< 0 … 255, channels · height · width
  std::vector<Box> boxes;     ///< in pixels
  std::vector<int64_t> labels;
};

/// `picture` and its objects, changed by random numbers from `dice`: the same size. Outside of the
/// picture is the colour of its nearest pixel.
Sample augmented(const Picture& picture, const std::vector<Box>& boxes,
                 const std::vector<int64_t>& labels, const Augmentation& limits, Dice& dice);

}  // namespace tarsier::zoo::detection
