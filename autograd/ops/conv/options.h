#pragma once
// What the ops on images can be told. See ops.h for the formulas.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarsier {

/// Height and width; one number stands for both: {.stride = 2, .padding = {1, 0}}.
struct Pair {
  int64_t h, w;
  Pair(int64_t both) : h(both), w(both) {}
  Pair(int64_t height, int64_t width) : h(height), w(width) {}
};
struct WindowOptions {
  Pair stride = 1, padding = 0, dilation = 1;
};
struct Conv1dOptions {
  int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
struct Conv2dOptions {
  Pair stride = 1, padding = 0, dilation = 1;
  int64_t groups = 1;  ///< channels are cut in so many parts, convolved each for itself
};
struct ConvTranspose2dOptions {
  Pair stride = 1, padding = 0;
  Pair output_padding = 0;  ///< added to the output's size, below and on the right; < stride
  Pair dilation = 1;
  int64_t groups = 1;
};
struct MaxPool2dOptions {
  std::optional<Pair> stride = {};  ///< the kernel's size by default
  Pair padding = 0, dilation = 1;
  bool ceil_mode = false;  ///< ⌈…⌉ in the output's size: windows may reach over the end
};
struct AvgPool2dOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, the padding included
};
struct InterpolateOptions {
  std::optional<Pair> size = {};            ///< of the output; or else
  std::optional<double> scale_factor = {};  ///< ⌊in · scale_factor⌋
  std::string_view mode = "nearest";        ///< or "bilinear"
  bool align_corners = false;  ///< bilinear: corner pixels meet, not the corners of corner pixels
};

}  // namespace tarsier
