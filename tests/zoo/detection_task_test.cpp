// Detection as a task: batches, augmentation, metrics, predict, resuming.
#include <doctest/doctest.h>

#include <array>
#include <set>
#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/boxes.h"
#include "zoo/base/usage_error.h"
#include "zoo/detection/examples.h"
#include "zoo/picture/read.h"
#include "zoo/report/page.h"

namespace tarsier::zoo::detection {
namespace {

std::string squares(const Scratch& scratch) {
  write_squares(scratch, "data", "train", 10, 1, {"red", "green"});
  write_squares(scratch, "data", "val", 5, 2, {"red", "green"});
  write_squares(scratch, "data", "test", 4, 3, {"red", "green"});
  return scratch.path("data");
}

TEST_CASE("detection: augmentation moves the boxes along with the pixels") {
  Dice dice({5, 0});
  const PictureChanges strong{
      .flip = true, .flip_vertical = true, .zoom = 0.5, .stretch = 0.2, .color = 0.2};
  int kept = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Picture picture{3, 40, 60, std::vector<uint8_t>(3 * 40 * 60, 0)};
    const int64_t x = 5 + dice.below(35), y = 5 + dice.below(15);
    draw_frame(picture, x, y, x + 16, y + 12, {255, 255, 255}, 8);  // filled
    const Sample sample = augmented(picture,
                                    {{static_cast<double>(x), static_cast<double>(y),
                                      static_cast<double>(x + 16), static_cast<double>(y + 12)}},
                                    {7}, strong, dice);
    Box bright{1e9, 1e9, -1e9, -1e9};
    const float middle = (*std::max_element(sample.pixels.begin(), sample.pixels.end()) +
                          *std::min_element(sample.pixels.begin(), sample.pixels.end())) /
                         2;
    for (int64_t i = 0; i < 40 * 60; ++i)
      if (sample.pixels[static_cast<size_t>(i)] > middle) {
        const auto row = static_cast<double>(i / 60), column = static_cast<double>(i % 60);
        bright = {std::min(bright.x1, column), std::min(bright.y1, row),
                  std::max(bright.x2, column + 1), std::max(bright.y2, row + 1)};
      }
    if (sample.boxes.empty()) {
      CHECK(bright.area() < 0.5 * 16 * 12 * 1.5 * 1.5);
      continue;
    }
    ++kept;
    CHECK(sample.labels == std::vector<int64_t>{7});
    const Box& box = sample.boxes[0];
    for (const double gap :
         {box.x1 - bright.x1, box.y1 - bright.y1, box.x2 - bright.x2, box.y2 - bright.y2})
      CHECK(std::abs(gap) < 1.01);
  }
  CHECK(kept > 40);
  // Without any change the picture stays as it is.
  Picture picture{1, 2, 3, {1, 2, 3, 4, 5, 250}};
  const PictureChanges none{.flip = false, .zoom = 0, .stretch = 0, .color = 0};
  const Sample same = augmented(picture, {{0, 0, 1, 1}}, {0}, none, dice);
  for (size_t i = 0; i < 6; ++i) CHECK(same.pixels[i] == doctest::Approx(picture.pixels[i]));
  CHECK(same.boxes[0] == Box{0, 0, 1, 1});
}

TEST_CASE("detection: a mosaic shows a quarter of each picture, and what is left of its objects") {
  const int64_t height = 8, width = 12;
  Dice dice({6, 0});
  std::set<std::pair<int64_t, int64_t>> points;
  for (int trial = 0; trial < 200; ++trial) {
    std::array<Sample, 4> parts;
    for (size_t q = 0; q < 4; ++q) {
      parts[q].pixels.assign(static_cast<size_t>(3 * height * width), static_cast<float>(q));
      parts[q].boxes = {{0, 0, 12, 8}, {1, 1, 3, 3}};  // the whole picture; near its first corner
      parts[q].labels = {static_cast<int64_t>(q), static_cast<int64_t>(10 + q)};
    }
    const Sample sample = mosaic(parts, height, width, 0.01, dice);
    std::array<Box, 4> seen;
    seen.fill({1e9, 1e9, -1e9, -1e9});
    for (int64_t i = 0; i < 3 * height * width; ++i) {
      const auto row = static_cast<double>(i / width % height),
                 column = static_cast<double>(i % width);
      Box& box = seen[static_cast<size_t>(sample.pixels[static_cast<size_t>(i)])];
      box = {std::min(box.x1, column), std::min(box.y1, row), std::max(box.x2, column + 1),
             std::max(box.y2, row + 1)};
    }
    points.emplace(seen[0].x2, seen[0].y2);
    size_t next = 0;
    for (size_t q = 0; q < 4; ++q) {
      CHECK(sample.boxes[next] == seen[q]);
      CHECK(sample.labels[next++] == static_cast<int64_t>(q));
      const Box corner = intersection({1, 1, 3, 3}, seen[q]);
      if (corner.area() <= 0) continue;
      CHECK(sample.boxes[next] == corner);
      CHECK(sample.labels[next++] == static_cast<int64_t>(10 + q));
    }
    CHECK(next == sample.boxes.size());
    for (const Box& box : mosaic(parts, height, width, 1, dice).boxes)
      CHECK(box == Box{1, 1, 3, 3});  // nothing that is cut
  }
  CHECK(points.size() == 5 * 7);  // from a quarter to three quarters
}

TEST_CASE("detection: boxes go into the fitted picture and back") {
  const Pair size{72, 96};
  const Box box{100, 50, 300, 250};
  const Box inside = to_fitted(box, 480, 640, size);
  CHECK(inside.x1 == doctest::Approx(15));
  CHECK(inside.y2 == doctest::Approx(37.5));
  // A tall picture is centred: 36 of 96 columns.
  CHECK(to_fitted({0, 0, 100, 200}, 200, 100, size).x1 == doctest::Approx(30));
  for (const auto& [h, w] :
       {std::pair<int64_t, int64_t>{480, 640}, {640, 480}, {7, 1000}, {72, 96}}) {
    const Box whole{0, 0, static_cast<double>(w), static_cast<double>(h)};
    const Box part = intersection(box, whole).area() > 0 ? intersection(box, whole) : whole;
    const Box back = from_fitted(to_fitted(part, h, w, size), h, w, size);
    CHECK(back.x1 == doctest::Approx(part.x1));
    CHECK(back.y1 == doctest::Approx(part.y1));
    CHECK(back.x2 == doctest::Approx(part.x2));
    CHECK(back.y2 == doctest::Approx(part.y2));
    CHECK(from_fitted({-5, -5, 200, 200}, h, w, size) == whole);
  }
}

TEST_CASE("detection: a batch depends only on seed and number") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  const auto a = prepared_task("detection", data, kTinyDetector),
             b = prepared_task("detection", data, kTinyDetector);
  b->batch(3, 1);  // in another order
  for (const int64_t number : {1, 2, 9}) {
    const Batch x = a->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    CHECK(a->batch(number, 2)["images"].to_vector() != x["images"].to_vector());
    CHECK(x.weight == static_cast<double>(x["labels"].numel()));
  }
  // Of some pictures mosaics are made.
  const auto c = prepared_task("detection", data, with(kTinyDetector, {{"mosaic", "1"}})),
             d = prepared_task("detection", data, with(kTinyDetector, {{"mosaic", "1"}}));
  CHECK(same_bits(c->batch(3, 1).tensors, d->batch(3, 1).tensors));
  CHECK(c->batch(3, 1)["images"].to_vector() != a->batch(3, 1)["images"].to_vector());
  CHECK(a->describe_data()["width"].as_int() == 16);
  CHECK(a->describe_data()["names"].dump() == R"(["green", "red"])");
}

TEST_CASE("detection: trains on a table, measures, shows, and predicts in pixels of the picture") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  const auto task = prepared_task("detection", data, with(kTinyDetector, {{"epochs", "2"}}));
  CHECK(task->facts()[1].second == "'" + data +
                                       "' (a table): 10 images of 12 × 16 to train on, 5 to "
                                       "validate, 2 classes");
  const double before = value_of(task->validate(), "val_loss");
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.step == 6);
  CHECK(outcome.metrics[0].name == "AP50");
  CHECK(value_of(outcome.metrics, "val_loss") < before);
  CHECK(value_of(task->evaluate(), "AP50") >= 0);
  CHECK(value_of(task->evaluate(), "loss") != value_of(task->validate(), "val_loss"));
  CHECK(std::isfinite(value_of(task->evaluate(), "AP50 red")));
  Page page("run");
  task->report(page);
  for (const char* part : {"Average precision", "Validation pictures", "Attention of queries"})
    CHECK(page.html().find(part) != std::string::npos);

  // A picture of ten times the size: boxes in its own pixels, and a note.
  Picture large{3, 120, 160, std::vector<uint8_t>(3 * 120 * 160, 90)};
  draw_frame(large, 20, 30, 60, 70, {220, 30, 30}, 20);
  const std::string file = scratch.path("large.png"), drawn = scratch.path("drawn.png");
  write_picture(file, large);
  Settings options = task->predict_options();
  options.set("threshold", "0");
  options.set("overlap", "1");
  options.set("out", drawn);
  std::ostringstream out, notes;
  task->predict({file}, out, &notes);
  CHECK(out.str().starts_with(file + "  12 objects: "));  // of 6 queries and 2 classes
  CHECK(notes.str() == "'" + file + "' has 160 × 120 pixels: it is read as 16 × 12\n");
  CHECK(read_picture(drawn).width == 480);
  CHECK(error_of([&] {
          task->predict({file, file}, out);
        }) == "[predict] --out is one file, but there are 2 pictures");
  options.set("out", "drawn.jpg");
  check_error(".png", [&] { task->predict({file}, out); });
  options.set("out", "");
  options.set("threshold", "1");
  out.str("");
  task->predict({file, ""}, out);
  CHECK(out.str() == file + "  nothing\n\n");
  check_error("no.png", [&] { task->predict({"no.png"}, out); });
}

TEST_CASE("detection: a resumed run ends with the same bits as one that was never stopped") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  CHECK(resumes_exactly(scratch, "detection", data, with(kTinyDetector, {{"epochs", "2"}}), 4));
}

TEST_CASE("detection: the same bits with one, two and three threads") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  std::vector<std::vector<double>> weights;
  for (const int threads : {1, 2, 3}) {
    const Threads guard(threads);
    const auto task = prepared_task("detection", data, with(kTinyDetector, {{"epochs", "1"}}));
    train_task(*task, data, scratch.path(concat("run", threads)));
    weights.emplace_back();
    for (const auto& [name, tensor] : task->model().state_dict())
      for (const double x : tensor.to_vector()) weights.back().push_back(x);
  }
  CHECK(weights[0] == weights[1]);
  CHECK(weights[0] == weights[2]);
}

TEST_CASE("detection: other data may lack classes, but have none that training has not seen") {
  const Scratch scratch;
  const auto task = prepared_task("detection", squares(scratch), kTinyDetector);
  write_squares(scratch, "some", "train", 4, 5, {"red"});
  write_squares(scratch, "some", "val", 4, 6, {"red"});
  task->load_data(scratch.path("some"));
  for (const double label : task->batch(1, 1)["labels"].to_vector()) CHECK(label == 1);
  write_squares(scratch, "other", "train", 4, 7, {"blue"});
  write_squares(scratch, "other", "val", 4, 8, {"blue"});
  CHECK(error_of([&] { task->load_data(scratch.path("other")); }) ==
        "[data] '" + scratch.path("other") +
            "': training has never seen the class 'blue'; it knows "
            "'green' and 'red'");
}

}  // namespace
}  // namespace tarsier::zoo::detection
