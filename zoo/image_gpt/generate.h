#pragma once
// Draws with a trained model, block by block.

#include <cstdint>
#include <vector>

#include "../gpt/sampling.h"
#include "model.h"

namespace tarsier::zoo::image_gpt {

/// Pictures (B, height, width) i64 whose first `given` blocks in reading order are those of
/// `pixels`, the others drawn by `sampling` from what the model thinks of them. Picture b gets the
/// random numbers of number `first` + b, whatever the others are. Each block costs a pass over one
/// block, because keys and values are kept.
/// Throws Error("image-gpt") for pixels of another size than the model's, or other levels.
Tensor finished(ImageGpt& model, const Tensor& pixels, int64_t given, const gpt::Sampling& sampling,
                int64_t first = 0);

/// The same from nothing: (count, height, width).
Tensor new_drawings(ImageGpt& model, int64_t count, const gpt::Sampling& sampling);

}  // namespace tarsier::zoo::image_gpt
