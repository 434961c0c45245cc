#pragma once
// Sets the number of threads within a test.

#include "autograd/base/parallel.h"

namespace tarsier {

/// Restores the number of threads at the end of a scope; sets it at the beginning if one is given.
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
