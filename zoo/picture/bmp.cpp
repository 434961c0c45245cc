// BMP. Source: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
#include <cstdlib>

#include "zoo/picture/formats.h"

namespace tarsier::zoo {

Picture read_bmp(const Bytes& file) {
  const auto number = [&](size_t at, size_t count) { return file.little_endian(at, count); };
  const size_t data = number(10, 4), header = number(14, 4);
  check(header >= 40, "data", "'", file.path, "', byte 14: a BMP header of ", header,
        " bytes; 40 or more can be read");
  const int64_t width = static_cast<int32_t>(number(18, 4));
  const int64_t signed_height = static_cast<int32_t>(number(22, 4));
  const int64_t height = std::abs(signed_height);
  const size_t bits = number(28, 2);
  const uint32_t compression = number(30, 4);
  const bool palette = bits == 1 || bits == 4 || bits == 8;
  check(palette || bits == 24 || bits == 32, "data", "'", file.path, "', byte 28: a BMP with ",
        bits, " bits a pixel; 1, 4, 8, 24 and 32 can be read");
  // 3: masks give the positions of the colours. Only the usual order is supported.
  const bool usual_masks = compression == 3 && bits == 32 && number(54, 4) == 0xFF0000 &&
                           number(58, 4) == 0xFF00 && number(62, 4) == 0xFF;
  check(compression == 0 || usual_masks, "data", "'", file.path, "', byte 30: a BMP compressed ",
        "by method ", compression, "; only uncompressed ones can be read");
  const size_t colours = !palette ? 0 : number(46, 4) > 0 ? number(46, 4) : size_t{1} << bits;

  // The padding of the last row may be missing.
  const auto row_of = [&](size_t unit) {
    return (static_cast<size_t>(width) * bits + unit - 1) / unit * (unit / 8);
  };
  const size_t row_bytes = row_of(32);
  Picture out = empty_picture(file, 3, height, width, [&] {
    return static_cast<int64_t>(data + static_cast<size_t>(height - 1) * row_bytes + row_of(8));
  });
  for (int64_t y = 0; y < height; ++y) {
    const int64_t stored = signed_height > 0 ? height - 1 - y : y;
    const size_t row = data + static_cast<size_t>(stored) * row_bytes;
    for (int64_t x = 0; x < width; ++x) {
      const size_t bit = static_cast<size_t>(x) * bits;
      size_t at = row + bit / 8;
      if (palette) {
        const size_t index = file.at(at) >> (8 - bits - bit % 8) & ((size_t{1} << bits) - 1);
        check(index < colours, "data", "'", file.path, "', byte ", at, ": colour ", index, " of a ",
              "palette of ", colours);
        at = 14 + header + 4 * index;
      }
      for (int64_t c = 0; c < 3; ++c) out.at(c, y, x) = file.at(at + static_cast<size_t>(2 - c));
    }
  }
  return out;
}

}  // namespace tarsier::zoo
