// Matrices as colours.
#include <algorithm>
#include <array>
#include <cmath>

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

  std::vector<double> clean(values.size());
  double high = options.high;
  for (size_t i = 0; i < values.size(); ++i) {
    clean[i] = std::isfinite(values[i]) ? std::max(0.0, values[i]) : 0;
    if (options.high <= 0) high = std::max(high, clean[i]);
  }
  std::vector<double> shades(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    shades[i] = high > 0 ? std::min(1.0, clean[i] / high) : 0;

  const std::vector<std::string> none;
  const std::vector<std::string>& left_labels = options.bare ? none : row_labels;
  const std::vector<std::string>& above = options.bare ? none : column_labels;
  // Column labels are slanted if they do not fit over their cells.
  const auto cell = static_cast<double>(options.cell);
  const double column_label = longest(above);
  const bool leaning = column_label > cell - 2;
  const double row_title = options.row_title.empty() ? 0 : 18;
  const double left = row_title + (left_labels.empty() ? 1 : longest(left_labels) + 8);
  const double column_title = options.column_title.empty() ? 0 : 18;
  const double top = column_title + (above.empty() ? 1
                                     : leaning     ? 0.77 * column_label + 14
                                                   : kFont + 6);
  const double width = cell * static_cast<double>(columns);
  const double height = cell * static_cast<double>(rows);
  const bool scale = !left_labels.empty() || !above.empty();

  std::string labels;
  for (size_t r = 0; r < left_labels.size(); ++r)
    labels += svg_text(left - 6, top + cell * (static_cast<double>(r) + 0.5) + 4,
                       shortened(left_labels[r], kLabelLength), "class=\"end\"");
  for (size_t c = 0; c < above.size(); ++c) {
    const double x = left + cell * (static_cast<double>(c) + 0.5), y = top - 6;
    labels += svg_text(
        leaning ? x + 4 : x, y, shortened(above[c], kLabelLength),
        leaning ? "transform=\"rotate(-50 " + px(x + 4) + " " + px(y) + ")\"" : "class=\"middle\"");
  }
  if (row_title > 0)
    labels += svg_text(
        11, top + height / 2, options.row_title,
        "class=\"muted middle\" transform=\"rotate(-90 11 " + px(top + height / 2) + ")\"");
  if (column_title > 0)
    labels += svg_text(left + width / 2, 12, options.column_title, "class=\"muted middle\"");

  std::string legend;
  const double scale_left = std::clamp(left, 14.0, 30.0), scale_top = top + height + 12;
  if (scale) {
    for (int i = 0; i < 12; ++i)
      legend += "<rect class=\"heat\" x=\"" + px(scale_left + 8 * i) + "\" y=\"" + px(scale_top) +
                "\" width=\"8\" height=\"9\" fill-opacity=\"" + fixed(i / 11.0, 2) + "\"/>";
    legend += svg_text(scale_left - 5, scale_top + 9, "0", "class=\"muted end\"") +
              svg_text(scale_left + 101, scale_top + 9, number(high, options), "class=\"muted\"");
  }

  const std::string cells =
      rows * columns <= kCellsWithTooltips && scale
          ? cells_with_tooltips(shades, clean, rows, columns, row_labels, column_labels, options)
          : cells_by_shade(shades, rows, columns, options.cell) +
                (options.bare
                     ? row_tooltips(clean, rows, columns, row_labels, column_labels, options)
                     : "");
  const std::string frame = "<rect class=\"frame\" x=\"0\" y=\"0\" width=\"" + px(width) +
                            "\" height=\"" + px(height) + "\"/>";
  const double right = leaning ? 0.64 * column_label : 2;
  const double scale_width = scale ? scale_left + 101 + 60 : 0;
  return svg_of(std::max(left + width + right, scale_width), top + height + (scale ? 26 : 2), "map",
                options.label,
                labels + "<g transform=\"translate(" + px(left) + " " + px(top) + ")\">" + cells +
                    frame + "</g>" + legend);
}

}  // namespace tarsier::zoo
