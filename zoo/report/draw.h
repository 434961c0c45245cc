#pragma once
// Helpers of all drawings.

#include <string>
#include <string_view>

#include "../base/format.h"
#include "../data/unicode.h"
#include "svg.h"

namespace tarsier::zoo {

/// A length in an SVG: one digit after the point is a tenth of a pixel.
inline std::string px(double length) {
  std::string text = fixed(length, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

/// An upper bound on the width of a text in letters of `size`. The reader's system chooses the
/// font; these are the widths of DejaVu Sans, the widest of the usual ones, so that nothing is cut
/// off.
inline double text_width(std::string_view text, double size) {
  double width = 0;
  while (!text.empty()) {
    const NextCharacter next = next_character(text);
    const char32_t c = next.character;
    const bool ascii = c < 0x80;
    const auto among = [&](std::string_view letters) {
      return ascii && letters.find(static_cast<char>(c)) != letters.npos;
    };
    width += c >= 0x1100 || among("mwMW@%")  ? 1.0
             : among(" ijlI.,:;'|!()[]ftr-") ? 0.41
             : c >= 'A' && c <= 'Z'          ? 0.79
                                             : 0.64;
    text.remove_prefix(next.bytes);
  }
  return width * size;
}

/// `<text>` at (x, y); `more` are further attributes.
inline std::string svg_text(double x, double y, std::string_view text, const std::string& more) {
  return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\"" + (more.empty() ? "" : " ") + more + ">" +
         escape(text) + "</text>";
}

/// The whole drawing, with its size in pixels; `kind` is a class of the page's stylesheet.
inline Svg svg_of(double width, double height, const std::string& kind, const std::string& label,
                  const std::string& content) {
  return {"<svg class=\"" + kind + "\" role=\"img\" aria-label=\"" + escape(label) +
          "\" viewBox=\"0 0 " + px(width) + " " + px(height) + "\" width=\"" + px(width) +
          "\" height=\"" + px(height) + "\">" + content + "</svg>"};
}

}  // namespace tarsier::zoo
