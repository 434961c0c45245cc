#pragma once
// Examples at the model's size: batches to train on, and what the model found, in pixels again.

#include <cstdint>
#include <vector>

#include "../data/images.h"
#include "../task/batch.h"
#include "augment.h"
#include "loss.h"
#include "pictures.h"

namespace tarsier::zoo::detection {

/// Pictures fitted into the model's size, with the boxes moved along.
struct FittedExamples {
  Images images;                        ///< labels unused
  std::vector<std::vector<Box>> boxes;  ///< in pixels of the fitted pictures
  std::vector<std::vector<int64_t>> labels;

  int64_t size() const { return images.size(); }
};
/// Groups (crowds) are no objects to learn.
FittedExamples fitted_examples(const std::vector<Example>& examples, Pair size);

/// `box` of a picture of height × width as it lies in the fitted one, and back. The latter is cut at
/// the edges of the picture.
Box to_fitted(const Box& box, int64_t height, int64_t width, Pair size);
Box from_fitted(const Box& box, int64_t height, int64_t width, Pair size);

/// Pictures `chosen`, changed by random numbers from `key` if `limits` are given: "images" (B, 3,
/// height, width), "boxes" (M, 4) as in Objects, "labels" (M) and "counts" (B). Its weight is the
/// number of objects, at least 1.
Batch example_batch(const FittedExamples& examples, const std::vector<int64_t>& chosen,
                    const PixelScale& scale, const Augmentation* limits = nullptr,
                    RandomKey key = {});

Objects objects_of(const Batch& batch);

/// What was found in each picture of a batch, by falling score: the best 100 pairs of a query and a
/// class, with boxes in shares of the sides times `size`. `queries`, if given, gets their numbers.
std::vector<std::vector<Detection>> detections_of(
    const Guess& guess, Pair size, std::vector<std::vector<int64_t>>* queries = nullptr);

}  // namespace tarsier::zoo::detection
