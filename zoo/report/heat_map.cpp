// Matrices as colours.
#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/base/error.h"
#include "zoo/report/draw.h"

namespace tarsier::zoo {

namespace {

constexpr double kFont = 12;
constexpr int64_t kLabelLength = 16;
constexpr int64_t kCellsWithTooltips = 2500;
constexpr int kShades = 32;  // of maps without tooltips

std::string number(double value, const HeatMapOptions& options) {
  return options.percent ? fixed(100 * value, 1) + " %" : short_number(value);
}

/// The cells, each with its tooltip.
std::string cells_with_tooltips(const std::vector<double>& shades,
                                const std::vector<double>& values, int64_t rows, int64_t columns,
                                const std::vector<std::string>& row_labels,
                                const std::vector<std::string>& column_labels,
                                const HeatMapOptions& options) {
  const auto name = [](const std::string& title, const std::vector<std::string>& labels,
                       int64_t i) {
    const std::string label =
        labels.empty() ? std::to_string(i + 1) : labels[static_cast<size_t>(i)];
    return title.empty() ? label : title + " " + label;
  };
  std::string out;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const auto at = static_cast<size_t>(r * columns + c);
      out += concat("<rect class=\"heat\" x=\"", c * options.cell, "\" y=\"", r * options.cell,
                    "\" width=\"", options.cell, "\" height=\"", options.cell) +
             "\" fill-opacity=\"" + fixed(shades[at], 2) + "\"><title>" +
             escape(name(options.row_title, row_labels, r) + ", " +
                    name(options.column_title, column_labels, c) + ": " +
                    (options.texts.empty() ? "" : options.texts[at] + ", ") +
                    number(values[at], options)) +
             "</title></rect>";
      if (!options.texts.empty() && !options.texts[at].empty())
        out += svg_text(static_cast<double>(c * options.cell) + 0.5 * options.cell,
                        static_cast<double>(r * options.cell) + 0.5 * options.cell + 4,
                        options.texts[at],
                        shades[at] > 0.5 ? "class=\"over middle\"" : "class=\"middle\"");
    }
  }
  return out;
}

/// The cells as one path per shade: a tenth of the size, for maps of many cells.
std::string cells_by_shade(const std::vector<double>& shades, int64_t rows, int64_t columns,
                           int64_t cell) {
  std::array<std::string, kShades + 1> paths;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t begin = 0, end = 0; begin < columns; begin = end) {
      const auto shade = [&](int64_t c) {
        return static_cast<size_t>(
            std::lround(shades[static_cast<size_t>(r * columns + c)] * kShades));
      };
      for (end = begin + 1; end < columns && shade(end) == shade(begin);) ++end;
      const int64_t width = (end - begin) * cell;
      paths[shade(begin)] +=
          concat("M", begin * cell, " ", r * cell, "h", width, "v", cell, "h-", width, "z");
    }
  }
  std::string out;
  for (size_t shade = 1; shade < paths.size(); ++shade)
    if (!paths[shade].empty())
      out += "<path class=\"heat\" fill-opacity=\"" +
             fixed(static_cast<double>(shade) / kShades, 2) + "\" d=\"" + paths[shade] + "\"/>";
  return out;
}

/// An invisible strip over each row, whose tooltip tells where the largest value is.
std::string row_tooltips(const std::vector<double>& values, int64_t rows, int64_t columns,
                         const std::vector<std::string>& row_labels,
                         const std::vector<std::string>& column_labels,
                         const HeatMapOptions& options) {
  const auto name = [](const std::vector<std::string>& labels, int64_t i) {
    return labels.empty() ? std::to_string(i + 1) : labels[static_cast<size_t>(i)];
  };
  std::string out;
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = values.begin() + r * columns;
    const int64_t at = std::max_element(row, row + columns) - row;
    out += concat("<rect class=\"clear\" x=\"0\" y=\"", r * options.cell, "\" width=\"",
                  columns * options.cell, "\" height=\"", options.cell, "\"><title>") +
           escape(name(row_labels, r) + ": most at " + name(column_labels, at) + ", " +
                  number(row[at], options)) +
           "</title></rect>";
  }
  return out;
}

double longest(const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels)
    width = std::max(width, text_width(shortened(label, kLabelLength), kFont));
  return width;
}

/// The values to draw: finite, at least 0, and each as a share of the highest.
struct Shades {
  std::vector<double> clean, shares;
  double high;
};

Shades shades_of(const std::vector<double>& values, double fixed_high) {
  Shades out{std::vector<double>(values.size()), std::vector<double>(values.size()), fixed_high};
  for (size_t i = 0; i < values.size(); ++i) {
    out.clean[i] = std::isfinite(values[i]) ? std::max(0.0, values[i]) : 0;
    if (fixed_high <= 0) out.high = std::max(out.high, out.clean[i]);
  }
  for (size_t i = 0; i < values.size(); ++i)
    out.shares[i] = out.high > 0 ? std::min(1.0, out.clean[i] / out.high) : 0;
  return out;
}

/// Where the cells, the labels and the scale are, in pixels.
struct MapFrame {
  std::vector<std::string> row_labels, column_labels;  // none in a bare map
  double cell, column_label, left, top, width, height, scale_left, scale_top;
  bool leaning;  // column labels, if they do not fit over their cells
  bool scale;

  MapFrame(int64_t rows, int64_t columns, const std::vector<std::string>& of_rows,
           const std::vector<std::string>& of_columns, const HeatMapOptions& options)
      : cell(static_cast<double>(options.cell)) {
    if (!options.bare) row_labels = of_rows, column_labels = of_columns;
    column_label = longest(column_labels);
    leaning = column_label > cell - 2;
    left =
        (options.row_title.empty() ? 0 : 18) + (row_labels.empty() ? 1 : longest(row_labels) + 8);
    top = (options.column_title.empty() ? 0 : 18) + (column_labels.empty() ? 1
                                                     : leaning ? 0.77 * column_label + 14
                                                               : kFont + 6);
    width = cell * static_cast<double>(columns);
    height = cell * static_cast<double>(rows);
    scale = !row_labels.empty() || !column_labels.empty();
    scale_left = std::clamp(left, 14.0, 30.0);
    scale_top = top + height + 12;
  }
};

/// The labels and titles of rows and columns.
std::string draw_labels(const MapFrame& at, const HeatMapOptions& options) {
  std::string labels;
  for (size_t r = 0; r < at.row_labels.size(); ++r)
    labels += svg_text(at.left - 6, at.top + at.cell * (static_cast<double>(r) + 0.5) + 4,
                       shortened(at.row_labels[r], kLabelLength), "class=\"end\"");
  for (size_t c = 0; c < at.column_labels.size(); ++c) {
    const double x = at.left + at.cell * (static_cast<double>(c) + 0.5), y = at.top - 6;
    labels += svg_text(at.leaning ? x + 4 : x, y, shortened(at.column_labels[c], kLabelLength),
                       at.leaning ? "transform=\"rotate(-50 " + px(x + 4) + " " + px(y) + ")\""
                                  : "class=\"middle\"");
  }
  const double middle = at.top + at.height / 2;
  if (!options.row_title.empty())
    labels += svg_text(11, middle, options.row_title,
                       "class=\"muted middle\" transform=\"rotate(-90 11 " + px(middle) + ")\"");
  if (!options.column_title.empty())
    labels += svg_text(at.left + at.width / 2, 12, options.column_title, "class=\"muted middle\"");
  return labels;
}

/// The colours from 0 to `high`.
std::string draw_scale(const MapFrame& at, double high, const HeatMapOptions& options) {
  if (!at.scale) return "";
  std::string scale;
  for (int i = 0; i < 12; ++i)
    scale += "<rect class=\"heat\" x=\"" + px(at.scale_left + 8 * i) + "\" y=\"" +
             px(at.scale_top) + "\" width=\"8\" height=\"9\" fill-opacity=\"" + fixed(i / 11.0, 2) +
             "\"/>";
  return scale + svg_text(at.scale_left - 5, at.scale_top + 9, "0", "class=\"muted end\"") +
         svg_text(at.scale_left + 101, at.scale_top + 9, number(high, options), "class=\"muted\"");
}

}  // namespace

Svg heat_map(const std::vector<double>& values, int64_t rows, int64_t columns,
             const std::vector<std::string>& row_labels,
             const std::vector<std::string>& column_labels, const HeatMapOptions& options) {
  const auto fits = [](const auto& list, int64_t count) {
    return list.empty() || static_cast<int64_t>(list.size()) == count;
  };
  check(rows > 0 && columns > 0 && static_cast<int64_t>(values.size()) == rows * columns, "report",
        "a heat map of ", rows, " × ", columns, " with ", values.size(), " values");
  check(
      fits(row_labels, rows) && fits(column_labels, columns) && fits(options.texts, rows * columns),
      "report", "a heat map of ", rows, " × ", columns, " with ", row_labels.size(), " and ",
      column_labels.size(), " labels, ", options.texts.size(), " texts");

  const Shades shades = shades_of(values, options.high);
  const MapFrame at(rows, columns, row_labels, column_labels, options);
  const std::string cells =
      rows * columns <= kCellsWithTooltips && at.scale
          ? cells_with_tooltips(shades.shares, shades.clean, rows, columns, row_labels,
                                column_labels, options)
          : cells_by_shade(shades.shares, rows, columns, options.cell) +
                (options.bare
                     ? row_tooltips(shades.clean, rows, columns, row_labels, column_labels, options)
                     : "");
  const std::string frame = "<rect class=\"frame\" x=\"0\" y=\"0\" width=\"" + px(at.width) +
                            "\" height=\"" + px(at.height) + "\"/>";
  const double right = at.leaning ? 0.64 * at.column_label : 2;
  const double scale_width = at.scale ? at.scale_left + 101 + 60 : 0;
  return svg_of(std::max(at.left + at.width + right, scale_width),
                at.top + at.height + (at.scale ? 26 : 2), "map", options.label,
                draw_labels(at, options) + "<g transform=\"translate(" + px(at.left) + " " +
                    px(at.top) + ")\">" + cells + frame + "</g>" +
                    draw_scale(at, shades.high, options));
}

}  // namespace tarsier::zoo
