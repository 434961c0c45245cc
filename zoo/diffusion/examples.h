#pragma once
// Pictures as the model learns from them: with noise, times and classes.

#include <vector>

#include "../data/images.h"
#include "../task/batch.h"
#include "model.h"

namespace tarsier::zoo::diffusion {

/// Images with these numbers in the model's numbers, byte v as v / 128 − 1, the lowest of its
/// interval: (B, channels, height, width).
Tensor lowest_of(const Images& images, const std::vector<int64_t>& chosen,
                 const Augmentation& augmentation = {}, RandomKey key = {}, int64_t step = 0);

/// The same with byte v anywhere in [v, v + 1) / 128 − 1, drawn
/// by `generator`, so that pictures have a density: (B, channels, height, width).
Tensor spread_pictures(const Images& images, const std::vector<int64_t>& chosen,
                       Generator& generator, const Augmentation& augmentation = {},
                       RandomKey key = {}, int64_t step = 0);

/// How batches are drawn for training.
struct Drawing {
  double class_dropout = 0.1;  ///< the share of pictures whose class is hidden
  double time_spread = 1;      ///< of random_times()
  Augmentation augmentation = {.shift = 0};
};

/// "pictures" and "noise" (B, channels, height, width), "times" (B), "labels" (B). All random
/// numbers depend on the seed and the batch's number alone.
Batch training_batch(const Config& config, const Images& images, const std::vector<int64_t>& chosen,
                     const Drawing& drawing, uint64_t seed, int64_t number);

/// The mean squared error over all images, with the same noise at every call and times that are
/// spread evenly over [0, 1]. Not recorded.
double mean_loss(DiffusionTransformer& model, const Images& images);

/// The mean squared error of a batch.
Tensor flow_loss(DiffusionTransformer& model, const Batch& batch);

/// What a number of the pictures costs in bits, given the classes, and its standard error.
struct Bits {
  double mean = 0, error = 0;
};

/// −log₂ p of the first `count` images, a number of the pictures, as the flow of the model's field
/// gives it (log_density()), in so many steps. Since a byte is an interval of 1/128, p is
/// the density times 128^−d; uniformly distributed bytes would cost 8 bits. Above the bits of the
/// bytes themselves by as much as their distribution within the intervals is not uniform.
Bits bits_per_dimension(DiffusionTransformer& model, const Images& images, int64_t count,
                        int64_t steps);

}  // namespace tarsier::zoo::diffusion
