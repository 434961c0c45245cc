#include "zoo/captioning/captioned.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "zoo/picture/drawing.h"
#include "zoo/picture/sheet.h"

namespace tarsier::zoo::captioning {

namespace {

constexpr int64_t kSmall = 240, kLarge = 480;  // pixels
constexpr int64_t kLetter = 2;                 // pixels of a letter's point
constexpr Color kPaper{255, 255, 255};

/// The words of a text in lines up to so many pixels wide.
std::vector<std::string> lines_of(const std::string& text, int64_t width) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::string longer = lines.empty() ? word : lines.back() + " " + word;
    if (lines.empty() || text_size(longer, kLetter).width > width)
      lines.push_back(word);
    else
      lines.back() = longer;
  }
  return lines;
}

}  // namespace

Picture captioned(const Picture& picture, const std::string& caption) {
  const bool large = picture.width > kLarge;
  const Picture shown =
      large
          ? resized(picture, std::max<int64_t>(1, picture.height * kLarge / picture.width), kLarge)
          : picture;
  const Picture framed =
      sheet({with_channels(shown, 3)}, 1, std::max<int64_t>(1, kSmall / shown.width));
  const std::vector<std::string> lines = lines_of(caption, framed.width);
  const int64_t line = text_size("", kLetter).height;
  Picture out{3, framed.height + line * static_cast<int64_t>(lines.size()), framed.width, {}};
  out.pixels.assign(static_cast<size_t>(out.numel()), 255);
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < framed.height; ++y)
      for (int64_t x = 0; x < framed.width; ++x) out.at(c, y, x) = framed.at(c, y, x);
  for (size_t i = 0; i < lines.size(); ++i)
    draw_text(out, 0, framed.height + line * static_cast<int64_t>(i), lines[i], kPaper, kLetter);
  return out;
}

}  // namespace tarsier::zoo::captioning
