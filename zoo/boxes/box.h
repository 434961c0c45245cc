#pragma once
// A box around an object in a picture.

#include <algorithm>

namespace tarsier::zoo {

/// The rectangle from (x1, y1), its upper left corner, to (x2, y2), in pixels from the picture's
/// upper left corner. Its right and lower edge lie at x2 and y2: it is x2 − x1 wide. Empty if that
/// or its height is not above 0.
struct Box {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  double width() const { return std::max(0.0, x2 - x1); }
  double height() const { return std::max(0.0, y2 - y1); }
  double area() const { return width() * height(); }

  friend bool operator==(const Box&, const Box&) = default;
};

/// What two boxes share.
inline Box intersection(const Box& a, const Box& b) {
  return {std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)};
}

/// The area that two boxes share, divided by the area that they cover together: 0 to 1. 0 for two
/// empty boxes, and for boxes that only touch.
inline double iou(const Box& a, const Box& b) {
  const double shared = intersection(a, b).area(), both = a.area() + b.area() - shared;
  return both > 0 ? shared / both : 0;
}

}  // namespace tarsier::zoo
