#pragma once
// Working memory that a thread keeps between kernels.

#include <cstddef>
#include <cstdint>
#include <new>

namespace tarsier::kernels::TARSIER_ISA {

/// 64-byte aligned memory that grows on demand. The next call of get() may overwrite the memory
/// that the last one returned. Kernels keep one per thread:
///
///   Scratch& scratch() {
///     thread_local Scratch memory;
///     [[maybe_unused]] thread_local const ScratchOwner owner{memory};
///     return memory;
///   }
///
/// It has no destructor, because objects of static storage duration may compute after the
/// thread_local variables of the main thread are destroyed. They then find an empty Scratch.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// At least `count` elements, not initialised.
  template <class T>
  T* get(int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
    if (bytes > bytes_) {
      release();
      memory_ = ::operator new(static_cast<size_t>(bytes), kAlignment);
      bytes_ = bytes;
    }
    return static_cast<T*>(memory_);
  }

  void release() {
    ::operator delete(memory_, kAlignment);
    memory_ = nullptr;
    bytes_ = 0;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
};

/// Frees a Scratch with its thread.
struct ScratchOwner {
  Scratch& scratch;
  ~ScratchOwner() { scratch.release(); }
};

}  // namespace tarsier::kernels::TARSIER_ISA
