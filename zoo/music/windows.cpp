#include "zoo/music/windows.h"

#include <algorithm>

#include "autograd/ops.h"

namespace tarsier::zoo::music {

Batch window_batch(const Facts& facts, const std::vector<Window>& windows) {
  int64_t longest = 1, counted = 0;
  for (const Window& window : windows) longest = std::max(longest, window.end - window.begin);
  std::vector<int64_t> known, targets;
  for (const Window& window : windows) {
    for (int64_t i = window.begin; i < window.end; ++i) {
      facts.append(*window.score, i, known);
      const bool counts = i >= window.first;
      targets.push_back(counts ? facts.index_of(window.score->notes[static_cast<size_t>(i)])
                               : kNoTarget);
      counted += counts ? 1 : 0;
    }
    const int64_t missing = longest - (window.end - window.begin);
    targets.insert(targets.end(), static_cast<size_t>(missing), kNoTarget);
    for (int64_t i = 0; i < missing; ++i)  // any facts that exist
      known.insert(known.end(), known.end() - facts.count(), known.end());
  }
  const auto B = static_cast<int64_t>(windows.size());
  return {{{"facts", from_vector(known, {B, longest, facts.count()})},
           {"targets", from_vector(targets, {B, longest})}},
          counted};
}

Batch training_batch(const Facts& facts, const std::vector<Score>& pieces, const Range& range,
                     const Transposition& transposition, RandomKey key, int64_t number,
                     int64_t size, int64_t length) {
  int64_t all = 0;
  for (const Score& piece : pieces) all += piece.steps();
  std::vector<Score> drawn;
  std::vector<Window> windows;
  drawn.reserve(static_cast<size_t>(size));  // the windows point into it
  for (int64_t b = 0; b < size; ++b) {
    const auto random = [&](int64_t below, uint64_t which) {
      const auto index = static_cast<uint64_t>((number - 1) * size + b) * 2 + which;
      return static_cast<int64_t>(uniform<double>(key, index) * static_cast<double>(below));
    };
    int64_t step = random(all, 0);
    auto piece = pieces.begin();
    for (; step >= piece->steps(); ++piece) step -= piece->steps();
    const std::vector<int32_t> shifts =
        range.shifts(*piece, static_cast<int32_t>(transposition.least),
                     static_cast<int32_t>(transposition.most));
    const int64_t shift = random(static_cast<int64_t>(shifts.size()), 1);
    drawn.push_back(transposed(*piece, shifts[static_cast<size_t>(shift)]));
    // The step drawn is the middle of the window, so that notes near both ends are seen as often.
    const int64_t V = piece->voices, last = std::max<int64_t>(0, piece->size() - length);
    const int64_t begin = std::clamp<int64_t>((step - length / V / 2) * V, 0, last / V * V);
    windows.push_back({&drawn.back(), begin, std::min(begin + length, piece->size())});
  }
  return window_batch(facts, windows);
}

void for_each_window(const std::vector<Score>& pieces, int64_t length,
                     const std::function<void(const std::vector<Window>&)>& use) {
  const auto batch = static_cast<size_t>(std::max<int64_t>(1, 4096 / length));
  std::vector<Window> windows;
  for (const Score& piece : pieces) {
    const int64_t stride = std::max<int64_t>(1, length / piece.voices / 2) * piece.voices;
    for (int64_t done = 0, begin = 0; done < piece.size(); begin += stride) {
      const int64_t end = std::min(begin + length, piece.size());
      windows.push_back({&piece, begin, end, done});
      done = end;
      if (windows.size() < batch) continue;
      use(windows);
      windows.clear();
    }
  }
  if (!windows.empty()) use(windows);
}

}  // namespace tarsier::zoo::music
