#pragma once
// Counter-based random numbers: number i of a stream depends only on (seed, stream, i).
//
// So a dropout mask can be recomputed in backward instead of being stored, a run does not depend on
// the number of threads, and the whole state of a generator is two integers.

#include <array>
#include <atomic>
#include <cstdint>

namespace tarsier {

/// Philox-4x32-10: ten rounds that turn a 128-bit counter and a 64-bit key into 128 random bits.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Names one stream of random numbers. A random op stores it for its backward.
struct RandomKey {
  uint64_t seed = 0;
  uint64_t stream = 0;
};

/// Number `index` of a stream, uniform in [0, 1): 24 random bits for float, 53 for double.
template <class T>
T uniform(RandomKey key, uint64_t index);

/// A sequence of streams. Every random op takes the next one. Several threads may draw at once: no
/// two get the same stream, but which thread gets which depends on timing. A thread whose numbers
/// must be the same in every run needs its own generator.
class Generator {
 public:
  explicit Generator(uint64_t seed = 0) : seed_(seed) {}
  Generator(const Generator& other) { set_state(other.state()); }
  Generator& operator=(const Generator& other) {
    set_state(other.state());
    return *this;
  }
  RandomKey next() { return {seed_.load(kRelaxed), stream_.fetch_add(1, kRelaxed)}; }
  /// Restarts with `seed`, at stream 0.
  void manual_seed(uint64_t seed) { set_state({seed, 0}); }
  /// The whole state, for a checkpoint.
  RandomKey state() const { return {seed_.load(kRelaxed), stream_.load(kRelaxed)}; }
  void set_state(RandomKey state) {
    seed_.store(state.seed, kRelaxed);
    stream_.store(state.stream, kRelaxed);
  }

 private:
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  std::atomic<uint64_t> seed_ = 0, stream_ = 0;
};

/// The generator of every op that is not given another.
Generator& default_generator();

/// default_generator().manual_seed(seed).
void manual_seed(uint64_t seed);

}  // namespace tarsier
