#pragma once
// Non-maximum suppression: of boxes that lie on each other, the best stays.

#include <cstdint>
#include <vector>

#include "box.h"

namespace tarsier::zoo {

/// The indices of the boxes that stay, by falling score (of equal scores the lower index first):
/// goes through the boxes in this order and drops each whose IoU with one that stays is above
/// `iou_threshold`. As torchvision.ops.nms: an IoU of exactly the threshold stays.
/// Throws Error("nms") if there is not one score for each box, or a score is NaN.
std::vector<int64_t> nms(const std::vector<Box>& boxes, const std::vector<double>& scores,
                         double iou_threshold);

}  // namespace tarsier::zoo
