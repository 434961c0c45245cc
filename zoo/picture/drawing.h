#pragma once
// Drawing on pictures: frames and short texts.

#include <array>
#include <cstdint>
#include <string_view>

#include "picture.h"

namespace tarsier::zoo {

/// Red, green and blue.
using Color = std::array<uint8_t, 3>;

/// A colour of its own for each of the first 24 numbers; then they repeat. The first eight are strong
/// enough to be seen on light and on dark pictures.
Color color_of(int64_t number);

/// The frame of pixels x1 … x2 − 1 and y1 … y2 − 1, `thickness` pixels inwards. What lies outside of
/// the picture is cut off. Grey pictures get the brightness of the colour.
void draw_frame(Picture& picture, int64_t x1, int64_t y1, int64_t x2, int64_t y2, Color color,
                int64_t thickness = 1);

/// The size of draw_text() in pixels.
struct TextSize {
  int64_t height = 0, width = 0;
};
TextSize text_size(std::string_view text, int64_t scale = 1);

/// Writes a text in a field of the colour `back` whose upper left corner is at (x, y); black or
/// white, whichever is easier to read. Its letters are 3 × 5 points of `scale` pixels, one point
/// apart; small letters look like capitals. There are letters, digits and common signs of ASCII; all
/// others are blocks. What lies outside of the picture is cut off.
void draw_text(Picture& picture, int64_t x, int64_t y, std::string_view text, Color back,
               int64_t scale = 1);

}  // namespace tarsier::zoo
