#pragma once
// The number of threads within a test.

#include "autograd/base/parallel.h"

namespace tarsier {

/// Puts the number of threads back at the end of a scope; sets it at the beginning where one is
/// given.
class Threads {
 public:
  Threads() = default;
  explicit Threads(int count) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  const int before_ = num_threads();
};

}  // namespace tarsier
