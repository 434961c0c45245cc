#pragma once
// Generated data for image classification: digits drawn from strokes.

#include <cstdint>

#include "../../autograd/base/random.h"
#include "image_folder.h"

namespace tarsier::zoo {

/// A picture of a digit from 0 to 9, bright on black, `size` × `size` grey pixels. Its strokes are
/// smooth curves (Catmull–Rom splines) through a few points; some digits have two ways of writing.
/// `key` and `index` determine everything random: the way of writing, the jitter of the points,
/// width, height, slant, angle and position, width and strength of the pen, and noise.
/// Throws Error("data") for another digit, or a size below 8.
Picture draw_digit(int digit, RandomKey key, uint64_t index, int64_t size = 28);

/// `count` pictures, image i of digit i mod 10.
Images draw_digits(int64_t count, RandomKey key, int64_t size = 28);

/// 6,000 pictures for training and 1,000 others for the test, always the same.
ImageFolder digits_folder();

}  // namespace tarsier::zoo
