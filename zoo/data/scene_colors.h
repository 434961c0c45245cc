#pragma once
// The colours of generated scenes.

#include <array>
#include <cstdint>
#include <string_view>

namespace tarsier::zoo {

struct SceneColor {
  std::string_view name;
  std::array<int, 3> rgb;
};

constexpr std::array<SceneColor, 6> kSceneColors = {{{"red", {214, 40, 45}},
                                                     {"green", {45, 165, 65}},
                                                     {"blue", {45, 90, 220}},
                                                     {"yellow", {240, 215, 35}},
                                                     {"purple", {150, 55, 180}},
                                                     {"orange", {245, 135, 25}}}};

/// The place of a name among the colours; their number for any other name.
constexpr int64_t scene_color(std::string_view name) {
  int64_t place = 0;
  for (const SceneColor& color : kSceneColors) {
    if (color.name == name) break;
    ++place;
  }
  return place;
}

}  // namespace tarsier::zoo
