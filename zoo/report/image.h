#pragma once
// Pictures inside drawings.

#include <string>

#include "../picture/picture.h"

namespace tarsier::zoo {

/// The picture as a PNG file in base64 (RFC 4648), for image_at(). Throws as png_of().
std::string image_data(const Picture& picture);

/// The markup of a picture as `data`, at (x, 0).
std::string image_at(double x, double width, double height, const std::string& data);

}  // namespace tarsier::zoo
