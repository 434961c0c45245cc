#pragma once
// The filters of PNG's rows: a byte is stored as the difference from a guess.

#include <cstdlib>

namespace tarsier::zoo {

inline constexpr int kPngFilters = 5;

/// The guess of a filter from 0 to 4 for a byte, from those to the left, above, and above left, of
/// the same channel (0 outside the picture): 0, left, above, their mean, or Paeth's, the one that
/// is nearest to left + above − above left.
inline int png_guess(int filter, int left, int above, int corner) {
  if (filter == 0) return 0;
  if (filter == 1) return left;
  if (filter == 2) return above;
  if (filter == 3) return (left + above) / 2;
  const int to_left = std::abs(above - corner), to_above = std::abs(left - corner);
  const int to_corner = std::abs(left + above - 2 * corner);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

}  // namespace tarsier::zoo
