#include "zoo/data/scenes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "autograd/base/error.h"
#include "zoo/data/dice.h"
#include "zoo/data/scene_colors.h"
#include "zoo/data/scene_shapes.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kDigit = 4;  // the label

/// An object and the pixels that it covers.
struct Drawn {
  SceneObject object;
  Coverage coverage;
  std::array<double, 3> rgb{};
};

double between(Dice& dice, double low, double high) { return low + (high - low) * dice.roll(); }

/// What an object is; where it lies comes later.
SceneObject drawn_object(Dice& dice) {
  SceneObject object;
  object.label = dice.below(static_cast<int64_t>(scene_labels().size()));
  const int64_t digit = dice.below(10);
  object.name = object.label == kDigit ? std::to_string(digit)
                                       : scene_labels()[static_cast<size_t>(object.label)];
  object.color = dice.one_of(kSceneColors).name;
  object.large = dice.below(2) == 1;
  return object;
}

/// One to `max` objects; now and then one is like the one before it.
std::vector<SceneObject> drawn_objects(Dice& dice, int64_t max) {
  std::vector<SceneObject> objects;
  for (int64_t left = 1 + dice.below(max); left > 0; --left) {
    const bool again = dice.roll() < 0.25;
    const SceneObject fresh = drawn_object(dice);
    objects.push_back(again && !objects.empty() ? objects.back() : fresh);
  }
  return objects;
}

/// The object somewhere inside the picture.
Drawn placed(const SceneObject& object, Dice& dice, const SceneOptions& options) {
  const auto height = static_cast<double>(options.height),
             width = static_cast<double>(options.width);
  const double side = std::min(height, width);
  const double extent =
      side * (object.large ? between(dice, 0.34, 0.42) : between(dice, 0.21, 0.26));
  ShapePlace place{.radius = extent / 2};
  if (object.label != 0 && object.label != kDigit) place.radius *= 1.15;  // look as large
  place.x = between(dice, place.radius, width - place.radius);
  place.y = between(dice, place.radius, height - place.radius);
  place.angle = between(dice, -0.25, 0.25);
  const auto hand = static_cast<uint64_t>(dice.below(int64_t{1} << 53));
  Drawn out{object,
            object.label == kDigit ? digit_coverage(object.name[0] - '0', hand, place)
                                   : shape_coverage(object.label, place),
            {}};
  const auto& base = kSceneColors[static_cast<size_t>(scene_color(object.color))].rgb;
  for (size_t c = 0; c < 3; ++c) out.rgb[c] = base[c] + between(dice, -15, 15);
  return out;
}

/// The value of `coverage` at a pixel of the picture; 0 outside.
double share_at(const Coverage& coverage, int64_t x, int64_t y) {
  x -= coverage.left, y -= coverage.top;
  if (x < 0 || y < 0 || x >= coverage.width || y >= coverage.height) return 0;
  return coverage.share[static_cast<size_t>(y * coverage.width + x)];
}

/// For each pixel 0, or 1 + the foremost object that covers at least half of it. Nothing if an
/// object crosses the edge, or others hide more than a tenth of it.
std::optional<std::vector<uint8_t>> owners(const std::vector<Drawn>& all,
                                           const SceneOptions& options) {
  std::vector<uint8_t> owner(static_cast<size_t>(options.height * options.width), 0);
  std::vector<int64_t> own(all.size(), 0), seen(all.size(), 0);
  for (size_t i = 0; i < all.size(); ++i) {
    const Coverage& part = all[i].coverage;
    for (int64_t y = part.top; y < part.top + part.height; ++y)
      for (int64_t x = part.left; x < part.left + part.width; ++x) {
        if (share_at(part, x, y) < 0.5) continue;
        if (x < 0 || y < 0 || x >= options.width || y >= options.height) return std::nullopt;
        owner[static_cast<size_t>(y * options.width + x)] = static_cast<uint8_t>(i + 1);
        ++own[i];
      }
  }
  for (const uint8_t i : owner)
    if (i > 0) ++seen[i - 1u];
  for (size_t i = 0; i < all.size(); ++i)
    if (own[i] == 0 || 10 * seen[i] < 9 * own[i]) return std::nullopt;
  return owner;
}

/// Sets each box to the pixels that the object owns.
void set_boxes(std::vector<SceneObject>& objects, const std::vector<uint8_t>& owner,
               const SceneOptions& options) {
  for (SceneObject& object : objects)
    object.x1 = options.width, object.y1 = options.height, object.x2 = object.y2 = 0;
  for (int64_t y = 0; y < options.height; ++y)
    for (int64_t x = 0; x < options.width; ++x) {
      const uint8_t i = owner[static_cast<size_t>(y * options.width + x)];
      if (i == 0) continue;
      SceneObject& object = objects[i - 1u];
      object.x1 = std::min(object.x1, x), object.y1 = std::min(object.y1, y);
      object.x2 = std::max(object.x2, x + 1), object.y2 = std::max(object.y2, y + 1);
    }
}

bool overlap_much(const SceneObject& a, const SceneObject& b) {
  const int64_t width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1),
                height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const auto area = [](const SceneObject& o) { return (o.x2 - o.x1) * (o.y2 - o.y1); };
  return width > 0 && height > 0 && 10 * width * height > std::min(area(a), area(b));
}

/// Levels from 0 to 255 that change softly: between `steps` · `steps` random ones, in [−1, 1].
class Texture {
 public:
  Texture(Dice& dice, int64_t steps) : steps_(steps) {
    for (int64_t i = 0; i < steps * steps; ++i) levels_.push_back(between(dice, -1, 1));
  }
  /// At (x, y) in [0, 1).
  double at(double x, double y) const {
    const double gx = x * static_cast<double>(steps_ - 1), gy = y * static_cast<double>(steps_ - 1);
    const auto column = static_cast<int64_t>(gx), row = static_cast<int64_t>(gy);
    const double right = gx - static_cast<double>(column), down = gy - static_cast<double>(row);
    const auto level = [&](int64_t r, int64_t c) {
      return levels_[static_cast<size_t>(r * steps_ + c)];
    };
    return (1 - down) * ((1 - right) * level(row, column) + right * level(row, column + 1)) +
           down * ((1 - right) * level(row + 1, column) + right * level(row + 1, column + 1));
  }

 private:
  int64_t steps_;
  std::vector<double> levels_;
};

Picture painted(const std::vector<Drawn>& all, Dice& dice, const SceneOptions& options) {
  Picture out{3, options.height, options.width, {}};
  out.pixels.resize(static_cast<size_t>(out.numel()));
  const double ground = dice.below(2) == 1 ? between(dice, 215, 245) : between(dice, 15, 50);
  const std::array tinge = {between(dice, -8, 8), between(dice, -8, 8), between(dice, -8, 8)};
  const double strength = dice.below(2) == 1 ? between(dice, 5, 25) : 0;
  const Texture texture(dice, 3 + dice.below(6));
  const double grain = between(dice, 0, 6);
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x) {
      const double soft =
          strength * texture.at(static_cast<double>(x) / static_cast<double>(out.width),
                                static_cast<double>(y) / static_cast<double>(out.height));
      for (size_t c = 0; c < 3; ++c) {
        double level = ground + tinge[c] + soft;
        for (const Drawn& one : all) {
          const double share = share_at(one.coverage, x, y);
          level += share * (one.rgb[c] - level);
        }
        level += grain * between(dice, -1, 1);
        out.at(static_cast<int64_t>(c), y, x) =
            static_cast<uint8_t>(std::lround(std::clamp(level, 0.0, 255.0)));
      }
    }
  return out;
}

/// The objects laid out once; nothing if they overlap, or their caption would be unclear.
std::optional<Scene> attempted(const std::vector<SceneObject>& objects, Dice& dice,
                               const SceneOptions& options) {
  std::vector<Drawn> all;
  for (const SceneObject& object : objects) all.push_back(placed(object, dice, options));
  const std::optional<std::vector<uint8_t>> owner = owners(all, options);
  if (!owner) return std::nullopt;
  Scene scene;
  scene.objects = objects;
  set_boxes(scene.objects, *owner, options);
  for (size_t i = 0; i < objects.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (overlap_much(scene.objects[i], scene.objects[j])) return std::nullopt;
  const auto side = static_cast<double>(std::min(options.height, options.width));
  if (!is_clear(scene.objects, 0.07 * side)) return std::nullopt;
  for (const uint8_t i : *owner)
    scene.mask.push_back(i == 0 ? uint8_t{0}
                                : static_cast<uint8_t>(1 + scene.objects[i - 1u].label));
  scene.picture = painted(all, dice, options);
  scene.caption = scene_caption(scene.objects);
  return scene;
}

}  // namespace

const std::vector<std::string>& scene_labels() {
  static const std::vector<std::string> labels = {"circle", "square", "triangle", "star", "digit"};
  return labels;
}

Scene draw_scene(RandomKey key, uint64_t index, const SceneOptions& options) {
  check(options.height >= 32 && options.width >= 32, "data", "a scene of ", options.height, " × ",
        options.width, " pixels; at least 32 × 32 are needed");
  check(options.max_objects >= 1 && options.max_objects <= 6, "data", "scenes of up to ",
        options.max_objects, " objects; 1 to 6 fit");
  Dice dice(key, index << 32);  // far more numbers than a scene takes
  std::vector<SceneObject> objects = drawn_objects(dice, options.max_objects);
  // One object can always be placed.
  for (int64_t attempt = 1;; ++attempt) {
    if (std::optional<Scene> scene = attempted(objects, dice, options)) return *std::move(scene);
    if (attempt % 200 == 0 && objects.size() > 1) objects.pop_back();
  }
}

}  // namespace tarsier::zoo
