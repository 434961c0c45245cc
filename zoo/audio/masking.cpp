#include "zoo/audio/masking.h"

#include <algorithm>

#include "autograd/base/error.h"

namespace tarsier::zoo {

void mask(Frames& frames, const MaskingOptions& options, float fill, RandomKey key) {
  check(options.frequency_masks >= 0 && options.frequency_width >= 0 && options.time_masks >= 0 &&
            options.time_width >= 0 && options.time_share >= 0,
        "masking", "an option is negative: expected 0 or more");
  uint64_t drawn = 0;
  /// [begin, end) of a mask over `size` positions.
  const auto draw = [&](int64_t size, int64_t width) {
    const auto below = [&](int64_t limit) {
      return static_cast<int64_t>(uniform<double>(key, drawn++) * static_cast<double>(limit));
    };
    const int64_t wide = std::min(below(width), size), begin = below(size - wide + 1);
    return std::pair{begin, begin + wide};
  };
  const auto at = [&](int64_t t, int64_t m) -> float& {
    return frames.values[static_cast<size_t>(t * frames.width + m)];
  };
  for (int64_t i = 0; i < options.frequency_masks; ++i) {
    const auto [begin, end] = draw(frames.width, options.frequency_width);
    for (int64_t t = 0; t < frames.count; ++t)
      for (int64_t m = begin; m < end; ++m) at(t, m) = fill;
  }
  const auto widest = static_cast<int64_t>(options.time_share * static_cast<double>(frames.count));
  for (int64_t i = 0; i < options.time_masks; ++i) {
    const auto [begin, end] = draw(frames.count, std::min(options.time_width, widest));
    for (int64_t t = begin; t < end; ++t)
      for (int64_t m = 0; m < frames.width; ++m) at(t, m) = fill;
  }
}

}  // namespace tarsier::zoo
