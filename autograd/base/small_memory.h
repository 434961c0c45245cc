#pragma once
// Memory for the small objects that every op makes and drops: handles, nodes, edges.
//
// malloc costs as much as the arithmetic of a tiny tensor. So each thread keeps the blocks that it
// frees, in one list per size, and takes them from there: a few instructions, no lock. A block may
// be freed by another thread than the one that took it.

#include <cstddef>
#include <new>

#include "sanitizer.h"

namespace tarsier::detail {

/// The blocks that a thread has freed and not yet taken again. It has no destructor, because
/// objects of static storage duration may be destroyed after the thread_local variables of the main
/// thread; SmallBlocksOwner releases it.
class SmallBlocks {
 public:
  void* take(size_t bytes) {
    const size_t size = class_of(bytes);
    if (size >= kSizes) return ::operator new(bytes);
    Free* const block = first_[size];
    if (block == nullptr) return make(size);
    first_[size] = block->next;
    --count_[size];
    return block;
  }

  void give_back(void* block, size_t bytes) {
    const size_t size = class_of(bytes);
    if (size >= kSizes || count_[size] >= most_) return ::operator delete(block);
    first_[size] = new (block) Free{first_[size]};
    ++count_[size];
  }

  /// Frees all blocks, and keeps no others from now on.
  void close();

 private:
  struct Free {
    Free* next;
  };
  static constexpr size_t kStep = 64, kSizes = 17;  // blocks of 64, 128, … 1024 bytes
  static constexpr size_t class_of(size_t bytes) { return (bytes + kStep - 1) / kStep; }

  static void* make(size_t size);

  Free* first_[kSizes] = {};
  int count_[kSizes] = {};
#ifdef TARSIER_ASAN
  int most_ = 0;
#else
  int most_ = 512;  // of each size: what a training step of a small model takes
#endif
};

inline constinit thread_local SmallBlocks small_blocks;

/// An allocator of the standard library's kind, for std::allocate_shared and containers.
template <class T>
struct SmallMemory {
  using value_type = T;
  SmallMemory() = default;
  template <class U>
  SmallMemory(const SmallMemory<U>&) {}

  T* allocate(size_t n) { return static_cast<T*>(small_blocks.take(n * sizeof(T))); }
  void deallocate(T* p, size_t n) { small_blocks.give_back(p, n * sizeof(T)); }
  friend bool operator==(SmallMemory, SmallMemory) { return true; }
};

}  // namespace tarsier::detail
