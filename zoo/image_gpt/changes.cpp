#include "zoo/image_gpt/changes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarsier::zoo::image_gpt {

namespace {

using Place = Bend::Place;

/// Between four neighbours, the weights of a cubic B-spline: `part` in [0, 1) of the way from the
/// second to the third. It is smooth, and as wide as a stroke: what was drawn as stairs of pixels
/// becomes a stroke again.
std::array<double, 4> spline(double part) {
  const double t = part, u = 1 - part;
  return {u * u * u / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * u * u + 3 * u * u * u) / 6,
          t * t * t / 6};
}

/// The smoothed drawing at a place; beyond the edge there is what the first pixel shows: paper.
double smoothed(const std::vector<uint8_t>& drawing, int64_t height, int64_t width, Place place) {
  const double y0 = std::floor(place.y), x0 = std::floor(place.x);
  const std::array<double, 4> down = spline(place.y - y0), right = spline(place.x - x0);
  const auto top = static_cast<int64_t>(y0) - 1, left = static_cast<int64_t>(x0) - 1;
  double value = 0;
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 4; ++j) {
      const int64_t y = top + i, x = left + j;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      value += down[static_cast<size_t>(i)] * right[static_cast<size_t>(j)] *
               drawing[inside ? static_cast<size_t>(y * width + x) : 0];
    }
  return value;
}

/// How the grid moves at a place of the picture, whose sides are parts of it from 0 to 1.
Place way_at(const Bend& bend, double part_down, double part_right) {
  const double y = part_down * (Bend::kPoints - 1), x = part_right * (Bend::kPoints - 1);
  const size_t i = std::min(static_cast<size_t>(y), Bend::kPoints - 2);
  const size_t j = std::min(static_cast<size_t>(x), Bend::kPoints - 2);
  const double down = y - static_cast<double>(i), right = x - static_cast<double>(j);
  const auto mixed = [&](double Place::*side) {
    const auto of = [&](size_t row, size_t column) { return bend.ways[row][column].*side; };
    return (1 - down) * ((1 - right) * of(i, j) + right * of(i, j + 1)) +
           down * ((1 - right) * of(i + 1, j) + right * of(i + 1, j + 1));
  };
  return {mixed(&Place::y), mixed(&Place::x)};
}

std::vector<uint8_t> shifted(const std::vector<uint8_t>& drawing, int64_t height, int64_t width,
                             int64_t down, int64_t right) {
  std::vector<uint8_t> out;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      out.push_back(
          drawing[static_cast<size_t>(std::clamp<int64_t>(y - down, 0, height - 1) * width +
                                      std::clamp<int64_t>(x - right, 0, width - 1))]);
  return out;
}

}  // namespace

std::vector<uint8_t> turned(const std::vector<uint8_t>& drawing, int64_t height, int64_t width,
                            int64_t way) {
  std::vector<uint8_t> out;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      int64_t from_y = (way & 2) != 0 ? height - 1 - y : y;
      int64_t from_x = (way & 1) != 0 ? width - 1 - x : x;
      if ((way & 4) != 0) std::swap(from_y, from_x);
      out.push_back(drawing[static_cast<size_t>(from_y * width + from_x)]);
    }
  return out;
}

Bend Bend::drawn(const Changes& limits, Dice& dice) {
  const auto around_zero = [&] { return 2 * dice.roll() - 1; };  // in [−1, 1)
  Bend bend;
  bend.angle = limits.rotate * around_zero() * std::numbers::pi / 180;
  bend.tall = std::pow(1 + limits.stretch, around_zero());
  bend.wide = std::pow(1 + limits.stretch, around_zero());
  bend.shear = limits.stretch * around_zero();
  for (auto& row : bend.ways)
    for (Place& way : row) {
      way.y = limits.wobble * around_zero();
      way.x = limits.wobble * around_zero();
    }
  return bend;
}

std::vector<uint8_t> bent(const std::vector<uint8_t>& drawing, int64_t height, int64_t width,
                          const Bend& bend) {
  if (bend == Bend{}) return drawing;
  const double cosine = std::cos(bend.angle), sine = std::sin(bend.angle);
  const Place last{static_cast<double>(height - 1), static_cast<double>(width - 1)};
  std::vector<uint8_t> out;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      // Where this pixel of the new drawing was in the old one: each change is undone.
      const double row = static_cast<double>(y), column = static_cast<double>(x);
      const Place way = way_at(bend, row / std::max(1.0, last.y), column / std::max(1.0, last.x));
      const double v = row - last.y / 2, u = column - last.x / 2;
      const double down = (cosine * v - sine * u) / bend.tall;
      const double right = (sine * v + cosine * u) / bend.wide + bend.shear * down;
      const Place from{last.y / 2 + down + way.y, last.x / 2 + right + way.x};
      out.push_back(static_cast<uint8_t>(std::lround(smoothed(drawing, height, width, from))));
    }
  return out;
}

std::vector<uint8_t> changed(std::vector<uint8_t> drawing, int64_t height, int64_t width,
                             const Changes& limits, Dice& dice, Told& told) {
  told = {};
  const int64_t down = dice.below(2 * limits.shift + 1) - limits.shift;
  const int64_t right = dice.below(2 * limits.shift + 1) - limits.shift;
  if (down != 0 || right != 0) drawing = shifted(drawing, height, width, down, right);
  if (dice.roll() < limits.bent) {
    told[0] = 1;
    drawing = bent(drawing, height, width, Bend::drawn(limits, dice));
  }
  if (dice.roll() < limits.turned) {
    const int64_t way = 1 + dice.below(height == width ? 7 : 3);
    told[static_cast<size_t>(way)] = 1;
    drawing = turned(drawing, height, width, way);
  }
  return drawing;
}

}  // namespace tarsier::zoo::image_gpt
