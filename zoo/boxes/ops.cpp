#include "zoo/boxes/ops.h"

namespace tarsier::zoo {

namespace {

/// The four numbers of every box: (…, 4) → 4 times (…).
std::vector<Tensor> numbers_of(const char* op, const Arg& boxes) {
  check(boxes.dim() >= 1 && boxes.size(-1) == 4, op, "boxes of shape ", boxes.shape(),
        ": expected (…, 4)");
  return unbind(boxes, -1);
}

/// a / b, and 0 where b is not above 0. The gradient is 0 there, and never NaN.
Tensor safe_ratio(const Tensor& a, const Tensor& b) {
  const Tensor valid = b > 0;
  return where(valid, a / where(valid, b, 1), 0);
}

/// Areas of the intersection and the union of boxes.
struct Overlap {
  Tensor shared, both;
};

Tensor area_between(const Tensor& x1, const Tensor& y1, const Tensor& x2, const Tensor& y2) {
  return relu(x2 - x1) * relu(y2 - y1);
}

Overlap overlap_of(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  const Tensor shared = area_between(maximum(a[0], b[0]), maximum(a[1], b[1]), minimum(a[2], b[2]),
                                     minimum(a[3], b[3]));
  return {shared,
          area_between(a[0], a[1], a[2], a[3]) + area_between(b[0], b[1], b[2], b[3]) - shared};
}

}  // namespace

Tensor cxcywh_to_xyxy(const Arg& boxes) {
  const CallScope here(boxes.at);
  const std::vector<Tensor> b = numbers_of("cxcywh_to_xyxy", boxes);
  return stack({b[0] - 0.5 * b[2], b[1] - 0.5 * b[3], b[0] + 0.5 * b[2], b[1] + 0.5 * b[3]}, -1);
}

Tensor xyxy_to_cxcywh(const Arg& boxes) {
  const CallScope here(boxes.at);
  const std::vector<Tensor> b = numbers_of("xyxy_to_cxcywh", boxes);
  return stack({0.5 * (b[0] + b[2]), 0.5 * (b[1] + b[3]), b[2] - b[0], b[3] - b[1]}, -1);
}

Tensor box_area(const Arg& boxes) {
  const CallScope here(boxes.at);
  const std::vector<Tensor> b = numbers_of("box_area", boxes);
  return area_between(b[0], b[1], b[2], b[3]);
}

Tensor box_iou(const Arg& a, const Arg& b) {
  const CallScope here(a.at);
  const Overlap overlap = overlap_of(numbers_of("box_iou", a), numbers_of("box_iou", b));
  return safe_ratio(overlap.shared, overlap.both);
}

Tensor generalized_box_iou(const Arg& a, const Arg& b) {
  const CallScope here(a.at);
  const std::vector<Tensor> p = numbers_of("generalized_box_iou", a),
                            q = numbers_of("generalized_box_iou", b);
  const auto [shared, both] = overlap_of(p, q);
  const Tensor hull = area_between(minimum(p[0], q[0]), minimum(p[1], q[1]), maximum(p[2], q[2]),
                                   maximum(p[3], q[3]));
  return safe_ratio(shared, both) - safe_ratio(hull - both, hull);
}

}  // namespace tarsier::zoo
