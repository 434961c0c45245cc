#pragma once
// Storage, and the caching allocator that provides its memory.
//
// Training allocates the same sizes at every step. So freed blocks are kept and reused: returning
// memory to the system and faulting it in again costs more than the arithmetic of a small model.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tarsier {

/// The memory of one or more tensors (views share it): 64-byte aligned, not initialised.
class Storage {
 public:
  /// Takes `bytes` from the allocator. Throws Error("memory") if the system has no more.
  explicit Storage(size_t bytes);
  /// Memory owned by `owner` (a mapped file), which stays alive as long as this.
  Storage(void* data, size_t bytes, std::shared_ptr<const void> owner);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  /// Grows by one with every in-place change, so that backward can detect that a saved tensor has
  /// changed.
  int64_t version() const { return version_.load(std::memory_order_relaxed); }
  /// Counts an in-place change by `op` (a string literal, for the error message).
  void bump_version(const char* op) {
    version_.fetch_add(1, std::memory_order_relaxed);
    changed_by_.store(op, std::memory_order_relaxed);
  }
  const char* changed_by() const { return changed_by_.load(std::memory_order_relaxed); }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
  std::atomic<int64_t> version_{0};
  std::atomic<const char*> changed_by_{""};
  std::shared_ptr<const void> owner_;
};

/// Byte counts of the allocator. Blocks are rounded up, so these are a little over the sum of the
/// tensors' sizes.
struct MemoryStats {
  int64_t current_bytes;  ///< in use by live tensors
  int64_t peak_bytes;     ///< largest current_bytes since start or reset_peak_memory()
  int64_t largest_bytes;  ///< largest current_bytes since start, at least 1 MB: bounds the cache
  int64_t cached_bytes;   ///< freed and kept for reuse
  int64_t allocations;    ///< blocks requested since start
  int64_t system_allocations;  ///< of these, those that the cache could not serve
};

MemoryStats memory_stats();

/// Sets peak_bytes to current_bytes.
void reset_peak_memory();

/// Returns all cached blocks to the system.
void empty_memory_cache();

}  // namespace tarsier
