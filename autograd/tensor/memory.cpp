#include "autograd/tensor/memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "autograd/base/error.h"
#include "autograd/base/sanitizer.h"
#include "autograd/tensor/memory_guard.h"

#ifdef TARSIER_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace tarsier {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = 2 << 20;

// Under AddressSanitizer, memory that the allocator holds but nobody owns must not be touched:
// freed blocks, and the bytes that rounding up adds.
void forbid([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) {
#ifdef TARSIER_ASAN
  __asan_poison_memory_region(p, bytes);
#endif
}
void allow([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) {
#ifdef TARSIER_ASAN
  __asan_unpoison_memory_region(p, bytes);
#endif
}

/// The size of a block, and its place among all sizes: multiples of 64 bytes, and from 1 KiB on
/// eight sizes per power of two, so that nearly equal requests share blocks and at most an eighth is
/// wasted.
struct BlockSize {
  size_t bytes, index;

  explicit BlockSize(size_t wanted) {
    const auto doublings = static_cast<size_t>(std::bit_width(wanted / (kAlignment * 8) | 1)) - 1;
    const size_t step = kAlignment << doublings, steps = (wanted + step - 1) / step;
    bytes = steps * step;
    index = doublings * 8 + steps;
  }
  static constexpr size_t kCount = (64 - 9) * 8 + 17;
  static size_t bytes_at(size_t index) {
    const size_t doublings = index <= 16 ? 0 : (index - 9) / 8;
    return (index - 8 * doublings) * (kAlignment << doublings);
  }
};

/// A new block from the system, or null. Large ones ask Linux for huge pages: memory that is touched
/// for the first time comes in 4 KiB pages otherwise, several times as slowly as it is copied.
void* new_block(size_t bytes) {
  const bool large = bytes >= 2 * kHugePage;
  void* block = nullptr;  // aligned_alloc would want a multiple of the alignment
  if (::posix_memalign(&block, large ? kHugePage : kAlignment, bytes) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  if (large) ::madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return block;
}

class Allocator;
Allocator& allocator();

/// Freed blocks by size, and the counts. One for the process, never destroyed: tensors of static
/// storage duration may outlive any order of destruction.
class Allocator {
 public:
  Allocator() {
    stats_.largest_bytes = 1 << 20;  // for small programs
    hold_during_fork();
  }

  void* take(size_t bytes) {
    const auto [size, index] = BlockSize(bytes);
    std::lock_guard lock(mutex_);
    ++stats_.allocations;
    void* block = nullptr;
    if (auto& blocks = free_[index]; !blocks.empty()) {
      block = blocks.back();
      blocks.pop_back();
      stats_.cached_bytes -= static_cast<int64_t>(size);
    } else {
      block = new_block(size);
      if (block == nullptr) {
        release_all();
        block = new_block(size);
      }
      check(block != nullptr, "memory", "the system cannot give ", (size >> 20) + 1, " MB more; ",
            stats_.current_bytes >> 20, " MB are in use: use smaller sizes or batches");
      ++stats_.system_allocations;
    }
    stats_.current_bytes += static_cast<int64_t>(size);
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.current_bytes);
    stats_.largest_bytes = std::max(stats_.largest_bytes, stats_.current_bytes);
    allow(block, bytes);
    forbid(static_cast<char*>(block) + bytes, size - bytes);
    return block;
  }

  void give_back(void* block, size_t bytes) {
    const auto [size, index] = BlockSize(bytes);
    std::lock_guard lock(mutex_);
    stats_.current_bytes -= static_cast<int64_t>(size);
    used_[index] = ++clock_;
    // Keep little more than the peak use: a program whose sizes keep changing (decoding, one token
    // longer at every step) must not collect one block of every size. What a training step frees is
    // needed again in the next one, so the block that is one too many goes back to the system;
    // blocks that nobody has used for many steps go first.
    const auto too_many = [&] {
      return stats_.current_bytes + stats_.cached_bytes + static_cast<int64_t>(size) >
             stats_.largest_bytes + stats_.largest_bytes / 4;
    };
    while (too_many() && release_stale()) {
    }
    if (too_many()) {
      allow(block, size);
      std::free(block);
      return;
    }
    forbid(block, size);
    free_[index].push_back(block);
    stats_.cached_bytes += static_cast<int64_t>(size);
  }

  void empty_cache() {
    std::lock_guard lock(mutex_);
    release_all();
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak_bytes = stats_.current_bytes;
  }

 private:
  void release_all() {
    for (size_t index = 0; index < free_.size(); ++index) release(index);
  }

  /// Returns the blocks of a size to the system.
  void release(size_t index) {
    const size_t size = BlockSize::bytes_at(index);
    for (void* block : free_[index]) {
      allow(block, size);
      std::free(block);
      stats_.cached_bytes -= static_cast<int64_t>(size);
    }
    free_[index].clear();
  }

  /// Returns the blocks of the size that was freed last the longest ago, if that is long ago.
  bool release_stale() {
    constexpr uint64_t kMany = 1 << 15;  // freed blocks: several steps of a large model
    size_t oldest = free_.size();
    for (size_t index = 0; index < free_.size(); ++index)
      if (!free_[index].empty() && (oldest == free_.size() || used_[index] < used_[oldest]))
        oldest = index;
    if (oldest == free_.size() || clock_ - used_[oldest] < kMany) return false;
    release(oldest);
    return true;
  }

  /// A child of fork() has only the thread that called fork(). If another thread held the lock at
  /// that moment, nothing would unlock it in the child. So fork() runs with the lock held.
  static void hold_during_fork() {
    ::pthread_atfork([] { allocator().mutex_.lock(); }, [] { allocator().mutex_.unlock(); },
                     [] { allocator().mutex_.unlock(); });
  }

  std::mutex mutex_;
  std::array<std::vector<void*>, BlockSize::kCount> free_;  // by BlockSize::index
  std::array<uint64_t, BlockSize::kCount> used_{};  // when a block of the size was freed last
  uint64_t clock_ = 0;                              // counts freed blocks
  MemoryStats stats_{};
};

Allocator& allocator() {
  static Allocator* const instance = new Allocator;
  return *instance;
}

/// Blocks between guard bytes: those that were allocated while a MemoryGuard lived.
class Guards {
 public:
  void start() { wanted_.fetch_add(1, std::memory_order_relaxed); }
  void stop() { wanted_.fetch_sub(1, std::memory_order_relaxed); }
  int64_t damaged() const { return damaged_.load(std::memory_order_relaxed); }

  void* take(size_t bytes) {
    if (wanted_.load(std::memory_order_relaxed) == 0) return allocator().take(bytes);
    char* const block = static_cast<char*>(allocator().take(bytes + 2 * kGuard));
    std::memset(block, kPattern, bytes + 2 * kGuard);
    const std::lock_guard lock(mutex_);
    blocks_.insert(block + kGuard);
    any_.store(true, std::memory_order_relaxed);
    return block + kGuard;
  }

  void give_back(void* data, size_t bytes) {
    if (any_.load(std::memory_order_relaxed)) {
      const std::lock_guard lock(mutex_);
      if (blocks_.erase(data) > 0) {
        any_.store(!blocks_.empty(), std::memory_order_relaxed);
        char* const block = static_cast<char*>(data) - kGuard;
        if (!untouched(block) || !untouched(block + kGuard + bytes))
          damaged_.fetch_add(1, std::memory_order_relaxed);
        return allocator().give_back(block, bytes + 2 * kGuard);
      }
    }
    allocator().give_back(data, bytes);
  }

 private:
  static constexpr size_t kGuard = 2 * kAlignment;
  static constexpr unsigned char kPattern = 0xA5;
  static bool untouched(const char* bytes) {
    for (size_t i = 0; i < kGuard; ++i)
      if (static_cast<unsigned char>(bytes[i]) != kPattern) return false;
    return true;
  }

  std::mutex mutex_;
  std::unordered_set<void*> blocks_;
  std::atomic<bool> any_ = false;
  std::atomic<int> wanted_ = 0;
  std::atomic<int64_t> damaged_ = 0;
};

Guards& guards() {
  static Guards* const instance = new Guards;  // never destroyed, like the allocator
  return *instance;
}

}  // namespace

MemoryGuard::MemoryGuard() : before_(guards().damaged()) { guards().start(); }
MemoryGuard::~MemoryGuard() { guards().stop(); }
int64_t MemoryGuard::damaged() const { return guards().damaged() - before_; }

namespace {

/// The address of tensors without elements. Kernels step through such tensors with offsets, which
/// C++ does not allow from a null pointer.
alignas(64) std::byte no_elements[64];

}  // namespace

Storage::Storage(size_t bytes)
    : data_(bytes > 0 ? guards().take(bytes) : no_elements), bytes_(bytes) {}

Storage::Storage(void* data, size_t bytes, std::shared_ptr<const void> owner)
    : data_(data), bytes_(bytes), owner_(std::move(owner)) {}

Storage::~Storage() {
  if (owner_ == nullptr && bytes_ > 0) guards().give_back(data_, bytes_);
}

MemoryStats memory_stats() { return allocator().stats(); }
void reset_peak_memory() { allocator().reset_peak(); }
void empty_memory_cache() { allocator().empty_cache(); }

}  // namespace tarsier
