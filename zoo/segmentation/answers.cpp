#include "zoo/segmentation/answers.h"

#include "autograd/autograd.h"

namespace tarsier::zoo::segmentation {

Picture best_classes(const Tensor& logits, int64_t height, int64_t width) {
  const bool same = logits.size(2) == height && logits.size(3) == width;
  const Tensor large =
      same ? logits : interpolate(logits, {.size = Pair{height, width}, .mode = "bilinear"});
  const std::vector<double> best = argmax(large, 1).to_vector();
  return {1, height, width, {best.begin(), best.end()}};
}

void count_pixels(ConfusionMatrix& confusion, const Picture& mask, const Picture& classes) {
  for (size_t i = 0; i < mask.pixels.size(); ++i)
    if (mask.pixels[i] != kVoid) confusion.add(mask.pixels[i], classes.pixels[i]);
}

Entropy entropy_of(const Tensor& logits, const Picture& mask) {
  const int64_t h = logits.size(2), w = logits.size(3);
  const Picture small = resized_mask(mask, h, w);
  const std::vector<int64_t> classes(small.pixels.begin(), small.pixels.end());
  Entropy out;
  for (const int64_t c : classes) out.pixels += c != kVoid;
  out.sum = cross_entropy(logits, from_vector(classes, {1, h, w}),
                          {.ignore_index = kVoid, .reduction = Reduction::sum})
                .item();
  return out;
}

}  // namespace tarsier::zoo::segmentation
