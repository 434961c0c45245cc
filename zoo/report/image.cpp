#include "zoo/report/image.h"

#include "zoo/picture/write.h"
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

}  // namespace

std::string image_data(const Picture& picture) { return base64(png_of(picture)); }

std::string image_at(double x, double width, double height, const std::string& data) {
  return "<image class=\"pixels\" x=\"" + px(x) + "\" y=\"0\" width=\"" + px(width) +
         "\" height=\"" + px(height) +
         "\" preserveAspectRatio=\"none\" href=\"data:image/png;base64," + data + "\"/>";
}

}  // namespace tarsier::zoo
