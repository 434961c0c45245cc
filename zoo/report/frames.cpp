// Pictures with frames on them.
#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"
#include "zoo/picture/drawing.h"
#include "zoo/report/draw.h"
#include "zoo/report/image.h"

namespace tarsier::zoo {

namespace {

std::string stroke_of(int64_t color) {
  const Color c = color_of(color);
  return concat("rgb(", int{c[0]}, ",", int{c[1]}, ",", int{c[2]}, ")");
}

}  // namespace

Svg picture_with_frames(const Picture& picture,
                        const std::vector<std::vector<PictureFrame>>& frames,
                        const std::string& label) {
  const double scale = std::max(
      1.0, std::round(230.0 / static_cast<double>(std::max(picture.height, picture.width))));
  const double width = scale * static_cast<double>(picture.width),
               height = scale * static_cast<double>(picture.height);
  const std::string data = image_data(picture);
  std::string content;
  double left = 0;
  for (const std::vector<PictureFrame>& some : frames) {
    content += image_at(left, width, height, data);
    for (const PictureFrame& frame : some)
      content += concat(
          "<rect x=\"", px(left + scale * frame.x1), "\" y=\"", px(scale * frame.y1), "\" width=\"",
          px(scale * (frame.x2 - frame.x1)), "\" height=\"", px(scale * (frame.y2 - frame.y1)),
          "\" fill=\"none\" pointer-events=\"all\" stroke-width=\"2\" stroke=\"",
          stroke_of(frame.color), "\"><title>", escape(frame.text), "</title></rect>");
    left += width + 6;
  }
  return svg_of(std::max(0.0, left - 6), height, "map", label, content);
}

Svg color_legend(const std::vector<std::string>& names) {
  std::string content;
  double left = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    content += concat("<rect x=\"", px(left + 2), "\" y=\"3\" width=\"12\" height=\"12\" fill=\"",
                      "none\" stroke-width=\"3\" stroke=\"", stroke_of(static_cast<int64_t>(i)),
                      "\"></rect>");
    content += svg_text(left + 20, 13, names[i], "");
    left += 20 + text_width(names[i], 12) + 14;
  }
  return svg_of(left, 18, "map", "the colours of the classes", content);
}

}  // namespace tarsier::zoo
