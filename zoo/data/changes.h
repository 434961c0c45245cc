#pragma once
// Random changes of training pictures of which the model says where things are: what moves the
// pixels can be asked where it moves them.

#include <cstdint>
#include <vector>

#include "../picture/picture.h"
#include "../task/settings.h"
#include "dice.h"

namespace tarsier::zoo {

/// How much changes, drawn for every picture.
struct PictureChanges {
  bool flip = true;            ///< mirror half of them, left to right
  bool flip_vertical = false;  ///< and upside down: for pictures without an up, as in a microscope
  double zoom = 0.3;     ///< larger or smaller by up to a factor of 1 + zoom, and moved so that
                         ///< what was there stays in sight
  double stretch = 0.1;  ///< width against height, by up to a factor of 1 + stretch
  double color = 0.2;    ///< brightness, contrast and the strength of each colour, by this share
  double cast = 0;       ///< the colour of the light: each colour up to 1 + cast times as bright

  void add_to(Settings& settings);
};

/// Where pixels go, along one axis: from `x` to scale · x + offset.
struct Line {
  double scale = 1, offset = 0;

  double operator()(double from) const { return scale * from + offset; }
  double back(double to) const { return (to - offset) / scale; }
};

/// Where the pixels of a picture go. The middle of a pixel is half a pixel from its edge.
struct Warp {
  Line across, down;
};

/// A random one within the limits, for pictures of height × width.
Warp drawn_warp(int64_t height, int64_t width, const PictureChanges& limits, Dice& dice);

/// The moved pixels of a picture, 0 … 255, in a picture of the same size; interpolated between the
/// four around them. Outside of the picture is the colour of its nearest pixel.
std::vector<float> warped(const Picture& picture, const Warp& warp);

/// Changes the colours within the limits, in place: channels of `area` pixels each.
void recolor(std::vector<float>& pixels, int64_t area, const PictureChanges& limits, Dice& dice);

}  // namespace tarsier::zoo
