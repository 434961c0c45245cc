#pragma once
// Drawings for the page of a run: curves, heat maps, pictures; as SVG that stands in the page.
//
// Colours are classes and variables of the page's style (page.cpp), so that a drawing is right on a
// dark page and on a light one.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../data/images.h"

namespace tarsier::zoo {

/// Markup that goes into a page as it is. Only the functions below make it: text never gets there
/// without escape().
struct Svg {
  std::string markup;
};

/// Text as HTML and XML have it: & < > " ' by name; what is not UTF-8, and control characters but
/// tab and line break, as U+FFFD.
std::string escape(std::string_view text);

/// The first `characters` of a text, and … where there is more.
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
  bool faint = false;  ///< pale, for what trembles behind its mean
};

struct ChartOptions {
  std::string label = "";        ///< what it shows, for those who hear the page
  std::string x_label = "step";  ///< under the axis
  bool log_y = false;            ///< values that are not positive are left out
  double mark = NAN;             ///< a dashed line across, with `mark_label`
  std::string mark_label = "";
};

/// Lines through the points of all series, with axes and a legend (where there is more than one
/// series). Points that are not finite leave a gap. Up to 40 points of a series are marked, each
/// with its value as a tooltip. Throws Error("report") where x and y differ in length.
Svg line_chart(const std::vector<Series>& series, const ChartOptions& options = {});

/// The same curve with at most about 2·`buckets` points: of every stretch the smallest and the
/// largest, so that peaks stay; the first and the last point, too.
Series thinned(const Series& series, int64_t buckets);

// --------------------------------------------------------------------------------------- heat maps

struct HeatMapOptions {
  std::string label = "";                         ///< as ChartOptions
  std::string row_title = "", column_title = "";  ///< "truth", "prediction"
  std::vector<std::string> texts = {};            ///< in each cell, where there are any
  double high = 0;       ///< the value of full colour; 0: the largest there is
  int64_t cell = 18;     ///< pixels
  bool percent = false;  ///< values from 0 to 1 are shown as percent
  bool bare = false;     ///< no labels are drawn: a row tells on hover where its largest value is
};

/// A matrix as colours: values[row · columns + column], from 0 (none) to the largest. With labels,
/// a scale, and up to 2,500 cells the value of each as a tooltip (`bare` maps: the largest of each
/// row). Values that are not finite, or negative, count as 0. A side without labels has none drawn.
/// Throws Error("report") where the sizes do not fit together.
Svg heat_map(const std::vector<double>& values, int64_t rows, int64_t columns,
             const std::vector<std::string>& row_labels,
             const std::vector<std::string>& column_labels, const HeatMapOptions& options = {});

// ---------------------------------------------------------------------------------------- pictures

/// The picture, and beside it the same with `weights` of its patches (rows · columns of them, from
/// the top) laid over it, where there are any: the more, the more colour.
/// Throws Error("report") where the number of weights is another, or channels are not 1 or 3.
Svg picture_with_patches(const Picture& picture, const std::vector<double>& weights = {},
                         int64_t rows = 0, int64_t columns = 0, const std::string& label = "");

}  // namespace tarsier::zoo
