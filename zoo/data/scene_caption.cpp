// Captions of generated scenes.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

#include "autograd/base/error.h"
#include "zoo/data/scene_colors.h"
#include "zoo/data/scenes.h"

namespace tarsier::zoo {

namespace {

/// Equal things: what they are, and where, across (0) and down (1).
struct Kind {
  SceneObject first;
  int64_t count = 0;
  std::array<double, 2> sum{};
  std::array<double, 2> low{std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  std::array<double, 2> high{};

  double center(size_t axis) const { return sum[axis] / static_cast<double>(count); }
  void add(const SceneObject& object) {
    const std::array at = {static_cast<double>(object.x1 + object.x2) / 2,
                           static_cast<double>(object.y1 + object.y2) / 2};
    for (const size_t axis : {0, 1}) {
      sum[axis] += at[axis];
      low[axis] = std::min(low[axis], at[axis]);
      high[axis] = std::max(high[axis], at[axis]);
    }
    ++count;
  }
};

auto rank(const SceneObject& object) {
  return std::tuple(!object.large, object.label, scene_color(object.color), object.name);
}

/// The kinds, each once, in the order of a caption with one or two of them.
std::vector<Kind> kinds_of(const std::vector<SceneObject>& objects) {
  std::vector<Kind> kinds;
  for (const SceneObject& object : objects) {
    const auto same = [&](const Kind& kind) { return rank(kind.first) == rank(object); };
    auto found = std::find_if(kinds.begin(), kinds.end(), same);
    if (found == kinds.end()) found = kinds.insert(kinds.end(), Kind{.first = object});
    found->add(object);
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const Kind& a, const Kind& b) { return rank(a.first) < rank(b.first); });
  return kinds;
}

/// How far the centres of the kinds are apart across (0) or down (1).
double spread(const std::vector<Kind>& kinds, size_t axis) {
  const auto less = [&](const Kind& a, const Kind& b) { return a.center(axis) < b.center(axis); };
  const auto [low, high] = std::minmax_element(kinds.begin(), kinds.end(), less);
  return high->center(axis) - low->center(axis);
}

size_t main_axis(const std::vector<Kind>& kinds) {
  return spread(kinds, 0) >= spread(kinds, 1) ? 0 : 1;
}

void sort_along(std::vector<Kind>& kinds, size_t axis) {
  std::stable_sort(kinds.begin(), kinds.end(),
                   [&](const Kind& a, const Kind& b) { return a.center(axis) < b.center(axis); });
}

/// "a small red circle", "two large blue 7s".
std::string phrase(const Kind& kind) {
  constexpr std::array kNumbers = {"a", "two", "three", "four", "five", "six"};
  return concat(kNumbers[static_cast<size_t>(std::min<int64_t>(kind.count, 6) - 1)], ' ',
                kind.first.large ? "large" : "small", ' ', kind.first.color, ' ', kind.first.name,
                kind.count == 1 ? "" : "s");
}

}  // namespace

std::string scene_caption(const std::vector<SceneObject>& objects) {
  std::vector<Kind> kinds = kinds_of(objects);
  if (kinds.empty()) return "nothing";
  if (kinds.size() == 1) return phrase(kinds[0]);
  const size_t axis = main_axis(kinds);
  if (kinds.size() == 2) {
    constexpr const char* kBefore[] = {"left of", "above"};
    constexpr const char* kBehind[] = {"right of", "below"};
    const bool before = kinds[0].center(axis) < kinds[1].center(axis);
    return concat(phrase(kinds[0]), ' ', (before ? kBefore : kBehind)[axis], ' ', phrase(kinds[1]));
  }
  sort_along(kinds, axis);
  std::string text;
  for (size_t i = 0; i < kinds.size(); ++i)
    text += concat(i == 0 ? "" : i + 1 < kinds.size() ? ", " : " and ", phrase(kinds[i]));
  return text + (axis == 0 ? " from left to right" : " from top to bottom");
}

bool is_clear(const std::vector<SceneObject>& objects, double gap) {
  std::vector<Kind> kinds = kinds_of(objects);
  if (kinds.size() < 2) return true;
  const size_t axis = main_axis(kinds);
  if (spread(kinds, axis) < spread(kinds, 1 - axis) + gap) return false;
  sort_along(kinds, axis);
  for (size_t i = 0; i + 1 < kinds.size(); ++i)
    if (kinds[i].high[axis] + gap > kinds[i + 1].low[axis]) return false;
  return true;
}

}  // namespace tarsier::zoo
