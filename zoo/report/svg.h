#pragma once
// Drawings for the page of a run: curves, heat maps, pictures; as inline SVG.
//
// Colours are classes and variables of the page's stylesheet (colors.css), so that a drawing works on
// a dark page and on a light one.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../picture/picture.h"

namespace tarsier::zoo {

/// Markup that goes into a page unchanged. Only the functions below make it: text never gets there
/// without escape().
struct Svg {
  std::string markup;
};

/// Text for HTML and XML: & < > " ' by name; invalid UTF-8, and control characters other than tab
/// and line break, as U+FFFD.
std::string escape(std::string_view text);

/// The first `characters` of a text, and … if there is more.
std::string shortened(std::string_view text, int64_t characters);

/// A character or token with its blanks visible: "the␣", "⏎".
std::string visible(std::string_view text);

/// A number with about four digits: 0.001235, 12,345, 1.2e-07.
std::string short_number(double value);

// ------------------------------------------------------------------------------------------ curves

/// Points (x[i], y[i]), from left to right.
struct Series {
  std::string name;
  std::vector<double> x = {}, y = {};
  bool faint = false;  ///< pale, for a noisy curve under its mean
};

struct ChartOptions {
  std::string label = "";        ///< what it shows, for screen readers
  std::string x_label = "step";  ///< under the axis
  bool log_y = false;            ///< values ≤ 0 are left out
  bool log_x = false;            ///< likewise
  double mark = NAN;             ///< a dashed line across, with `mark_label`
  std::string mark_label = "";
};

/// Lines through the points of all series, with axes and, for more than one series, a legend.
/// Points that are not finite leave a gap. Up to 40 points of a series are marked, each with its
/// value as a tooltip. Throws Error("report") if x and y differ in length.
Svg line_chart(const std::vector<Series>& series, const ChartOptions& options = {});

/// The same curve with at most about 2·`buckets` points: the smallest and the largest of every
/// stretch, so that peaks stay, and the first and last point.
Series thinned(const Series& series, int64_t buckets);

// --------------------------------------------------------------------------------------- heat maps

struct HeatMapOptions {
  std::string label = "";                         ///< as ChartOptions
  std::string row_title = "", column_title = "";  ///< "truth", "prediction"
  std::vector<std::string> texts = {};            ///< in each cell, if any
  double high = 0;       ///< the value of full colour; 0: the largest there is
  int64_t cell = 18;     ///< pixels
  bool percent = false;  ///< values from 0 to 1 are shown as percent
  bool bare = false;     ///< without labels: a row's tooltip tells where its largest value is
};

/// A matrix as colours: values[row · columns + column], from 0 (none) to the largest. With labels,
/// a scale, and for up to 2,500 cells the value of each as a tooltip (`bare` maps: the largest of
/// each row). Negative and non-finite values count as 0. A side without labels has none drawn.
/// Throws Error("report") if the sizes do not fit together.
Svg heat_map(const std::vector<double>& values, int64_t rows, int64_t columns,
             const std::vector<std::string>& row_labels,
             const std::vector<std::string>& column_labels, const HeatMapOptions& options = {});

// ---------------------------------------------------------------------------------------- pictures

/// The picture, and next to it the same with `weights` of its patches (rows · columns of them, from
/// the top) laid over it, if there are any: the higher the weight, the stronger the colour.
/// Throws Error("report") if the number of weights is wrong, or channels are not 1 or 3.
Svg picture_with_patches(const Picture& picture, const std::vector<double>& weights = {},
                         int64_t rows = 0, int64_t columns = 0, const std::string& label = "");

/// A stretch of a picture, with what it says.
struct PictureSpan {
  std::string text;
  int64_t begin = 0, end = 0;  ///< columns of pixels begin … end − 1
  double probability = 1;      ///< for the tooltip
};

/// The picture, enlarged, and under it a bar for each span with its text, as under a spectrogram.
/// Throws Error("report") for a picture as in picture_with_patches(), and for spans outside it.
Svg picture_with_spans(const Picture& picture, const std::vector<PictureSpan>& spans,
                       const std::string& label = "");

/// A frame on a picture, in its pixels.
struct PictureFrame {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  int64_t color = 0;      ///< as color_of() in picture/drawing.h counts them
  std::string text = "";  ///< for the tooltip
};

/// The picture, enlarged, side by side as often as there are lists of frames, each with its frames.
/// Throws Error("report") for a picture as in picture_with_patches().
Svg picture_with_frames(const Picture& picture,
                        const std::vector<std::vector<PictureFrame>>& frames,
                        const std::string& label = "");

/// What the colours of frames mean: `names[i]` next to colour i.
Svg color_legend(const std::vector<std::string>& names);

}  // namespace tarsier::zoo
