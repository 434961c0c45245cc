#include "zoo/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;
using Drawing = std::vector<Stroke>;

/// The ways to write each digit, in a box from (0, 0) at the top left to (1, 1). A point that is
/// given twice is a corner.
const std::array<std::vector<Drawing>, 10> kShapes = {{
    /* 0 */ {{{{.5, 0},
               {.15, .2},
               {.05, .5},
               {.15, .8},
               {.5, 1},
               {.85, .8},
               {.95, .5},
               {.85, .2},
               {.5, 0}}}},
    /* 1 */
    {{{{.5, 0}, {.5, 1}}},
     {{{.25, .25}, {.55, 0}, {.55, 0}, {.55, 1}}},
     {{{.25, .25}, {.5, 0}, {.5, 0}, {.5, 1}}, {{.2, 1}, {.8, 1}}}},
    /* 2 */
    {{{{.1, .25},
       {.25, .05},
       {.55, 0},
       {.85, .15},
       {.85, .4},
       {.55, .7},
       {.1, 1},
       {.1, 1},
       {.95, 1}}},
     {{{.1, .2},
       {.5, 0},
       {.85, .25},
       {.55, .7},
       {.2, .95},
       {.1, .85},
       {.3, .8},
       {.6, .95},
       {.95, .95}}}},
    /* 3 */
    {{{{.1, .12},
       {.5, 0},
       {.85, .2},
       {.7, .42},
       {.4, .48},
       {.4, .48},
       {.75, .53},
       {.92, .75},
       {.6, 1},
       {.1, .88}}}},
    /* 4 */
    {{{{.65, 0}, {.05, .65}, {.05, .65}, {.95, .65}}, {{.65, 0}, {.65, 1}}},
     {{{.15, 0}, {.1, .5}, {.1, .5}, {.85, .5}}, {{.8, 0}, {.75, 1}}}},
    /* 5 */
    {{{{.85, 0},
       {.2, 0},
       {.2, 0},
       {.15, .42},
       {.15, .42},
       {.55, .36},
       {.9, .6},
       {.75, .92},
       {.4, 1},
       {.05, .88}}}},
    /* 6 */
    {{{{.75, 0},
       {.35, .2},
       {.08, .65},
       {.25, .95},
       {.6, 1},
       {.9, .78},
       {.7, .52},
       {.35, .55},
       {.1, .75}}}},
    /* 7 */
    {{{{.05, 0}, {.95, 0}, {.95, 0}, {.6, .5}, {.4, 1}}},
     {{{.05, .02}, {.9, 0}, {.9, 0}, {.4, 1}}, {{.3, .5}, {.85, .48}}}},
    /* 8 */
    {{{{.5, .46},
       {.17, .25},
       {.5, 0},
       {.83, .25},
       {.5, .46},
       {.08, .75},
       {.5, 1},
       {.92, .75},
       {.5, .46}}}},
    /* 9 */
    {{{{.85, .3},
       {.55, .5},
       {.15, .4},
       {.15, .12},
       {.5, 0},
       {.82, .12},
       {.85, .3},
       {.75, .7},
       {.55, 1}}},
     {{{.85, .05}, {.45, 0}, {.12, .25}, {.35, .5}, {.82, .3}, {.88, .05}, {.88, .05}, {.85, 1}}}},
}};

/// The curve through the points as many short lines: between p₁ and p₂, with neighbours p₀ and p₃,
///   p(t) = ½ (2p₁ + (p₂ − p₀) t + (2p₀ − 5p₁ + 4p₂ − p₃) t² + (3p₁ − p₀ − 3p₂ + p₃) t³).
/// Source: Catmull and Rom 1974, "A class of local interpolating splines".
Stroke smooth(const Stroke& points) {
  constexpr int kSteps = 6;
  const auto spline = [](double a, double b, double c, double d, double t) {
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t +
                  (3 * b - a - 3 * c + d) * t * t * t);
  };
  Stroke out = {points[0]};
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const Point &p1 = points[i], &p2 = points[i + 1];
    const Point &p0 = points[i == 0 ? 0 : i - 1], &p3 = points[std::min(i + 2, points.size() - 1)];
    for (int step = 1; step <= kSteps; ++step) {
      const double t = static_cast<double>(step) / kSteps;
      out.push_back({spline(p0.x, p1.x, p2.x, p3.x, t), spline(p0.y, p1.y, p2.y, p3.y, t)});
    }
  }
  return out;
}

/// The square of the distance from `p` to the line from `a` to `b`.
double distance_squared(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  const double along = length == 0 ? 0 : ((p.x - a.x) * dx + (p.y - a.y) * dy) / length;
  const double t = std::clamp(along, 0.0, 1.0);
  const double x = a.x + t * dx - p.x, y = a.y + t * dy - p.y;
  return x * x + y * y;
}

/// The random numbers of one picture, in sequence.
class Draws {
 public:
  Draws(RandomKey key, uint64_t first) : key_(key), next_(first) {}
  double between(double low, double high) {
    return low + (high - low) * uniform<double>(key_, next_++);
  }

 private:
  RandomKey key_;
  uint64_t next_;
};

/// How one digit is written: sizes in pixels.
struct Hand {
  double width, height, slant, angle, middle_x, middle_y;
  double pen;  // half its width
  double strength, noise;
};

Hand drawn_hand(Draws& draw, double pixels) {
  Hand hand{};
  hand.width = draw.between(0.34, 0.52) * pixels;
  hand.height = draw.between(0.58, 0.76) * pixels;
  hand.slant = draw.between(-0.15, 0.4);
  hand.angle = draw.between(-0.2, 0.2);
  hand.middle_x = (0.5 + draw.between(-0.06, 0.06)) * pixels;
  hand.middle_y = (0.5 + draw.between(-0.06, 0.06)) * pixels;
  hand.pen = draw.between(0.022, 0.062) * pixels;
  hand.strength = draw.between(0.7, 1.0);
  hand.noise = draw.between(0, 0.08);
  return hand;
}

/// The strokes of `shape` by that hand, each point shaken a little.
std::vector<Stroke> written(const Drawing& shape, const Hand& hand, Draws& draw) {
  std::vector<Stroke> strokes;
  for (const Stroke& points : shape) {
    Stroke moved;
    Point shaken{}, before{-1, -1};
    for (const Point& point : points) {
      // Both points of a corner move together.
      if (point.x != before.x || point.y != before.y)
        shaken = {point.x + draw.between(-0.07, 0.07), point.y + draw.between(-0.05, 0.05)};
      before = point;
      const double y = (shaken.y - 0.5) * hand.height;
      const double x = (shaken.x - 0.5) * hand.width - hand.slant * y;
      moved.push_back({hand.middle_x + x * std::cos(hand.angle) - y * std::sin(hand.angle),
                       hand.middle_y + x * std::sin(hand.angle) + y * std::cos(hand.angle)});
    }
    strokes.push_back(smooth(moved));
  }
  return strokes;
}

/// Moves a digit that crosses the edge inside, and shrinks it if it does not fit. The pen reaches
/// `reach` far.
void fit_in(std::vector<Stroke>& strokes, double pixels, double reach) {
  Point low{pixels, pixels}, high{0, 0};
  for (const Stroke& stroke : strokes)
    for (const Point& p : stroke) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const auto inside = [&](double& v, double from, double to) {
    const double room = pixels - 2 * reach;
    const double scale = std::min(1.0, room / std::max(to - from, 1e-9));
    const double begin =
        std::clamp(from, reach, std::max(reach, pixels - reach - scale * (to - from)));
    v = begin + scale * (v - from);
  };
  for (Stroke& stroke : strokes)
    for (Point& p : stroke) inside(p.x, low.x, high.x), inside(p.y, low.y, high.y);
}

/// The square of each pixel's distance to the strokes, where the pen can reach it.
std::vector<double> distances_squared(const std::vector<Stroke>& strokes, int64_t size,
                                      double reach) {
  std::vector<double> nearest(static_cast<size_t>(size * size), reach * reach);
  const double last = static_cast<double>(size) - 1;
  const auto pixel = [&](double v) { return static_cast<int64_t>(std::clamp(v, 0.0, last)); };
  for (const Stroke& stroke : strokes)
    for (size_t i = 0; i + 1 < stroke.size(); ++i) {
      const Point &a = stroke[i], &b = stroke[i + 1];
      for (int64_t y = pixel(std::min(a.y, b.y) - reach); y <= pixel(std::max(a.y, b.y) + reach);
           ++y)
        for (int64_t x = pixel(std::min(a.x, b.x) - reach); x <= pixel(std::max(a.x, b.x) + reach);
             ++x) {
          double& found = nearest[static_cast<size_t>(y * size + x)];
          const Point here{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
          found = std::min(found, distance_squared(here, a, b));
        }
    }
  return nearest;
}

}  // namespace

Picture draw_digit(int digit, RandomKey key, uint64_t index, int64_t size) {
  check(digit >= 0 && digit <= 9, "data", digit, " is not a digit");
  check(size >= 8, "data", "a digit of ", size, " × ", size, " pixels; at least 8 × 8 are needed");
  // More numbers than a picture needs: up to 60 for its strokes, and one per pixel.
  Draws draw(key, index * static_cast<uint64_t>(128 + size * size));

  const std::vector<Drawing>& ways = kShapes[static_cast<size_t>(digit)];
  const Drawing& shape =
      ways[static_cast<size_t>(draw.between(0, static_cast<double>(ways.size())))];
  const double pixels = static_cast<double>(size);
  const Hand hand = drawn_hand(draw, pixels);
  const double reach = hand.pen + 0.5;
  std::vector<Stroke> strokes = written(shape, hand, draw);
  fit_in(strokes, pixels, reach);

  Picture out{1, size, size, {}};
  for (double distance : distances_squared(strokes, size, reach)) {
    // The edge of the pen fades over one pixel.
    const double ink = std::clamp(reach - std::sqrt(distance), 0.0, 1.0) * hand.strength;
    const double level = ink + hand.noise * draw.between(-1, 1);
    out.pixels.push_back(static_cast<uint8_t>(std::lround(255 * std::clamp(level, 0.0, 1.0))));
  }
  return out;
}

Images draw_digits(int64_t count, RandomKey key, int64_t size) {
  Images out;
  for (int64_t i = 0; i < count; ++i) {
    const auto digit = static_cast<int>(i % 10);
    out.append(draw_digit(digit, key, static_cast<uint64_t>(i), size), digit);
  }
  return out;
}

ImageFolder digits_folder() {
  ImageFolder folder{.train = draw_digits(6000, {1, 0}),
                     .val = {},
                     .test = draw_digits(1000, {2, 0}),
                     .names = {},
                     .signs = true};
  for (int digit = 0; digit < 10; ++digit) folder.names.push_back(std::to_string(digit));
  return folder;
}

}  // namespace tarsier::zoo
