#pragma once
// SpecAugment: stretches of time and of frequency that a model must do without.

#include <cstdint>

#include "../../autograd/base/random.h"
#include "spectrogram.h"

namespace tarsier::zoo {

struct MaskingOptions {
  int64_t frequency_masks = 2, frequency_width = 8;  ///< bands
  int64_t time_masks = 2, time_width = 10;           ///< frames
  double time_share = 0.2;  ///< a mask over time is at most this share of all frames wide
};

/// Sets bands and frames of `frames` to `fill`. Each mask over `size` positions has the width
/// min(⌊u·W⌋, size) and begins at ⌊v·(size − width + 1)⌋, u and v uniform in [0, 1), drawn from `key`;
/// W is the given width, and for time at most ⌊time_share · frames⌋. So the width W itself never
/// occurs, and W = 1 masks nothing, as in torchaudio.functional.mask_along_axis.
/// Throws Error("masking") for negative options.
/// Source: Park et al. 2019, "SpecAugment: a simple data augmentation method for automatic speech
/// recognition".
void mask(Frames& frames, const MaskingOptions& options, float fill, RandomKey key);

}  // namespace tarsier::zoo
