#pragma once
// How wrong masks are: class by class at each pixel, and by the overlap of whole classes.

#include <cstdint>
#include <vector>

#include "../../autograd/ops.h"
#include "pictures.h"

namespace tarsier::zoo::segmentation {

struct LossOptions {
  double balance = 0.5;        ///< 0: every pixel counts alike; 1: every class does
  double dice = 0.5;           ///< the weight of the overlap
  double label_smoothing = 0;  ///< fraction of each target spread over all classes, by weight
};

/// A weight for each class, by the number of its pixels in `masks` to the power of −balance, 1 on
/// average over the pixels; 0 for classes without pixels.
std::vector<double> class_weights(const std::vector<Picture>& masks, int64_t classes,
                                  double balance);

/// 1 − mean of 2 Σ p t / (Σ p + Σ t) over the classes in the masks, where p is the probability of a
/// class at a pixel and t is 1 where it is true. Void does not count; 0 if all is void. logits (B, K,
/// height, width), masks (B, height, width) i64.
/// Source: Milletari et al. 2016, "V-Net".
Tensor dice_loss(const Arg& logits, const Tensor& masks);

/// Cross-entropy of the pixels, weighted by class and divided by `total`, the sum of their weights,
/// plus `dice` times dice_loss().
Tensor mask_loss(const Arg& logits, const Tensor& masks, const std::vector<double>& weights,
                 double total, const LossOptions& options);

}  // namespace tarsier::zoo::segmentation
