#pragma once
// The shapes of generated scenes, as coverage of pixels.

#include <cstdint>
#include <vector>

namespace tarsier::zoo {

/// Where and how a shape is drawn, in pixels.
struct ShapePlace {
  double x = 0, y = 0;  ///< centre
  double radius = 1;    ///< of the circle around it
  double angle = 0;     ///< radians, clockwise
};

/// How much of each pixel a shape covers, 0 … 1, for a part of a picture.
struct Coverage {
  int64_t left = 0, top = 0, width = 0, height = 0;  ///< may lie outside the picture
  std::vector<double> share;                         ///< height · width
};

/// Circle, square, triangle or star (0 … 3, as in scene_labels()), sampled at 4 × 4 points a pixel.
/// Throws Error("data") for another number.
Coverage shape_coverage(int64_t label, const ShapePlace& place);

/// The digit, written as draw_digit() does from the number `hand`, about 2 · radius high.
Coverage digit_coverage(int digit, uint64_t hand, const ShapePlace& place);

}  // namespace tarsier::zoo
