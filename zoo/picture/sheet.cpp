#include "zoo/picture/sheet.h"

#include <algorithm>

#include "autograd/base/error.h"

namespace tarsier::zoo {

Picture sheet(const std::vector<Picture>& pictures, int64_t columns, int64_t scale) {
  constexpr int64_t kGap = 2;
  constexpr uint8_t kGrey = 128;
  check(!pictures.empty() && columns > 0 && scale > 0, "picture", "a sheet of ", pictures.size(),
        " pictures in ", columns, " columns, ", scale, " times as large: all must be positive");
  Picture place{1, 0, 0, {}};
  for (const Picture& p : pictures) {
    check(p.numel() > 0, "picture", "a sheet with a picture of ", p.width, " × ", p.height);
    place.channels = std::max(place.channels, p.channels);
    place.height = std::max(place.height, p.height);
    place.width = std::max(place.width, p.width);
  }
  const auto count = static_cast<int64_t>(pictures.size());
  columns = std::min(columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t down = place.height * scale + kGap, right = place.width * scale + kGap;
  Picture out{place.channels, rows * down + kGap, columns * right + kGap, {}};
  out.pixels.assign(static_cast<size_t>(out.numel()), kGrey);
  for (int64_t i = 0; i < count; ++i) {
    const Picture picture = with_channels(pictures[static_cast<size_t>(i)], out.channels);
    const int64_t top = i / columns * down + kGap, left = i % columns * right + kGap;
    for (int64_t c = 0; c < out.channels; ++c)
      for (int64_t y = 0; y < picture.height * scale; ++y)
        for (int64_t x = 0; x < picture.width * scale; ++x)
          out.at(c, top + y, left + x) = picture.at(c, y / scale, x / scale);
  }
  return out;
}

std::string as_text(const Picture& colours) {
  const Picture picture = with_channels(colours, 1);
  std::string text;
  for (int64_t y = 0; y < picture.height; y += 2) {
    for (int64_t x = 0; x < picture.width; ++x) {
      const bool above = picture.at(0, y, x) >= 128;
      const bool below = y + 1 < picture.height && picture.at(0, y + 1, x) >= 128;
      text += above ? (below ? "█" : "▀") : (below ? "▄" : " ");
    }
    text += '\n';
  }
  return text;
}

}  // namespace tarsier::zoo
