// Curves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "autograd/base/error.h"
#include "zoo/report/draw.h"

namespace tarsier::zoo {

namespace {

constexpr double kWidth = 420, kHeight = 250, kFont = 12;
constexpr int kColours = 6;  // classes s0 … s5 of the page's style
constexpr size_t kMarkedPoints = 40;

/// Whether distances to a number can be computed.
bool usable(double value) { return std::abs(value) < 1e100; }  // false for NaN

struct Tick {
  double value;
  std::string text;
};

/// The smallest of 1, 2 or 5 times a power of ten that fits at most `count` times into `range`.
double nice_step(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double times : {1.0, 2.0, 5.0})
    if (times * power >= rough * (1 - 1e-9)) return times * power;
  return 10 * power;
}

std::string tick_text(double value, double step) {
  const double size = std::max(std::abs(value), step);
  if (size >= 1e7 || step < 0.99e-4) return value == 0 ? "0" : short_number(value);
  if (step >= 1) return with_commas(std::llround(value));
  return fixed(value, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
}

struct AxisOptions {
  bool log = false;
  double margin = 0;      ///< fraction of the range left free at either end
  double least_step = 0;  ///< between two ticks: 1 where values are whole
};

/// Maps values to positions on an axis, from 0 to 1.
class Axis {
 public:
  /// An axis for the values between low and high.
  Axis(double low, double high, const AxisOptions& options)
      : log_(options.log), least_step_(options.least_step) {
    const double given = low;
    if (log_) low = std::log10(low), high = std::log10(high);
    if (high - low < 1e-12 * std::max({1e-200, std::abs(low), std::abs(high)})) {
      only_ = given;
      const double room = log_ ? 0.3 : low == 0 ? 1 : 0.1 * std::abs(low);
      low -= room;
      high += room;
    }
    low_ = low - options.margin * (high - low);
    high_ = high + options.margin * (high - low);
  }

  double at(double value) const {
    return ((log_ ? std::log10(value) : value) - low_) / (high_ - low_);
  }

  std::vector<Tick> ticks(int count) const {
    if (only_) return {{*only_, short_number(*only_)}};  // more ticks would suggest a range
    if (!log_) return linear_ticks(low_, high_, count);
    if (high_ - low_ < 0.7) return linear_ticks(std::pow(10, low_), std::pow(10, high_), count);
    std::vector<Tick> ticks;
    const double every = std::ceil((high_ - low_) / count);
    const bool between = high_ - low_ < 2.2;  // ticks at 2 and 5 times a power of ten as well
    for (double power = std::floor(low_); power <= high_; power += every) {
      for (const double times : {1.0, 2.0, 5.0}) {
        const double value = times * std::pow(10, power), place = std::log10(value);
        if ((times == 1 || between) && place >= low_ && place <= high_)
          ticks.push_back({value, short_number(value)});
      }
    }
    return ticks;
  }

 private:
  std::vector<Tick> linear_ticks(double low, double high, int count) const {
    std::vector<Tick> ticks;
    const double step = std::max(nice_step(high - low, count), least_step_);
    const double first = std::ceil(low / step);
    for (int i = 0; i <= count && (first + i) * step <= high; ++i) {
      const double value = (first + i) * step;
      ticks.push_back({value, tick_text(value, step)});
    }
    return ticks;
  }

  bool log_;
  double least_step_;
  std::optional<double> only_;  // the value, if there is only one
  double low_ = 0, high_ = 1;
};

/// The box of the lines, in pixels.
struct Frame {
  double left, top, right, bottom;
  double x(double share) const { return left + share * (right - left); }
  double y(double share) const { return bottom - share * (bottom - top); }
};

struct Place {
  double x, y;
  size_t point;
};

/// Whether point i of a series can be drawn.
bool drawn(const Series& series, size_t i, const ChartOptions& options) {
  return usable(series.x[i]) && usable(series.y[i]) && (!options.log_x || series.x[i] > 0) &&
         (!options.log_y || series.y[i] > 0);
}

/// The points that can be drawn, split at those that cannot.
std::vector<std::vector<Place>> pieces(const Series& series, const Axis& across, const Axis& up,
                                       const Frame& frame, const ChartOptions& options) {
  std::vector<std::vector<Place>> all(1);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (drawn(series, i, options)) {
      all.back().push_back({frame.x(across.at(series.x[i])), frame.y(up.at(series.y[i])), i});
    } else if (!all.back().empty()) {
      all.emplace_back();
    }
  }
  return all;
}

std::string draw_series(const Series& series, const std::vector<std::vector<Place>>& parts,
                        size_t colour, const std::string& x_label) {
  const std::string kind = concat("s", colour % kColours, series.faint ? " faint" : "");
  size_t points = 0;
  std::string path, marks;
  for (const std::vector<Place>& part : parts) {
    points += part.size();
    for (size_t i = 0; i < part.size(); ++i)
      path += concat(i == 0 ? "M" : i == 1 ? "L" : " ", px(part[i].x), " ", px(part[i].y));
    if (part.size() == 1) path += "h0.1";  // otherwise a single point would be invisible
  }
  if (points == 0) return "";
  if (points <= kMarkedPoints) {
    for (const std::vector<Place>& part : parts)
      for (const Place& place : part)
        marks += "<circle class=\"" + kind + "\" cx=\"" + px(place.x) + "\" cy=\"" + px(place.y) +
                 "\" r=\"2.6\"><title>" +
                 escape(series.name + " " + short_number(series.y[place.point]) + " at " + x_label +
                        " " + short_number(series.x[place.point])) +
                 "</title></circle>";
  }
  return "<path class=\"line " + kind + "\" d=\"" + path + "\"><title>" + escape(series.name) +
         "</title></path>" + marks;
}

/// The smallest and the largest of some numbers.
struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void take(double value) { low = std::min(low, value), high = std::max(high, value); }
};

/// The bounds of x and y of all points that can be drawn.
std::pair<Bounds, Bounds> bounds_of(const std::vector<Series>& series,
                                    const ChartOptions& options) {
  Bounds x, y;
  for (const Series& one : series) {
    check(one.x.size() == one.y.size(), "report", "series '", one.name, "' has ", one.x.size(),
          " x and ", one.y.size(), " y: give equally many");
    for (size_t i = 0; i < one.x.size(); ++i) {
      if (!drawn(one, i, options)) continue;
      x.take(one.x[i]), y.take(one.y[i]);
    }
  }
  return {x, y};
}

/// The names of several series, as many per row as fit, and where the lines may begin.
struct Legend {
  std::string markup;
  double bottom = 8;
};

Legend draw_legend(const std::vector<Series>& series) {
  if (series.size() <= 1) return {};
  std::string markup;
  double x = 2, y = 12;
  for (size_t i = 0; i < series.size(); ++i) {
    const std::string name = shortened(series[i].name, 40);
    const double width = 22 + text_width(name, kFont) + 14;
    if (x > 2 && x + width > kWidth) x = 2, y += 17;
    markup += concat("<path class=\"line s", i % kColours) + (series[i].faint ? " faint" : "") +
              "\" d=\"M" + px(x) + " " + px(y - 4) + "h16\"/>" + svg_text(x + 21, y, name, "");
    x += width;
  }
  return {markup, y + 12};
}

/// The lines and numbers of both axes, the label of x, and the marked line.
std::string draw_axes(const Frame& frame, const Axis& across, const Axis& up,
                      const std::vector<Tick>& y_ticks, const ChartOptions& options) {
  std::string grid;
  const auto draw_across = [&](const char* kind, double y) {
    grid += concat("<path class=\"", kind, "\" d=\"M") + px(frame.left) + " " + px(y) + "H" +
            px(frame.right) + "\"/>";
  };
  for (const Tick& tick : y_ticks) {
    const double y = frame.y(up.at(tick.value));
    draw_across("grid", y);
    grid += svg_text(frame.left - 6, y + 4, tick.text, "class=\"muted end\"");
  }
  for (const Tick& tick : across.ticks(5)) {
    const double x = frame.x(across.at(tick.value));
    // At the edge a label moves off its tick, or it would be cut off.
    const double half = text_width(tick.text, kFont) / 2;
    grid += "<path class=\"grid\" d=\"M" + px(x) + " " + px(frame.bottom) + "v4\"/>" +
            svg_text(std::clamp(x, half, kWidth - half), frame.bottom + 17, tick.text,
                     "class=\"muted middle\"");
  }
  grid += svg_text((frame.left + frame.right) / 2, kHeight - 4, options.x_label,
                   "class=\"muted middle\"");
  if (!usable(options.mark)) return grid;
  const double y = frame.y(up.at(options.mark));
  draw_across("mark", y);
  return grid + svg_text(frame.right, y + 14 < frame.bottom ? y + 14 : y - 5, options.mark_label,
                         "class=\"muted end\"");
}

}  // namespace

Svg line_chart(const std::vector<Series>& series, const ChartOptions& options) {
  auto [x, y] = bounds_of(series, options);
  if (x.low > x.high)
    return svg_of(kWidth, 60, "chart", options.label,
                  svg_text(kWidth / 2, 36, "nothing to draw yet", "class=\"muted middle\""));

  if (usable(options.mark)) y.take(options.mark);
  const Axis across(x.low, x.high, {.log = options.log_x, .least_step = 1});
  const Axis up(y.low, y.high, {.log = options.log_y, .margin = 0.04});
  const std::vector<Tick> y_ticks = up.ticks(6);
  double label_width = 0;
  for (const Tick& tick : y_ticks)
    label_width = std::max(label_width, text_width(tick.text, kFont));

  const Legend legend = draw_legend(series);
  const Frame frame{label_width + 10, legend.bottom, kWidth - 10, kHeight - 36};
  std::string lines;
  for (size_t i = 0; i < series.size(); ++i)
    lines +=
        draw_series(series[i], pieces(series[i], across, up, frame, options), i, options.x_label);
  return svg_of(kWidth, kHeight, "chart", options.label,
                draw_axes(frame, across, up, y_ticks, options) + lines + legend.markup);
}

Series thinned(const Series& series, int64_t buckets) {
  const auto size = static_cast<int64_t>(series.x.size());
  if (size <= 2 * buckets) return series;
  Series out{series.name, {}, {}, series.faint};
  const auto keep = [&](int64_t i) {
    out.x.push_back(series.x[static_cast<size_t>(i)]);
    out.y.push_back(series.y[static_cast<size_t>(i)]);
  };
  keep(0);
  for (int64_t b = 0; b < buckets; ++b) {
    const int64_t begin = 1 + b * (size - 2) / buckets, end = 1 + (b + 1) * (size - 2) / buckets;
    int64_t low = begin, high = begin;
    for (int64_t i = begin; i < end; ++i) {
      const double y = series.y[static_cast<size_t>(i)];
      if (!(series.y[static_cast<size_t>(low)] <= y)) low = i;  // also if that one is NaN
      if (!(series.y[static_cast<size_t>(high)] >= y)) high = i;
    }
    if (begin == end) continue;
    keep(std::min(low, high));
    if (low != high) keep(std::max(low, high));
  }
  keep(size - 1);
  return out;
}

}  // namespace tarsier::zoo
