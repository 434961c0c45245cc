// Pictures embedded in a page.
#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"
#include "zoo/report/draw.h"
#include "zoo/report/image.h"

namespace tarsier::zoo {

Svg picture_with_spans(const Picture& picture, const std::vector<PictureSpan>& spans,
                       const std::string& label) {
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
                image_at(0, width, height, image_data(picture)) + bars);
}

Svg picture_with_patches(const Picture& picture, const std::vector<double>& weights, int64_t rows,
                         int64_t columns, const std::string& label) {
  check(static_cast<int64_t>(weights.size()) == rows * columns, "report", weights.size(),
        " weights for ", rows, " × ", columns, " patches");

  // About a hundred screen pixels wide, with equal size for every pixel of the picture.
  const double scale = std::max(
      1.0, std::round(100.0 / static_cast<double>(std::max(picture.height, picture.width))));
  const double width = scale * static_cast<double>(picture.width);
  const double height = scale * static_cast<double>(picture.height);
  const std::string data = image_data(picture);
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
