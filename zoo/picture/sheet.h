#pragma once
// Many pictures as one; a picture as text.

#include <string>
#include <vector>

#include "picture.h"

namespace tarsier::zoo {

/// The pictures side by side, `columns` in a row, with gaps of two pixels of a middle grey between
/// and around them; every pixel of theirs is a square of `scale` × `scale`. All are made as
/// colourful as the most colourful. Smaller ones sit in the upper left of their places; the last
/// row may have free places, grey like the gaps. Throws Error("picture") if there are none, one has
/// no pixels, or columns or scale are not positive.
Picture sheet(const std::vector<Picture>& pictures, int64_t columns, int64_t scale = 1);

/// A picture in characters, two rows of pixels in a line: " ", "▀", "▄" and "█", bright where its
/// grey is 128 or more.
std::string as_text(const Picture& picture);

}  // namespace tarsier::zoo
