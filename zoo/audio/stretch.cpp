#include "zoo/audio/stretch.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"

namespace tarsier::zoo {

Frames stretched(const Frames& frames, const std::vector<Stretch>& pieces) {
  Frames out{.count = 0, .width = frames.width, .values = {}};
  int64_t begin = 0;
  for (const Stretch& piece : pieces) {
    const int64_t from = piece.end - begin;
    check(from > 0 && piece.factor > 0, "stretch", "a piece from frame ", begin, " to ", piece.end,
          " with factor ", piece.factor, ": both its length and factor must be positive");
    const auto to = std::max<int64_t>(1, std::llround(piece.factor * static_cast<double>(from)));
    for (int64_t j = 0; j < to; ++j) {
      const double place =
          static_cast<double>(begin) - 0.5 +
          (static_cast<double>(j) + 0.5) * static_cast<double>(from) / static_cast<double>(to);
      const double before = std::floor(place), share = place - before;
      const auto frame = [&](double t) {
        return std::clamp<int64_t>(static_cast<int64_t>(t), 0, frames.count - 1);
      };
      const int64_t a = frame(before), b = frame(before + 1);
      for (int64_t m = 0; m < frames.width; ++m)
        out.values.push_back(
            static_cast<float>((1 - share) * frames.at(a, m) + share * frames.at(b, m)));
    }
    out.count += to;
    begin = piece.end;
  }
  check(begin == frames.count, "stretch", "the last piece ends at frame ", begin, " of ",
        frames.count, ": it must end with the last");
  return out;
}

}  // namespace tarsier::zoo
