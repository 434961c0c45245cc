// Boxes: how well two agree, with gradients, and which of many stay.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/gradcheck.h"
#include "tests/error_of.h"
#include "zoo/boxes/ops.h"
#include "zoo/boxes/suppression.h"

namespace tarsier::zoo {
namespace {

Tensor box_tensor(const Box& box) { return tensor({box.x1, box.y1, box.x2, box.y2}, f64); }

TEST_CASE("boxes: IoU and GIoU of known pairs, as numbers and as tensors") {
  struct Pair {
    Box a, b;
    double iou, giou;
  };
  const Box unit{0, 0, 10, 10};
  for (const Pair& pair : {
           Pair{unit, unit, 1, 1},
           {unit, {10, 0, 20, 10}, 0, 0},               // touching
           {unit, {9, 0, 19, 10}, 1.0 / 19, 1.0 / 19},  // no "+1 pixel"
           {unit, {20, 0, 30, 10}, 0, -1.0 / 3},        // 10 apart
           {unit, {0, 0, 10, 5}, 0.5, 0.5},
           {unit, {5, 5, 15, 15}, 25.0 / 175, 25.0 / 175 - 50.0 / 225},
           {{3, 3, 3, 3}, {3, 3, 3, 3}, 0, 0},  // empty: defined, not NaN
           {{0, 0, 0, 0}, {4, 4, 4, 4}, 0, -1},
           {unit, {8, 8, 2, 2}, 0, 0},  // turned inside out: empty
       }) {
    CAPTURE(pair.b.x1);
    const Tensor a = box_tensor(pair.a), b = box_tensor(pair.b);
    CHECK(iou(pair.a, pair.b) == doctest::Approx(pair.iou));
    CHECK(box_iou(a, b).item() == doctest::Approx(pair.iou));
    CHECK(generalized_box_iou(a, b).item() == doctest::Approx(pair.giou));
    CHECK(generalized_box_iou(b, a).item() == doctest::Approx(pair.giou));
  }
}

TEST_CASE("boxes: all pairs by broadcasting, areas, and forms that convert back") {
  const Tensor a = tensor({{0, 0, 10, 10}, {5, 5, 15, 15}, {2, 3, 4, 7}}, f64);
  const Tensor b = tensor({{0, 0, 10, 5}, {100, 100, 101, 101}}, f64);
  const Tensor pairs = box_iou(unsqueeze(a, 1), unsqueeze(b, 0));
  CHECK(pairs.shape() == Shape{3, 2});
  CHECK(pairs.to_vector() == std::vector<double>{0.5, 0, 0, 0, 4.0 / 54, 0});
  CHECK(box_area(a).to_vector() == std::vector<double>{100, 100, 8});
  CHECK(xyxy_to_cxcywh(a).to_vector() ==
        std::vector<double>{5, 5, 10, 10, 10, 10, 10, 10, 3, 5, 2, 4});
  CHECK(allclose(cxcywh_to_xyxy(xyxy_to_cxcywh(a)), a));
  CHECK(error_of([&] { box_iou(a, ones({3})); }) ==
        "[box_iou] boxes of shape (3,): expected (…, 4)");
}

TEST_CASE("boxes: gradients to the second order, and none that is NaN for empty boxes") {
  const Tensor a = tensor({{0, 0, 10, 10}, {1, 2, 6, 9}, {0.5, 0.5, 3, 2}}, f64).requires_grad_();
  const Tensor b =
      tensor({{2, 1, 12, 7}, {7.5, 2.5, 9, 4}, {1, 1, 2.5, 1.75}}, f64).requires_grad_();
  const GradcheckOptions options{.second_order = true};
  gradcheck([](const auto& x) { return box_iou(x[0], x[1]); }, {a, b}, options);
  gradcheck([](const auto& x) { return generalized_box_iou(x[0], x[1]); }, {a, b}, options);
  gradcheck([](const auto& x) { return xyxy_to_cxcywh(x[0]); }, {a}, options);
  gradcheck([](const auto& x) { return box_area(cxcywh_to_xyxy(x[0])); }, {a}, options);

  const Tensor empty = tensor({{3, 3, 3, 3}}, f64).requires_grad_();
  sum(generalized_box_iou(empty, empty.detach()) + box_iou(empty, empty.detach())).backward();
  for (const double slope : empty.grad().to_vector()) CHECK(slope == 0);
}

TEST_CASE("non-maximum suppression drops only what overlaps more than the threshold") {
  const Box first{0, 0, 10, 10};
  CHECK(nms({first, {0, 0, 10, 5}}, {0.9, 0.8}, 0.5) == std::vector<int64_t>{0, 1});  // exactly 0.5
  CHECK(nms({first, {0, 0, 10, 5.1}}, {0.9, 0.8}, 0.5) == std::vector<int64_t>{0});
  // By score; what was dropped drops nothing; of equal scores the lower index stays.
  CHECK(nms({{0, 0, 10, 10}, {4, 0, 14, 10}, {8, 0, 18, 10}}, {0.7, 0.8, 0.9}, 0.3) ==
        std::vector<int64_t>{2, 0});
  CHECK(nms({first, first, first}, {0.5, 0.5, 0.5}, 0.5) == std::vector<int64_t>{0});
  CHECK(nms({}, {}, 0.5).empty());
  CHECK(error_of([] { nms({{}}, {}, 0.5); }) == "[nms] 1 boxes with 0 scores: each box needs one");
  CHECK(error_of([] { nms({{}}, {NAN}, 0.5); }) == "[nms] the score of box 0 is NaN");
}

}  // namespace
}  // namespace tarsier::zoo
