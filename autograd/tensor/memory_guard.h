#pragma once
// Finds writes outside a tensor without a sanitizer.

#include <cstdint>

namespace tarsier {

/// While one lives, the memory of new tensors lies between 128 guard bytes on each side, and starts
/// filled with them (as f32 −2.87e-16, which a check of values notices). Freeing checks the guard
/// bytes:
///
///   MemoryGuard guard;
///   { my_op(x).backward(dy); }                // all its tensors are gone here
///   check(guard.damaged() == 0, "my_op", "writes outside a tensor");
///
/// Slow; for tests of ops that write to raw memory.
class MemoryGuard {
 public:
  MemoryGuard();
  ~MemoryGuard();
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

  /// Blocks that were freed since this one was made and whose guard bytes had been overwritten.
  int64_t damaged() const;

 private:
  int64_t before_;
};

}  // namespace tarsier
