#pragma once
// Generated data for models that see: scenes of coloured shapes and digits, with boxes, masks and
// captions.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"
#include "../picture/picture.h"

namespace tarsier::zoo {

/// What can lie in a scene: circle, square, triangle, star, digit.
const std::vector<std::string>& scene_labels();

/// One thing in a scene. Its box is tight: every edge touches a pixel of the mask that is its own.
struct SceneObject {
  int64_t label = 0;  ///< an index of scene_labels()
  std::string name;   ///< "circle", or of a digit "7"
  std::string color;  ///< red, green, blue, yellow, purple, orange
  bool large = false;
  /// Pixels: columns x1 … x2 − 1 and rows y1 … y2 − 1, so that x2 − x1 is the width.
  int64_t x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// What a scene must be.
struct SceneOptions {
  int64_t height = 48, width = 48;  ///< at least 32
  int64_t max_objects = 3;          ///< 1 … 6; a scene has 1 … max_objects, all equally often
};

struct Scene {
  Picture picture;                   ///< 3 channels
  std::vector<SceneObject> objects;  ///< from the back to the front
  /// For each pixel 0, the background, or 1 + label of the foremost object that covers at least half
  /// of it; rows from the top.
  std::vector<uint8_t> mask;
  std::string caption;  ///< scene_caption(objects)
};

/// Scene `index` of the stream `key`; it depends on nothing else. Small objects are about a fifth of
/// the shorter side, large ones two fifths; they are turned a little, and antialiased, on a
/// background that is light or dark, plain or softly textured. Objects overlap little, and lie so
/// that the caption is clear. Throws Error("data") for options out of range.
Scene draw_scene(RandomKey key, uint64_t index, const SceneOptions& options = {});

/// What is there and how it lies, by the centres of the boxes. The objects alone determine it:
///   - equal things are counted: "two small red circles";
///   - between two kinds stands how the first lies to the second: above, below, left of or right of,
///     along the direction in which they are farther apart. Large things come first, then in the
///     order of scene_labels() and of the colours: "a large red circle below a small blue 7";
///   - more kinds are listed along the direction in which they are spread farther: "a small red
///     star, a large green 3 and two small blue squares from left to right" (or "top to bottom").
std::string scene_caption(const std::vector<SceneObject>& objects);

/// Whether another look could not read the caption differently: the kinds do not interlock along
/// the direction that it names, are `gap` pixels apart, and `gap` farther than across.
bool is_clear(const std::vector<SceneObject>& objects, double gap);

}  // namespace tarsier::zoo
