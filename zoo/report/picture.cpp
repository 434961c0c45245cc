// Pictures embedded in a page.
#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"
#include "zoo/report/draw.h"

namespace tarsier::zoo {

namespace {

/// RFC 4648.
std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

/// The picture as a BMP file of 24 bits a pixel: the only common format that needs no compression.
/// Source: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
std::string bmp_of(const Picture& picture) {
  const int64_t row = (3 * picture.width + 3) / 4 * 4;  // padded to a whole number of words
  const int64_t size = 54 + row * picture.height;
  std::string out = "BM";
  const auto put = [&](int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  };
  for (const auto& [value, bytes] : {std::pair<int64_t, int>{size, 4},
                                     {0, 4},
                                     {54, 4},
                                     {40, 4},
                                     {picture.width, 4},
                                     {picture.height, 4},
                                     {1, 2},
                                     {24, 2},
                                     {0, 4},
                                     {row * picture.height, 4},
                                     {2835, 4},
                                     {2835, 4},
                                     {0, 4},
                                     {0, 4}})
    put(value, bytes);
  for (int64_t y = picture.height - 1; y >= 0; --y) {
    for (int64_t x = 0; x < picture.width; ++x)
      for (int64_t c = 2; c >= 0; --c)
        out += static_cast<char>(picture.at(picture.channels == 1 ? 0 : c, y, x));
    out.append(static_cast<size_t>(row - 3 * picture.width), '\0');
  }
  return out;
}

void check_picture(const Picture& picture) {
  check((picture.channels == 1 || picture.channels == 3) && picture.height > 0 &&
            picture.width > 0 && static_cast<int64_t>(picture.pixels.size()) == picture.numel(),
        "report", "a picture of ", picture.channels, " × ", picture.height, " × ", picture.width,
        " with ", picture.pixels.size(), " values");
}

/// The markup of a picture as `data`, at (x, 0).
std::string image_at(double x, double width, double height, const std::string& data) {
  return "<image class=\"pixels\" x=\"" + px(x) + "\" y=\"0\" width=\"" + px(width) +
         "\" height=\"" + px(height) +
         "\" preserveAspectRatio=\"none\" href=\"data:image/bmp;base64," + data + "\"/>";
}

}  // namespace

Svg picture_with_spans(const Picture& picture, const std::vector<PictureSpan>& spans,
                       const std::string& label) {
  check_picture(picture);
  // Two pixels of the screen for every column, three for a row; more for short pictures.
  const double scale = std::max(2.0, std::floor(160 / static_cast<double>(picture.width)));
  const double width = scale * static_cast<double>(picture.width);
  const double height = std::max(90.0, 3 * static_cast<double>(picture.height));
  std::string bars;
  for (const PictureSpan& span : spans) {
    check(0 <= span.begin && span.begin < span.end && span.end <= picture.width, "report",
          "a span from column ", span.begin, " to ", span.end, " of ", picture.width);
    const double x = scale * static_cast<double>(span.begin),
                 wide = scale * static_cast<double>(span.end - span.begin);
    bars += "<rect class=\"glow\" x=\"" + px(x) + "\" y=\"" + px(height + 3) + "\" width=\"" +
            px(wide) + "\" height=\"5\"><title>" + escape(span.text) + ", " +
            fixed(100 * span.probability, 1) + " %</title></rect>" +
            svg_text(x, height + 21, span.text, "");
  }
  return svg_of(width + 30, height + 26, "map", label,
                image_at(0, width, height, base64(bmp_of(picture))) + bars);
}

Svg picture_with_patches(const Picture& picture, const std::vector<double>& weights, int64_t rows,
                         int64_t columns, const std::string& label) {
  check_picture(picture);
  check(static_cast<int64_t>(weights.size()) == rows * columns, "report", weights.size(),
        " weights for ", rows, " × ", columns, " patches");

  // About a hundred screen pixels wide, with equal size for every pixel of the picture.
  const double scale = std::max(
      1.0, std::round(100.0 / static_cast<double>(std::max(picture.height, picture.width))));
  const double width = scale * static_cast<double>(picture.width);
  const double height = scale * static_cast<double>(picture.height);
  const std::string data = base64(bmp_of(picture));
  const auto image = [&](double x) { return image_at(x, width, height, data); };
  if (weights.empty()) return svg_of(width, height, "map", label, image(0));

  double high = 0, sum = 0;
  for (const double w : weights)
    if (std::isfinite(w) && w > 0) high = std::max(high, w), sum += w;
  const double left = width + 6, cell_w = width / static_cast<double>(columns),
               cell_h = height / static_cast<double>(rows);
  std::string overlay;
  for (size_t i = 0; i < weights.size() && high > 0; ++i) {
    const double w = std::isfinite(weights[i]) ? std::max(0.0, weights[i]) : 0;
    const auto r = static_cast<double>(static_cast<int64_t>(i) / columns),
               c = static_cast<double>(static_cast<int64_t>(i) % columns);
    overlay += "<rect class=\"glow\" x=\"" + px(left + c * cell_w) + "\" y=\"" + px(r * cell_h) +
               "\" width=\"" + px(cell_w) + "\" height=\"" + px(cell_h) + "\" fill-opacity=\"" +
               fixed(0.8 * w / high, 2) + "\"><title>" + fixed(100 * w / sum, 1) +
               " %</title></rect>";
  }
  return svg_of(left + width, height, "map", label, image(0) + image(left) + overlay);
}

}  // namespace tarsier::zoo
