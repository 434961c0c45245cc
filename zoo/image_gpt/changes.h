#pragma once
// Drawings of training, changed: moved, bent as another hand would draw them, turned and mirrored.
//
// What a change leaves is not quite a drawing: a stroke that was bent has other edges than one that
// was drawn, a mirrored letter is no letter. So the model is told what was done (model.h), learns
// from all of them, and is asked about drawings as they are. Jun et al. 2020, "Distribution
// augmentation for generative modeling".

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../data/dice.h"

namespace tarsier::zoo::image_gpt {

/// How a drawing may change.
struct Changes {
  int64_t shift = 0;      ///< up to so many pixels down and to the right; told to nobody
  double bent = 0;        ///< the share of drawings that are bent, in [0, 1]
  double rotate = 12;     ///< of those: up to so many degrees
  double stretch = 0.15;  ///< taller, wider and sheared: 0.15 is up to 15 % more, or less
  double wobble = 1.2;    ///< 16 points of a grid move up to so many pixels
  double turned = 0;      ///< the share of drawings that are turned or mirrored, in one of 7 ways
};

/// What the model is told: whether the drawing was bent, and which of the 7 ways it was turned.
constexpr int64_t kToldChanges = 8;
using Told = std::array<float, kToldChanges>;

/// The drawing (height × width levels) mirrored from left to right if `way` & 1, from top to bottom
/// if `way` & 2, and with rows and columns exchanged if `way` & 4 (then it must be square).
std::vector<uint8_t> turned(const std::vector<uint8_t>& drawing, int64_t height, int64_t width,
                            int64_t way);

/// How a drawing is bent.
struct Bend {
  /// A place in a picture, or a way from one to another, in pixels.
  struct Place {
    double y = 0, x = 0;
    bool operator==(const Place&) const = default;
  };
  /// A side of the grid of points.
  static constexpr size_t kPoints = 4;

  double angle = 0;           ///< radians, clockwise
  double tall = 1, wide = 1;  ///< 1.1: ten percent taller, wider
  double shear = 0;           ///< pixels to the left for each pixel down
  /// How the points of a grid move that covers the picture, the first in its corner; what lies
  /// between moves bilinearly with them. It is what the new drawing takes that moves this way.
  std::array<std::array<Place, kPoints>, kPoints> ways = {};

  /// Drawn within the limits.
  static Bend drawn(const Changes& limits, Dice& dice);
  bool operator==(const Bend&) const = default;
};

/// The drawing stretched and sheared around its middle, rotated, and moved with the grid. What lies
/// between pixels are smoothed levels (a cubic B-spline), rounded to whole ones; beyond the edge
/// there is the level of the first pixel. What does not bend stays exactly as it is.
std::vector<uint8_t> bent(const std::vector<uint8_t>& drawing, int64_t height, int64_t width,
                          const Bend& bend);

/// The drawing changed at random, and what the model is told of it.
std::vector<uint8_t> changed(std::vector<uint8_t> drawing, int64_t height, int64_t width,
                             const Changes& limits, Dice& dice, Told& told);

}  // namespace tarsier::zoo::image_gpt
