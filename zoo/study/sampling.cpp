#include "zoo/study/sampling.h"

#include <algorithm>

namespace tarsier::study {

namespace {

constexpr int64_t kMostNumbers = 1'600'000, kWhole = 262'144, kLeast = 256;
// Of a tensor that is too large, rows with so many elements.
constexpr int64_t kSampled = 16'384;
constexpr int64_t kInside = 16'384, kLeastInside = 1024, kDerived = 2048, kLeastDerived = 128;

/// How many elements a tensor may have to travel whole.
struct Limits {
  int64_t needed, inside, derived;

  int64_t of(Travel travel) const {
    if (travel == Travel::needed) return needed;
    if (travel == Travel::inside) return inside;
    return travel == Travel::derived ? derived : kWhole;
  }
};

std::vector<int64_t> rows_of(const RecordedTensor& tensor, const Limits& limits) {
  const Tensor& x = tensor.values;
  const int64_t most = limits.of(tensor.travel);
  if (x.numel() <= most) return {};
  const int64_t length = x.dim() == 0 ? 1 : x.shape().back(), rows = x.numel() / length;
  const int64_t room = std::max<int64_t>(1, std::min(most, kSampled) / length);
  if (rows <= room) return {};
  std::vector<int64_t> chosen;
  for (const int64_t row : tensor.rows)
    if (row >= 0 && row < rows) chosen.push_back(row);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  if (static_cast<int64_t>(chosen.size()) > room) chosen.resize(static_cast<size_t>(room));
  if (chosen.empty())
    for (int64_t i = 0; i < room; ++i) chosen.push_back(i * rows / room);
  return chosen;
}

int64_t size_of(const RecordedTensor& tensor, const std::vector<int64_t>& rows) {
  const Tensor& x = tensor.values;
  return rows.empty() ? x.numel() : static_cast<int64_t>(rows.size()) * x.shape().back();
}

using Recordings = std::vector<const Recording*>;

int64_t size_with(const Recordings& recordings, const Limits& limits) {
  int64_t size = 0;
  for (const Recording* recording : recordings)
    for (const RecordedTensor& tensor : recording->tensors)
      size += size_of(tensor, rows_of(tensor, limits));
  return size;
}

/// The largest limits that fit, or the smallest ones. If even the smallest of the others leave no
/// room for all that is needed, they stay between: what is left then goes to what is needed.
Limits limits_for(const Recordings& recordings) {
  const auto fit = [&](const Limits& limits) {
    return size_with(recordings, limits) <= kMostNumbers;
  };
  for (int64_t inside = kInside; inside >= kLeastInside; inside /= 2)
    for (int64_t derived = kDerived; derived >= kLeastDerived; derived /= 2)
      if (const Limits limits{kWhole, inside, derived}; fit(limits)) return limits;
  for (int64_t needed = kWhole; needed > kLeast; needed /= 2)
    if (const Limits limits{needed, std::min(needed, kInside / 4), std::min(needed, kDerived / 4)};
        fit(limits))
      return limits;
  return {kLeast, kLeast, kLeastDerived};
}

}  // namespace

std::vector<Rows> rows_that_travel(const Recordings& recordings) {
  const Limits limits = limits_for(recordings);
  int64_t room = kMostNumbers - size_with(recordings, limits);
  std::vector<Rows> all;
  for (const Recording* recording : recordings) {
    Rows& rows = all.emplace_back();
    for (const RecordedTensor& tensor : recording->tensors) {
      rows.push_back(rows_of(tensor, limits));
      const int64_t more = tensor.values.numel() - size_of(tensor, rows.back());
      const bool wanted = tensor.travel == Travel::needed && tensor.values.numel() <= kWhole;
      if (!wanted || more > room) continue;
      rows.back().clear();
      room -= more;
    }
  }
  return all;
}

}  // namespace tarsier::study
