#pragma once
// Boxes as tensors (…, 4), with gradients: their forms, and how well two of them agree.
//
// A box is (x1, y1, x2, y2), as in box.h, unless said otherwise; its numbers may be pixels or shares
// of the picture's sides. All functions are made of ops, and throw Error with their own name for
// tensors whose last size is not 4. Two tensors of boxes are compared element by element, and
// broadcast: box_iou(unsqueeze(a, 1), unsqueeze(b, 0)) is the (N, M) matrix of all pairs, which
// torchvision.ops.box_iou(a, b) gives.

#include "../../autograd/ops.h"

namespace tarsier::zoo {

/// (centre x, centre y, width, height) → (x1, y1, x2, y2): (…, 4) → (…, 4).
Tensor cxcywh_to_xyxy(const Arg& boxes);
/// (x1, y1, x2, y2) → (centre x, centre y, width, height): (…, 4) → (…, 4).
Tensor xyxy_to_cxcywh(const Arg& boxes);

/// (x2 − x1) · (y2 − y1), and 0 for an empty box: (…, 4) → (…).
Tensor box_area(const Arg& boxes);

/// |A ∩ B| / |A ∪ B| of the areas: (…, 4), (…, 4) → (…), from 0 to 1. Two empty boxes have 0.
Tensor box_iou(const Arg& a, const Arg& b);

/// IoU − (|C| − |A ∪ B|) / |C|, where C is the smallest box around A and B: (…, 4), (…, 4) → (…).
/// 1 for equal boxes, 0 for boxes that touch and together fill C, towards −1 the further apart they
/// are: it has a gradient where IoU has none. 0 if C is empty.
/// Source: Rezatofighi et al. 2019, "Generalized intersection over union".
Tensor generalized_box_iou(const Arg& a, const Arg& b);

}  // namespace tarsier::zoo
