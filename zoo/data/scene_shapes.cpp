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

/// Whether a ray from `p` to the right crosses the outline an odd number of times.
bool inside(const std::vector<Point>& corners, Point p) {
  bool odd = false;
  for (size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point &a = corners[i], &b = corners[j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y))
      odd = !odd;
  }
  return odd;
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
  const auto covers = [&](Point p) {
    return label == 0 ? std::hypot(p.x - place.x, p.y - place.y) <= place.radius
                      : inside(corners, p);
  };
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x) {
      int hits = 0;
      for (int i = 0; i < kSamples * kSamples; ++i)
        hits += covers({static_cast<double>(out.left + x) + (i % kSamples + 0.5) / kSamples,
                        static_cast<double>(out.top + y) + (i / kSamples + 0.5) / kSamples});
      out.share.push_back(static_cast<double>(hits) / (kSamples * kSamples));
    }
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
