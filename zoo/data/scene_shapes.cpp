#include "zoo/data/scene_shapes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/base/error.h"
#include "zoo/data/digits.h"

namespace tarsier::zoo {

namespace {

struct Point {
  double x, y;
};

/// The corners of a regular star with `points` points; those between them are `inner` · radius from
/// the centre. inner = 1 gives a regular polygon with twice as many corners.
std::vector<Point> star(int points, double inner, const ShapePlace& place) {
  std::vector<Point> corners;
  for (int i = 0; i < 2 * points; ++i) {
    const double radius = i % 2 == 0 ? place.radius : inner * place.radius;
    const double angle = place.angle + std::numbers::pi * i / points;
    corners.push_back({place.x + radius * std::sin(angle), place.y - radius * std::cos(angle)});
  }
  return corners;
}

/// Where the outline crosses the height y. A point there is inside if an odd number of the crossings
/// lies to its right.
std::vector<double> crossings(const std::vector<Point>& corners, double y) {
  std::vector<double> out;
  for (size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point &a = corners[i], &b = corners[j];
    if ((a.y > y) != (b.y > y)) out.push_back(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
  }
  return out;
}

/// The same of a circle.
std::vector<double> crossings(const ShapePlace& circle, double y) {
  const double half = circle.radius * circle.radius - (y - circle.y) * (y - circle.y);
  if (half < 0) return {};
  return {circle.x - std::sqrt(half), circle.x + std::sqrt(half)};
}

std::vector<Point> corners_of(int64_t label, const ShapePlace& place) {
  ShapePlace turned = place;
  switch (label) {
    case 1:  // corners at 45°
      turned.angle += std::numbers::pi / 4;
      return star(2, 1, turned);
    case 2:  // three points, the others in the middle of the sides
      return star(3, 0.5, place);
    default:
      return star(5, 0.45, place);
  }
}

}  // namespace

Coverage shape_coverage(int64_t label, const ShapePlace& place) {
  check(label >= 0 && label <= 3, "data", "shape ", label, " is none of 4");
  constexpr int kSamples = 4;  // along each side of a pixel
  Coverage out;
  out.left = static_cast<int64_t>(std::floor(place.x - place.radius));
  out.top = static_cast<int64_t>(std::floor(place.y - place.radius));
  out.width = static_cast<int64_t>(std::ceil(place.x + place.radius)) - out.left;
  out.height = static_cast<int64_t>(std::ceil(place.y + place.radius)) - out.top;
  const std::vector<Point> corners = label == 0 ? std::vector<Point>{} : corners_of(label, place);
  std::vector<int> hits(static_cast<size_t>(out.width * out.height), 0);
  for (int64_t row = 0; row < kSamples * out.height; ++row) {
    const double y = static_cast<double>(out.top) + (static_cast<double>(row) + 0.5) / kSamples;
    const std::vector<double> edges = label == 0 ? crossings(place, y) : crossings(corners, y);
    for (int64_t column = 0; column < kSamples * out.width; ++column) {
      const double x =
          static_cast<double>(out.left) + (static_cast<double>(column) + 0.5) / kSamples;
      bool inside = false;
      for (const double edge : edges) inside ^= x < edge;
      hits[static_cast<size_t>(row / kSamples * out.width + column / kSamples)] += inside;
    }
  }
  for (const int count : hits)
    out.share.push_back(static_cast<double>(count) / (kSamples * kSamples));
  return out;
}

Coverage digit_coverage(int digit, uint64_t hand, const ShapePlace& place) {
  // A digit fills about two thirds of its picture's height.
  const auto size = std::max<int64_t>(8, std::lround(3 * place.radius));
  const Picture drawn = draw_digit(digit, {hand, 0}, 0, size);
  const double half = static_cast<double>(size) / 2;
  Coverage out{std::lround(place.x - half), std::lround(place.y - half), size, size, {}};
  // draw_digit() adds noise of up to 0.08 and has strokes of 0.7 … 1: here neither.
  for (const uint8_t level : drawn.pixels)
    out.share.push_back(std::clamp((level / 255.0 - 0.1) / 0.4, 0.0, 1.0));
  return out;
}

}  // namespace tarsier::zoo
