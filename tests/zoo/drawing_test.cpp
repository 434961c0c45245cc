// Frames and texts on pictures, and what a detector shows of them.
#include "zoo/picture/drawing.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "zoo/detection/showing.h"

namespace tarsier::zoo {
namespace {

Picture black(int64_t channels, int64_t height, int64_t width) {
  return {channels, height, width,
          std::vector<uint8_t>(static_cast<size_t>(channels * height * width), 0)};
}

/// Rows of "#" where a channel is bright.
std::string bright(const Picture& picture, int64_t channel = 0) {
  std::string out;
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) out += picture.at(channel, y, x) > 127 ? '#' : '.';
    out += '\n';
  }
  return out;
}

TEST_CASE("drawing: frames of any thickness, cut off at the edges") {
  Picture picture = black(3, 5, 7);
  draw_frame(picture, 1, 1, 6, 5, {255, 0, 0});
  CHECK(bright(picture) == ".......\n.#####.\n.#...#.\n.#...#.\n.#####.\n");
  CHECK(bright(picture, 1).find('#') == std::string::npos);
  picture = black(1, 4, 6);
  draw_frame(picture, -9, -9, 3, 3, {255, 255, 255}, 2);
  CHECK(bright(picture) == ".##...\n###...\n###...\n......\n");
  draw_frame(picture, 2, 3, 2, 3, {255, 255, 255}, 3);   // no area
  draw_frame(picture, 90, 90, 99, 99, {255, 255, 255});  // outside
  CHECK(bright(picture) == ".##...\n###...\n###...\n......\n");
}

TEST_CASE("drawing: texts in letters of 3 × 5 points, readable on any colour") {
  CHECK(text_size("Ab1").width == 13);
  CHECK(text_size("Ab1").height == 7);
  CHECK(text_size("é", 3).width == 15);
  CHECK(text_size("").width == 1);
  Picture picture = black(3, 7, 9);
  draw_text(picture, 0, 0, "Lt", {30, 110, 230});  // white on blue, small letters like capitals
  CHECK(bright(picture) ==
        ".........\n.#...###.\n.#....#..\n.#....#..\n.#....#..\n.###..#..\n.........\n");
  draw_text(picture, 0, 0, "Lt", {255, 255, 0});  // black on yellow
  CHECK(bright(picture) ==
        "#########\n#.###...#\n#.####.##\n#.####.##\n#.####.##\n#...##.##\n#########\n");
  picture = black(1, 7, 5);
  draw_text(picture, 0, 0, "é", {0, 0, 0});  // a block
  CHECK(bright(picture) == ".....\n.###.\n.###.\n.###.\n.###.\n.###.\n.....\n");
  CHECK_NOTHROW(draw_text(picture, -3, 4, "cut off \xFF", {0, 0, 0}, 2));
  for (int64_t i = 0; i < 24; ++i) {
    CHECK(color_of(i) == color_of(i + 24));
    for (int64_t j = 0; j < i; ++j) CHECK(color_of(i) != color_of(j));
  }
}

TEST_CASE("a picture with frames, side by side, and what the colours mean") {
  const std::string markup =
      picture_with_frames(black(3, 10, 20), {{{1, 2, 5, 6, 0, "a<b"}}, {{0, 0, 20, 10, 1, "c"}}},
                          "d")
          .markup;
  // Twelve times as large, the second picture 6 pixels to the right of the first.
  CHECK(markup.find("<rect x=\"12\" y=\"24\" width=\"48\" height=\"48\"") != markup.npos);
  CHECK(markup.find("<title>a&lt;b</title>") != markup.npos);
  CHECK(markup.find("<rect x=\"246\" y=\"0\" width=\"240\" height=\"120\"") != markup.npos);
  CHECK(markup.find("width=\"486\" height=\"120\"") != markup.npos);
  CHECK(color_legend({"one", "two"}).markup.find(">two</text>") != std::string::npos);
}

}  // namespace

namespace detection {
namespace {

const std::vector<std::string> kNames{"cat", "dog"};
const std::vector<TrueObject> kTruth{{{0, 0, 10, 10}, 0}, {{20, 0, 30, 10}, 1}};

TEST_CASE("detections as a line, and drawn on the picture") {
  const std::vector<Detection> found{{{0, 0, 10, 10}, 1, 0.987}, {{1.25, 2, 3, 4}, 0, 0.5}};
  CHECK(listed(found, kNames) ==
        "2 objects: dog 99 % (0.0, 0.0, 10.0, 10.0), cat 50 % (1.2, 2.0, 3.0, 4.0)");
  CHECK(listed({}, kNames) == "nothing");
  // Of a picture of 40 × 20, kept as 20 × 10: enlarged, with the frame where the object is.
  const Picture drawn = with_boxes(black(1, 10, 20), 20, 40, {{{20, 10, 40, 20}, 1, 0.9}}, {});
  CHECK(drawn.channels == 3);
  CHECK(drawn.width % 20 == 0);
  CHECK(drawn.width >= 300);
  const Color color = color_of(1);
  for (const auto& [y, x] : {std::pair{drawn.height / 2, drawn.width / 2},
                             {drawn.height - 1, drawn.width - 1},
                             {drawn.height - 1, drawn.width / 2}})
    for (int64_t c = 0; c < 3; ++c) CHECK(drawn.at(c, y, x) == color[static_cast<size_t>(c)]);
  CHECK(drawn.at(0, drawn.height * 3 / 4, drawn.width * 3 / 4) == 0);
  CHECK(with_boxes(black(3, 400, 700), 400, 700, {}, kNames).width == 700);
}

TEST_CASE("of two objects of a class that lie on each other, the surer one is shown") {
  const std::vector<Detection> found = {{{0, 0, 10, 10}, 0, 0.9},
                                        {{0, 0, 10, 10}, 1, 0.8},  // of another class
                                        {{0, 0, 10, 9}, 0, 0.7},   // IoU 0.9 with the first
                                        {{0, 0, 10, 5}, 0, 0.6},   // exactly 0.5
                                        {{20, 0, 30, 10}, 0, 0.3}};
  const auto scores = [&](double threshold, double overlap) {
    std::vector<double> out;
    for (const Detection& one : worth_showing(found, threshold, overlap)) out.push_back(one.score);
    return out;
  };
  CHECK(scores(0, 1) == std::vector<double>{0.9, 0.8, 0.7, 0.6, 0.3});
  CHECK(scores(0, 0.5) == std::vector<double>{0.9, 0.8, 0.6, 0.3});
  CHECK(scores(0.35, 0.4) == std::vector<double>{0.9, 0.8});
  CHECK(scores(0.95, 0.5).empty());
}

TEST_CASE("faults are objects that were missed, and what was found and is not there") {
  const auto faults = [](const std::vector<Detection>& found) {
    const Faults out = faults_of(kTruth, found, 0.5);
    return std::pair(out.missed, out.wrong);
  };
  CHECK(faults({}) == std::pair<int64_t, int64_t>(2, 0));
  CHECK(faults({{{0, 0, 10, 9}, 0, 0.9}, {{20, 0, 30, 10}, 1, 0.8}}) ==
        std::pair<int64_t, int64_t>(0, 0));
  CHECK(faults({{{0, 0, 10, 9}, 0, 0.9}, {{0, 0, 10, 10}, 0, 0.8}}) ==
        std::pair<int64_t, int64_t>(1, 1));
  CHECK(faults({{{0, 0, 10, 10}, 1, 0.9}}) ==
        std::pair<int64_t, int64_t>(2, 1));  // the other class
  CHECK(faults({{{0, 0, 10, 10}, 0, 0.4}}) == std::pair<int64_t, int64_t>(2, 0));  // not sure
}

TEST_CASE("the page shows AP by class, and the pictures with the most faults first") {
  const Example good{"good.png", 20, 40, black(3, 20, 40), kTruth},
      bad{"bad.png", 20, 40, black(3, 20, 40), kTruth};
  Page page("title");
  add_detections(page, {{&good, {{{0, 0, 10, 10}, 0, 0.9}, {{20, 0, 30, 10}, 1, 0.8}}}, {&bad, {}}},
                 kNames, 0.5);
  const std::string html = page.html();
  CHECK(html.find("bad.png: 2 missed, 0 wrong of 2") <
        html.find("good.png: 0 missed, 0 wrong of 2"));
  CHECK(html.find("good.png: 0 missed") != html.npos);
  CHECK(html.find("0.505") != html.npos);  // one of two found
}

}  // namespace
}  // namespace detection
}  // namespace tarsier::zoo
