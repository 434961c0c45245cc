#pragma once
// Picture files.

#include <string>

#include "picture.h"

namespace tarsier::zoo {

/// The picture in a file, recognised by its first bytes, with 8 bits a channel:
///   - PNG of every colour type and depth, also interlaced. 16 bits are rounded to 8. What is
///     transparent is laid on white. Colour profiles and gamma are ignored.
///   - JPEG, baseline and progressive, grey or in colours; the same pixels as libjpeg-turbo
///     computes by default. Not CMYK, 12 bits, arithmetic coding or lossless.
///   - PGM and PPM, ASCII and binary (P2, P3, P5, P6), with comments, up to 65535 levels;
///   - BMP without compression: 1, 4 or 8 bits with a palette, 24 or 32 bits (transparency is
///     ignored), from the bottom up or from the top down.
/// A PNG or JPEG that says how the camera was held (EXIF orientation) is turned upright.
/// Throws Error("data") with file and byte for anything else: other formats (it names the common
/// ones), files cut off or damaged, sizes of 0 or above 100 million pixels. Memory is taken only
/// for as many pixels as the bytes of the file can hold.
Picture read_picture(const std::string& path);

/// The numbers in a picture file, one for each pixel, as they are stored: a mask, whose numbers are
/// classes. Grey PGM or PNG, without scaling to 0 … 255; or the numbers of the colours of a PNG
/// with a palette. Throws Error("data") as read_picture(), for files with other pixels, and for
/// numbers above 255.
Picture read_numbers(const std::string& path);

}  // namespace tarsier::zoo
