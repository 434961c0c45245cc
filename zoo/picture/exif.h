#pragma once
// How a camera was held when it took a picture.

#include <string_view>

#include "picture.h"

namespace tarsier::zoo {

/// The orientation, 1 to 8, in EXIF data (a TIFF structure: its tag 0x0112). 1, upright, if there is
/// none or the data are damaged: other readers do not refuse the picture either.
/// Source: EXIF 2.32, 4.6.4
int exif_orientation(std::string_view tiff);

/// The picture of a file with that orientation, turned and mirrored so that it is upright.
Picture upright(Picture picture, int orientation);

}  // namespace tarsier::zoo
