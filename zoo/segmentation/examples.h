#pragma once
// Examples at the model's size: batches to train on, and whole pictures to look at.

#include <cstdint>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../nn/nn.h"
#include "../data/changes.h"
#include "../data/images.h"
#include "../task/batch.h"
#include "pictures.h"

namespace tarsier::zoo::segmentation {

/// Training pictures fitted into the model's size, with their masks; what is no picture is void.
struct FittedExamples {
  Images images;               ///< labels unused
  std::vector<Picture> masks;  ///< 1 channel, at the same size

  int64_t size() const { return images.size(); }
};
FittedExamples fitted_examples(const std::vector<Example>& examples, Pair size);

/// A picture as the model gets it, and its mask.
struct Sample {
  std::vector<float> pixels;  ///< 0 … 255, channels · height · width
  std::vector<uint8_t> mask;  ///< height · width
};

/// `picture` and its mask, changed by random numbers from `dice`: the same size. Outside of the
/// picture is the colour of its nearest pixel, and void.
Sample augmented(const Picture& picture, const Picture& mask, const PictureChanges& limits,
                 Dice& dice);

/// How the pixels of a picture become the model's numbers: by the mean and the deviation of each
/// colour in the training pictures, or in the picture itself, which takes out its light.
struct Colors {
  PixelScale scale;
  bool own = false;

  /// In place: the channels of one picture, of `area` pixels each.
  void apply(std::vector<float>& pixels, int64_t area) const;
};

/// Pictures `chosen`, changed by random numbers from `key` if `limits` are given: "images" (B, 3,
/// height, width) and "masks" (B, height, width) i64. Its weight is the sum of `weights` of its
/// pixels' classes, void 0, at least 1.
Batch example_batch(const FittedExamples& examples, const std::vector<int64_t>& chosen,
                    const Colors& colors, const std::vector<double>& weights,
                    const PictureChanges* limits = nullptr, RandomKey key = {});

/// How large the model sees a picture of height × width: as large as fits into `size` with its
/// proportions, each side a multiple of `stride`. Nothing is added around it.
Pair seen_size(int64_t height, int64_t width, Pair size, int64_t stride);

/// A picture as the model sees it: (1, 3, height, width).
Tensor seen(const Picture& picture, Pair size, int64_t stride, const Colors& colors);

}  // namespace tarsier::zoo::segmentation
