#pragma once
// Working memory that a thread keeps from one kernel to the next.

#include <cstdint>
#include <new>

namespace tarsier::kernels::TARSIER_ISA {

/// 64-byte aligned memory that grows when asked for more, and is freed with its thread. Kernels
/// keep one `thread_local`; what get() returned is overwritten by whoever calls get() next.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { ::operator delete(memory_, kAlignment); }

  /// At least `count` elements, not initialised.
  template <class T>
  T* get(int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
    if (bytes > bytes_) {
      ::operator delete(memory_, kAlignment);
      memory_ = nullptr;
      bytes_ = 0;
      memory_ = ::operator new(static_cast<size_t>(bytes), kAlignment);
      bytes_ = bytes;
    }
    return static_cast<T*>(memory_);
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace tarsier::kernels::TARSIER_ISA
