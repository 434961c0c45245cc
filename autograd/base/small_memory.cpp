#include "autograd/base/small_memory.h"

#include <utility>

namespace tarsier::detail {
namespace {

/// Frees the blocks of a thread with it.
struct SmallBlocksOwner {
  bool exists = true;
  ~SmallBlocksOwner() { small_blocks.close(); }
};

}  // namespace

void* SmallBlocks::make(size_t size) {
  thread_local const SmallBlocksOwner owner;
  static_cast<void>(owner.exists);  // the first use makes it
  return ::operator new(size* kStep);
}

void SmallBlocks::close() {
  most_ = 0;
  for (Free*& first : first_)
    while (first != nullptr) ::operator delete(std::exchange(first, first->next));
}

}  // namespace tarsier::detail
