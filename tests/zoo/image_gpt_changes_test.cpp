// Changes of drawings: turned, bent, and what the model is told of it.
#include "zoo/image_gpt/changes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numbers>

namespace tarsier::zoo {
namespace {

using image_gpt::Bend;
using Drawing = std::vector<uint8_t>;

/// A picture of size × size pixels with ink of one level in rows [top, bottom) and columns
/// [left, right).
Drawing block(int64_t size, int64_t top, int64_t bottom, int64_t left, int64_t right,
              uint8_t level = 1) {
  Drawing out(static_cast<size_t>(size * size), 0);
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t x = left; x < right; ++x) out[static_cast<size_t>(y * size + x)] = level;
  return out;
}

TEST_CASE("turned: seven ways, each row and column where it belongs") {
  const Drawing two_by_three{1, 2, 3,  //
                             4, 5, 6};
  CHECK(image_gpt::turned(two_by_three, 2, 3, 1) == Drawing{3, 2, 1, 6, 5, 4});
  CHECK(image_gpt::turned(two_by_three, 2, 3, 2) == Drawing{4, 5, 6, 1, 2, 3});
  CHECK(image_gpt::turned(two_by_three, 2, 3, 3) == Drawing{6, 5, 4, 3, 2, 1});
  const Drawing square{1, 2, 3, 4};
  CHECK(image_gpt::turned(square, 2, 2, 4) == Drawing{1, 3, 2, 4});
  std::vector<Drawing> all{square};
  for (int64_t way = 1; way < 8; ++way) all.push_back(image_gpt::turned(square, 2, 2, way));
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("bent: what does not bend stays as it is, and levels stay levels") {
  Drawing drawing = block(12, 3, 9, 5, 6);
  drawing[40] = 1;  // a dot, which smoothing alone would lose
  CHECK(image_gpt::bent(drawing, 12, 12, {}) == drawing);
  Dice still({1, 0});
  CHECK(Bend::drawn({.rotate = 0, .stretch = 0, .wobble = 0}, still) == Bend{});
  for (uint64_t i = 0; i < 20; ++i) {
    Dice dice({2, i});
    const Bend bend = Bend::drawn({}, dice);
    const Drawing binary = image_gpt::bent(drawing, 12, 12, bend);
    CHECK(*std::max_element(binary.begin(), binary.end()) <= 1);
    const Drawing levels = image_gpt::bent(block(12, 2, 10, 2, 10, 3), 12, 12, bend);
    CHECK(*std::max_element(levels.begin(), levels.end()) == 3);
  }
}

TEST_CASE("bent: rotates, stretches, shears and moves the way it says") {
  const double quarter = std::numbers::pi / 2;
  const Drawing bar = block(12, 1, 4, 1, 10);
  // A quarter clockwise: the bar at the top, from the left, comes to the right, from the top.
  CHECK(image_gpt::bent(bar, 12, 12, {.angle = quarter}) ==
        image_gpt::bent(block(12, 1, 10, 8, 11), 12, 12, {.angle = 4 * quarter}));
  CHECK(image_gpt::bent(block(12, 4, 8, 4, 8), 12, 12, {.tall = 2}) ==
        image_gpt::bent(block(12, 2, 10, 4, 8), 12, 12, {.tall = 1.0001}));
  CHECK(image_gpt::bent(block(12, 4, 8, 4, 8), 12, 12, {.wide = 1.5}) ==
        image_gpt::bent(block(12, 4, 8, 3, 9), 12, 12, {.wide = 1.0001}));
  const Drawing sheared = image_gpt::bent(block(12, 0, 12, 5, 7), 12, 12, {.shear = 0.5});
  CHECK(sheared[0 * 12 + 8] == 1);
  CHECK(sheared[11 * 12 + 3] == 1);
  CHECK(sheared[0 * 12 + 5] == 0);
  Bend wobble;
  for (auto& row : wobble.ways)
    for (Bend::Place& way : row) way = {2, -1};
  CHECK(image_gpt::bent(block(12, 4, 8, 4, 8), 12, 12, wobble) ==
        image_gpt::bent(block(12, 2, 6, 5, 9), 12, 12, {.tall = 1.0001}));
  // What comes in from beyond the edge is paper, here white.
  CHECK(image_gpt::bent(Drawing(144, 1), 12, 12, {.angle = 0.5, .tall = 0.5}) == Drawing(144, 1));
  Bend corner;  // only what is near the first corner moves
  corner.ways[0][0] = {-1, -1};
  const Drawing moved = image_gpt::bent(block(13, 1, 13, 1, 13), 13, 13, corner);
  CHECK(moved[1 * 13 + 1] == 0);
  CHECK(moved[1 * 13 + 12] == 1);
  CHECK(moved[12 * 13 + 12] == 1);
}

TEST_CASE("changed: the model is told of what was done, and of nothing else") {
  const Drawing drawing = block(8, 1, 5, 2, 4);
  image_gpt::Told told{};
  int bent = 0, turned = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    Dice dice({3, i});
    const Drawing now = image_gpt::changed(drawing, 8, 8, {.bent = 0.5, .turned = 0.5}, dice, told);
    if (told == image_gpt::Told{}) CHECK(now == drawing);
    for (int64_t way = 1; way < 8; ++way)
      if (told[static_cast<size_t>(way)] == 1 && told[0] == 0)
        CHECK(now == image_gpt::turned(drawing, 8, 8, way));
    bent += told[0] == 1;
    turned += std::count(told.begin() + 1, told.end(), 1.0f);
  }
  CHECK(bent > 70);
  CHECK(bent < 130);
  CHECK(turned > 70);
  CHECK(turned < 130);
  Dice dice({4, 0});
  CHECK(image_gpt::changed(drawing, 8, 8, {}, dice, told) == drawing);
  for (int i = 0; i < 20; ++i) {  // shifts are not told
    image_gpt::changed(drawing, 8, 8, {.shift = 1}, dice, told);
    CHECK(told == image_gpt::Told{});
  }
  // What is not square is never laid on its side.
  for (int i = 0; i < 40; ++i) {
    image_gpt::changed(Drawing(6), 2, 3, {.turned = 1}, dice, told);
    CHECK(std::count(told.begin() + 1, told.begin() + 4, 1.0f) == 1);
  }
}

}  // namespace
}  // namespace tarsier::zoo
