#pragma once
// Random numbers, drawn one after the other.

#include <algorithm>
#include <cstdint>

#include "../../autograd/base/random.h"

namespace tarsier::zoo {

/// The numbers of a stream in order, for what is made up: two dice with the same key roll the same.
/// They begin with number `first` of the stream.
class Dice {
 public:
  explicit Dice(RandomKey key, uint64_t first = 0) : key_(key), next_(first) {}
  /// In [0, 1).
  double roll() { return uniform<double>(key_, next_++); }
  /// In 0 … n − 1.
  int64_t below(int64_t n) {
    return std::min(n - 1, static_cast<int64_t>(roll() * static_cast<double>(n)));
  }
  /// One of `all`, which has a size and is indexed.
  template <class List>
  const auto& one_of(const List& all) {
    return all[static_cast<size_t>(below(static_cast<int64_t>(all.size())))];
  }

 private:
  RandomKey key_;
  uint64_t next_;
};

}  // namespace tarsier::zoo
