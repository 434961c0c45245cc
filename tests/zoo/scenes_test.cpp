// Generated scenes: objects, boxes, masks and captions agree with the picture.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "tests/error_of.h"
#include "zoo/data/scene_shapes.h"
#include "zoo/data/scenes.h"

namespace tarsier::zoo {
namespace {

SceneObject object(const std::string& name, const std::string& color, bool large, int64_t x,
                   int64_t y) {
  const auto& labels = scene_labels();
  const auto found = std::find(labels.begin(), labels.end(), name);
  const int64_t label = found == labels.end() ? 4 : found - labels.begin();
  return {label, name, color, large, x, y, x + 4, y + 4};
}

TEST_CASE("a caption says what is there and how it lies") {
  const SceneObject red = object("circle", "red", true, 10, 10);
  const auto blue_at = [](int64_t x, int64_t y) { return object("7", "blue", false, x, y); };
  CHECK(scene_caption({red}) == "a large red circle");
  CHECK(scene_caption({red, blue_at(12, 30)}) == "a large red circle above a small blue 7");
  CHECK(scene_caption({blue_at(8, 0), red}) == "a large red circle below a small blue 7");
  CHECK(scene_caption({red, blue_at(30, 12)}) == "a large red circle left of a small blue 7");
  CHECK(scene_caption({red, blue_at(0, 12)}) == "a large red circle right of a small blue 7");
  CHECK(scene_caption({blue_at(0, 0), blue_at(30, 30)}) == "two small blue 7s");
  CHECK(scene_caption({blue_at(0, 0), red, blue_at(20, 3)}) ==
        "a large red circle below two small blue 7s");
  const SceneObject star = object("star", "green", false, 20, 40);
  CHECK(scene_caption({star, red, blue_at(15, 25)}) ==
        "a large red circle, a small blue 7 and a small green star from top to bottom");
  CHECK(scene_caption({star, red, blue_at(60, 25)}) ==
        "a large red circle, a small green star and a small blue 7 from left to right");
  CHECK(scene_caption({}) == "nothing");
}

TEST_CASE("a scene is clear if its caption cannot be read differently") {
  const SceneObject red = object("circle", "red", true, 10, 10);
  const auto blue_at = [](int64_t x, int64_t y) { return object("7", "blue", false, x, y); };
  CHECK(is_clear({red}, 3));
  CHECK(is_clear({red, blue_at(12, 30)}, 3));
  CHECK(!is_clear({red, blue_at(28, 29)}, 3));  // across or down?
  CHECK(!is_clear({red, blue_at(12, 12)}, 3));
  // The circle lies between the sevens.
  CHECK(!is_clear({red, blue_at(0, 0), blue_at(40, 11)}, 3));
}

/// The pixels of the mask inside the box that have the object's class.
int64_t own_pixels(const Scene& scene, const SceneObject& o, int64_t x1, int64_t x2, int64_t y1,
                   int64_t y2) {
  int64_t count = 0;
  for (int64_t y = y1; y < y2; ++y)
    for (int64_t x = x1; x < x2; ++x)
      count += scene.mask[static_cast<size_t>(y * scene.picture.width + x)] == o.label + 1;
  return count;
}

TEST_CASE("boxes are tight, and every masked pixel is in a box of its class") {
  std::map<std::string, int> names;
  std::map<size_t, int> counts;
  int64_t stray = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    const Scene scene = draw_scene({1, 0}, i, {.height = 40, .width = 56});
    const auto& [picture, objects, mask, caption] = scene;
    CHECK(picture.channels == 3);
    CHECK(picture.height == 40);
    CHECK(picture.width == 56);
    CHECK(mask.size() == 40u * 56u);
    CHECK(caption == scene_caption(objects));
    CHECK(is_clear(objects, 2.8));
    ++counts[objects.size()];
    for (const SceneObject& o : objects) {
      CHECK((0 <= o.x1 && o.x1 < o.x2 && o.x2 <= 56 && 0 <= o.y1 && o.y1 < o.y2 && o.y2 <= 40));
      for (const auto& [x1, x2, y1, y2] :
           {std::array{o.x1, o.x1 + 1, o.y1, o.y2}, std::array{o.x2 - 1, o.x2, o.y1, o.y2},
            std::array{o.x1, o.x2, o.y1, o.y1 + 1}, std::array{o.x1, o.x2, o.y2 - 1, o.y2}})
        CHECK(own_pixels(scene, o, x1, x2, y1, y2) > 0);
      const int64_t longer = std::max(o.x2 - o.x1, o.y2 - o.y1);
      CHECK(longer >= (o.large ? 10 : 5));
      CHECK(longer <= (o.large ? 22 : 14));
      ++names[o.name];
    }
    for (int64_t y = 0; y < 40; ++y)
      for (int64_t x = 0; x < 56; ++x) {
        const int64_t here = mask[static_cast<size_t>(y * 56 + x)];
        const bool boxed = std::any_of(objects.begin(), objects.end(), [&](const SceneObject& o) {
          return o.label + 1 == here && o.x1 <= x && x < o.x2 && o.y1 <= y && y < o.y2;
        });
        if (here > 0 && !boxed) ++stray;
      }
  }
  CHECK(stray == 0);
  CHECK(names.size() == 14);
  CHECK(counts.size() == 3);
  for (const auto& [size, count] : counts) CHECK(count > 40);
}

/// The mean of a channel over the pixels with `mask` of one object's box.
double mean_level(const Scene& scene, const SceneObject& o, int64_t channel) {
  double sum = 0;
  for (int64_t y = o.y1; y < o.y2; ++y)
    for (int64_t x = o.x1; x < o.x2; ++x)
      if (scene.mask[static_cast<size_t>(y * scene.picture.width + x)] == o.label + 1)
        sum += scene.picture.at(channel, y, x);
  return sum / static_cast<double>(own_pixels(scene, o, o.x1, o.x2, o.y1, o.y2));
}

TEST_CASE("the masked pixels have the colour that the caption names") {
  std::map<std::string, std::set<std::string>> seen;
  for (uint64_t i = 0; i < 150; ++i) {
    CAPTURE(i);
    const Scene scene = draw_scene({2, 0}, i, {.max_objects = 1});
    const SceneObject& o = scene.objects[0];
    const double red = mean_level(scene, o, 0), green = mean_level(scene, o, 1),
                 blue = mean_level(scene, o, 2);
    const std::string read = green > red && green > blue  ? "green"
                             : blue > red && blue > green ? (red > 100 ? "purple" : "blue")
                                                          : (green > 170  ? "yellow"
                                                             : green > 95 ? "orange"
                                                                          : "red");
    // Thin strokes are mixed with the background.
    if (o.label != 4) CHECK(read == o.color);
    seen[o.color].insert(o.name);
  }
  CHECK(seen.size() == 6);
}

/// The pixels of the square with corner (x, y), channel by channel, averaged.
std::array<double, 3> mean_color(const Picture& picture, int64_t x, int64_t y, int64_t side) {
  std::array<double, 3> mean{};
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < side * side; ++i)
      mean[static_cast<size_t>(c)] +=
          picture.at(c, y + i / side, x + i % side) / static_cast<double>(side * side);
  return mean;
}

TEST_CASE("the mask has the pixels whose colour is more than half the object's") {
  int64_t wrong = 0, seen = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const Scene scene = draw_scene({3, 0}, i, {.max_objects = 1});
    const SceneObject& o = scene.objects[0];
    if (o.label == 4) continue;  // strokes may be thinner than a pixel
    const auto& picture = scene.picture;
    const auto color = mean_color(picture, (o.x1 + o.x2) / 2 - 1, (o.y1 + o.y2) / 2 - 1, 3);
    const auto ground = mean_color(picture, o.x1 > 24 ? 0 : 40, o.y1 > 24 ? 0 : 40, 8);
    for (int64_t y = o.y1; y < o.y2; ++y)
      for (int64_t x = o.x1; x < o.x2; ++x) {
        double along = 0, length = 0;  // 0: the background, 1: the object
        for (size_t c = 0; c < 3; ++c) {
          const double whole = color[c] - ground[c];
          along += whole * (picture.at(static_cast<int64_t>(c), y, x) - ground[c]);
          length += whole * whole;
        }
        if (std::abs(along / length - 0.5) < 0.15) continue;  // texture and grain blur the half
        ++seen;
        wrong += (along / length > 0.5) != (scene.mask[static_cast<size_t>(y * 48 + x)] > 0);
      }
  }
  CHECK(seen > 5000);
  CHECK(wrong == 0);
}

TEST_CASE("shapes cover the areas that geometry says") {
  const ShapePlace place{.x = 20.3, .y = 17.8, .radius = 12, .angle = 0.3};
  const auto area = [&](int64_t label) {
    double sum = 0;
    for (const double share : shape_coverage(label, place).share) sum += share;
    return sum / (12 * 12);
  };
  CHECK(std::abs(area(0) - 3.1416) < 0.02);
  CHECK(std::abs(area(1) - 2) < 0.02);
  CHECK(std::abs(area(2) - 1.299) < 0.02);              // 3√3 / 4
  CHECK(std::abs(area(3) - 5 * 0.45 * 0.5878) < 0.02);  // 5 · inner · sin 36°
  CHECK(error_of([&] { shape_coverage(4, place); }) == "[data] shape 4 is none of 4");
}

TEST_CASE("a scene depends only on its stream and its number") {
  const auto pixels = [](RandomKey key, uint64_t index) {
    return draw_scene(key, index).picture.pixels;
  };
  const Scene scene = draw_scene({1, 2}, 3);
  CHECK(pixels({1, 2}, 3) == scene.picture.pixels);
  CHECK(draw_scene({1, 2}, 3).mask == scene.mask);
  CHECK(pixels({1, 2}, 4) != scene.picture.pixels);
  CHECK(pixels({1, 3}, 3) != scene.picture.pixels);
  CHECK(pixels({2, 2}, 3) != scene.picture.pixels);
  CHECK(draw_scene({1, 2}, 5, {.max_objects = 6}).objects.size() <= 6);
  CHECK(error_of([] {
          draw_scene({1, 2}, 3, {.height = 31});
        }) == "[data] a scene of 31 × 48 pixels; at least 32 × 32 are needed");
  CHECK(error_of([] {
          draw_scene({1, 2}, 3, {.max_objects = 0});
        }) == "[data] scenes of up to 0 objects; 1 to 6 fit");
}

}  // namespace
}  // namespace tarsier::zoo
