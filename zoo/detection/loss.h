#pragma once
// The loss of a set: which guess is for which object is not given, but found, as cheaply as possible.

#include <cstdint>
#include <vector>

#include "model.h"

namespace tarsier::zoo::detection {

/// The objects of a batch, those of the first picture first.
struct Objects {
  std::vector<int64_t> counts;  ///< of each picture
  std::vector<int64_t> labels;
  Tensor boxes;  ///< (M, 4), as in Guess

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

/// How much the parts of the loss, and of the cost of a match, count. As in Deformable DETR.
struct LossWeights {
  double label = 2;  ///< focal loss of the classes
  double box = 5;    ///< Σ |difference| of the four numbers
  double giou = 2;   ///< 1 − GIoU
};

/// The pairs of a query and an object: number b · Q + q of the query, number of the object.
struct Matches {
  std::vector<int64_t> queries, objects;
};

/// −α_t (1 − p_t)^γ log p_t of logits and targets of the same shape, element by element; p_t is σ(x)
/// for target 1 and 1 − σ(x) for 0, and α_t is α or 1 − α; γ = 2. Targets between 0 and 1 (how well a
/// box fits) have |t − σ(x)|^γ · binary cross-entropy with t, and weight α where t > 0.
/// As torchvision.ops.sigmoid_focal_loss for targets 0 and 1.
/// Source: Lin et al. 2017, "Focal loss for dense object detection"; Li et al. 2020, "Generalized
/// focal loss" (quality focal loss).
Tensor focal_loss(const Arg& logits, const Tensor& targets, double alpha = 0.25);

/// For every picture the cheapest assignment of its objects to guesses, each to `copies` of them (or
/// as many as there are guesses for). The cost of a pair is
///   label · (α(1 − p)^γ(−log p) − (1 − α)p^γ(−log(1 − p))) + box · L1 − giou · GIoU
/// where p is the probability of the object's class.
Matches match(const Guess& guess, const Objects& objects, const LossWeights& weights,
              int64_t copies = 1);

/// The loss of a guess: the focal loss of all its logits, and of matched boxes L1 and 1 − GIoU, as
/// sums divided by `copies` times the number of objects (at least 1). The target of a matched class
/// is the IoU of its box with the object (no gradient goes through it) if `quality`, otherwise 1.
Tensor set_loss(const Guess& guess, const Objects& objects, const Matches& matches,
                const LossWeights& weights, int64_t copies = 1, bool quality = false);

}  // namespace tarsier::zoo::detection
