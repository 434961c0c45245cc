#pragma once
// Writes captions with a trained Captioner.

#include <cstdint>
#include <vector>

#include "../transformer/beam.h"
#include "model.h"

namespace tarsier::zoo::captioning {

/// The best caption of one picture, (1, 3, height, width), without begin and end. The model must be
/// in eval().
std::vector<int32_t> describe(Captioner& model, const Tensor& image,
                              const transformer::BeamOptions& options);

/// Captions as a model is taught them: "target" (B, T), which the decoder reads and which begins
/// with kBegin, and "next" (B, T), the words that follow, both padded with kPad. `captions` end with
/// kEnd.
struct Teaching {
  Tensor target, next;
  int64_t words = 0;  ///< of all captions
};
Teaching teaching_of(const std::vector<std::vector<int32_t>>& captions);

/// Whether the likeliest word at every place is the right one, for each caption. Then greedy search
/// writes exactly this caption. `logits` (B, T, V), `next` (B, T).
std::vector<bool> all_right(const Tensor& logits, const Tensor& next);

}  // namespace tarsier::zoo::captioning
