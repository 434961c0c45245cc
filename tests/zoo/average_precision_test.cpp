// Average precision compared with pycocotools.
#include "zoo/metrics/average_precision.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "tests/data.h"
#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

/// COCO's boxes: corner, width and height.
Box box_of(const Json& json) {
  const Json::Array& v = json.as_array();
  const double x = v[0].as_double(), y = v[1].as_double();
  return {x, y, x + v[2].as_double(), y + v[3].as_double()};
}

AveragePrecision score_of(const Json& sample) {
  std::vector<std::vector<TrueObject>> truth(5);
  std::vector<std::vector<Detection>> found(5);
  for (const Json& one : sample["truth"].as_array()) {
    TrueObject object{box_of(one["box"]), one["label"].as_int()};
    object.crowd = one.find("crowd") != nullptr;
    if (const Json* area = one.find("area")) object.area = area->as_double();
    truth.at(static_cast<size_t>(one["image"].as_int())).push_back(object);
  }
  for (const Json& one : sample["found"].as_array())
    found.at(static_cast<size_t>(one["image"].as_int()))
        .push_back({box_of(one["box"]), one["label"].as_int(), one["score"].as_double()});
  AveragePrecision score(sample["classes"].as_int());
  for (size_t i = 0; i < truth.size(); ++i) score.add(truth[i], found[i]);
  return score;
}

/// pycocotools writes −1 where there is no value, and adds an epsilon to a denominator.
void check_equal(const std::optional<double>& value, const Json& expected) {
  CHECK(std::abs(value.value_or(-1) - expected.as_double()) < 1e-12);
}

TEST_CASE("average precision: all twelve numbers of pycocotools") {
  const Json golden =
      Json::parse(read_file(source_file("tests/golden/boxes.json").string()), "boxes.json");
  const ObjectSize sizes[] = {ObjectSize::small, ObjectSize::medium, ObjectSize::large};
  for (const Json& sample : golden["precision"].as_array()) {
    CAPTURE(sample["name"].as_string());
    const AveragePrecision score = score_of(sample);
    const Json::Array& expected = sample["stats"].as_array();
    check_equal(score.mean_ap(), expected[0]);
    check_equal(score.mean_ap(0), expected[1]);
    check_equal(score.mean_ap(5), expected[2]);
    for (size_t i = 0; i < 3; ++i) {
      check_equal(score.mean_ap({}, sizes[i]), expected[3 + i]);
      check_equal(score.mean_recall(100, sizes[i]), expected[9 + i]);
    }
    check_equal(score.mean_recall(1), expected[6]);
    check_equal(score.mean_recall(10), expected[7]);
    check_equal(score.mean_recall(), expected[8]);
    const Json::Array& classes = sample["per_class"].as_array();
    for (size_t c = 0; c < classes.size(); ++c)
      check_equal(score.ap(static_cast<int64_t>(c), 0), classes[c]);
  }
}

TEST_CASE("average precision: a detector that finds nothing, and what cannot be scored") {
  AveragePrecision score(2);
  score.add({{{0, 0, 9, 9}, 1}}, {});
  CHECK(score.mean_ap() == 0.0);
  CHECK(!score.ap(0, 0).has_value());
  CHECK(!AveragePrecision(1).mean_ap().has_value());
  CHECK(error_of([&] { score.add({{{0, 0, 9, 9}, 2}}, {}); }) == "[metric] label 2 of 2 classes");
  CHECK(error_of([&] {
          score.add({}, {{{0, 0, 9, 9}, 0, NAN}});
        }) == "[metric] the score of a detection is NaN");
  CHECK(error_of([] { AveragePrecision none(0); }) ==
        "[metric] average precision of 0 classes: it needs one at least");
}

}  // namespace
}  // namespace tarsier::zoo
