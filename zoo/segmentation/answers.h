#pragma once
// From what the model makes of a picture to the class of each of its pixels.

#include <cstdint>

#include "../../autograd/tensor/tensor.h"
#include "../metrics/classification.h"
#include "pictures.h"

namespace tarsier::zoo::segmentation {

/// The likeliest class of each pixel, at the size of the picture: logits (1, K, h, w), interpolated
/// → 1 channel of height × width. Of equal ones the first.
Picture best_classes(const Tensor& logits, int64_t height, int64_t width);

/// Counts the pixels of a mask, without void. Throws Error("metric") for classes out of range.
void count_pixels(ConfusionMatrix& confusion, const Picture& mask, const Picture& classes);

/// The sum of −log p of the true classes, and the number of pixels that have one, with the mask at
/// the size of the logits (1, K, h, w).
struct Entropy {
  double sum = 0, pixels = 0;
};
Entropy entropy_of(const Tensor& logits, const Picture& mask);

}  // namespace tarsier::zoo::segmentation
