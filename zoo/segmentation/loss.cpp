#include "zoo/segmentation/loss.h"

#include <cmath>

#include "autograd/autograd.h"

namespace tarsier::zoo::segmentation {

std::vector<double> class_weights(const std::vector<Picture>& masks, int64_t classes,
                                  double balance) {
  std::vector<double> counts(static_cast<size_t>(classes), 0);
  double all = 0;
  for (const Picture& mask : masks)
    for (const uint8_t c : mask.pixels)
      if (c != kVoid) ++counts[c], ++all;
  double sum = 0;  // of the weights of all pixels
  std::vector<double> out(counts.size(), 0);
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) continue;
    out[c] = std::pow(counts[c] / all, -balance);
    sum += out[c] * counts[c];
  }
  for (double& weight : out) weight *= sum > 0 ? all / sum : 0;
  return out;
}

Tensor dice_loss(const Arg& logits, const Tensor& masks) {
  const int64_t classes = logits.size(1);
  const Tensor known = to(masks != kVoid, logits.dtype());  // (B, H, W)
  // Void is told apart as a class of its own, which is dropped.
  const Tensor truth =
      to(unsqueeze(masks, 1) == reshape(arange(classes, i64), {1, classes, 1, 1}), logits.dtype());
  const Tensor p = softmax(logits, 1) * unsqueeze(known, 1);
  const Axes pixels{0, 2, 3};
  const Tensor both = sum(p * truth, pixels), size = sum(truth, pixels);
  const Tensor present = to(size > 0, logits.dtype());
  const Tensor overlap = 2 * both / clamp(sum(p, pixels) + size, 1e-9, 1e300);
  return sum(present * (1 - overlap)) / clamp(sum(present), 1, 1e300);
}

Tensor mask_loss(const Arg& logits, const Tensor& masks, const std::vector<double>& weights,
                 double total, const LossOptions& options) {
  const Tensor entropy =
      cross_entropy(logits, masks,
                    {.weight = to(from_vector(weights, {std::ssize(weights)}), logits.dtype()),
                     .ignore_index = kVoid,
                     .reduction = Reduction::sum,
                     .label_smoothing = options.label_smoothing}) /
      total;
  return options.dice > 0 ? entropy + options.dice * dice_loss(logits, masks) : entropy;
}

}  // namespace tarsier::zoo::segmentation
