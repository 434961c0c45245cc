#include "zoo/boxes/suppression.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/base/error.h"

namespace tarsier::zoo {

std::vector<int64_t> nms(const std::vector<Box>& boxes, const std::vector<double>& scores,
                         double iou_threshold) {
  check(boxes.size() == scores.size(), "nms", boxes.size(), " boxes with ", scores.size(),
        " scores: each box needs one");
  for (size_t i = 0; i < scores.size(); ++i)
    check(!std::isnan(scores[i]), "nms", "the score of box ", i, " is NaN");
  std::vector<int64_t> order(boxes.size()), kept;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)];
  });
  for (const int64_t i : order) {
    const Box& box = boxes[static_cast<size_t>(i)];
    if (std::none_of(kept.begin(), kept.end(), [&](int64_t k) {
          return iou(boxes[static_cast<size_t>(k)], box) > iou_threshold;
        }))
      kept.push_back(i);
  }
  return kept;
}

}  // namespace tarsier::zoo
