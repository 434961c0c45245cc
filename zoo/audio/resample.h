#pragma once
// Sound at another rate.

#include <cstdint>
#include <vector>

#include "wav.h"

namespace tarsier::zoo {

/// The samples x_n at `to` samples for every `from`: ⌈length · to / from⌉ samples
///   y_j = Σ_n x_n · (c / from) · sinc(u) · cos²(π/2 · u / 6),   u = c · (n / from − j / to),
/// over |u| < 6, where c = 0.99 · min(from, to) is twice the highest frequency that is kept, both
/// rates are divided by their greatest common divisor, and sinc(u) = sin(πu) / (πu). So what the
/// lower rate cannot hold is filtered out. Beyond its ends the sound is 0.
/// Equal rates return the samples. Throws Error("resample") for rates that are not positive.
/// The same as torchaudio.functional.resample with its defaults (sinc_interp_hann).
/// Source: Smith 2002, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample
std::vector<float> resampled(const std::vector<float>& samples, int64_t from, int64_t to);

/// The sound at `rate` samples a second.
Sound resampled(const Sound& sound, int64_t rate);

/// Plays the sound `percent` / 100 times as fast, which raises the pitch as well: 90 makes a second
/// last 1.11 s. Throws Error("resample") unless percent is positive.
/// Source: Ko et al. 2015, "Audio augmentation for speech recognition".
std::vector<float> at_speed(const std::vector<float>& samples, int64_t percent);

}  // namespace tarsier::zoo
