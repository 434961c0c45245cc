#pragma once
// Slower and faster speech at the same pitch.

#include <cstdint>
#include <vector>

#include "spectrogram.h"

namespace tarsier::zoo {

/// The frames before `end`, from where the piece before ends, become `factor` times as many.
struct Stretch {
  int64_t end = 0;
  double factor = 1;
};

/// The frames at another speed, piece by piece: the n frames of a piece that begins at frame b become
/// m = max(1, round(factor · n)) frames, the j-th of them
///   y_j = (1 − f) · x_⌊s⌋ + f · x_⌊s⌋₊₁,   s = b + (j + ½) · n / m − ½,   f = s − ⌊s⌋,
/// where frames beyond the ends are those at the ends. Unlike sound at another speed
/// (resample.h), voices keep their pitch.
/// Throws Error("stretch") unless the ends grow, the last one is the number of frames, and factors
/// are positive.
Frames stretched(const Frames& frames, const std::vector<Stretch>& pieces);

}  // namespace tarsier::zoo
