#include "zoo/picture/exif.h"

#include <utility>

namespace tarsier::zoo {

int exif_orientation(std::string_view tiff) {
  const bool little = tiff.starts_with("II");
  if (!little && !tiff.starts_with("MM")) return 1;
  // The number at a byte; beyond the end 0, which no orientation and no tag is.
  const auto number = [&](size_t at, size_t count) {
    size_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t byte = at + (little ? count - 1 - i : i);
      value = value << 8 | (byte < tiff.size() ? static_cast<uint8_t>(tiff[byte]) : 0);
    }
    return value;
  };
  const size_t directory = number(4, 4);
  const size_t entries = number(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (number(entry, 2) != 0x0112) continue;
    const size_t value = number(entry + 8, 2);  // one number of 16 bits
    return number(entry + 2, 2) == 3 && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Picture upright(Picture picture, int orientation) {
  if (orientation <= 1) return picture;
  const int code = orientation - 1;
  // 1 to 4: as stored, mirrored, turned by 180°, upside down. From 5 on, stored rows are columns.
  const bool turned = code >= 4;
  const bool from_right = turned ? code == 6 || code == 7 : code == 1 || code == 2;
  const bool from_below = turned ? code == 5 || code == 6 : code == 2 || code == 3;
  Picture out = picture;
  if (turned) std::swap(out.height, out.width);
  for (int64_t c = 0; c < out.channels; ++c)
    for (int64_t y = 0; y < out.height; ++y)
      for (int64_t x = 0; x < out.width; ++x) {
        const int64_t row = turned ? x : y, column = turned ? y : x;
        out.at(c, y, x) = picture.at(c, from_below ? picture.height - 1 - row : row,
                                     from_right ? picture.width - 1 - column : column);
      }
  return out;
}

}  // namespace tarsier::zoo
