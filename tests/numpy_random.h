#pragma once
// numpy's random numbers, for examples that were made with it.

#include <cstdint>
#include <random>

namespace tarsier {

/// numpy's legacy generator, for reproducing published examples: after np.random.seed(s), calls of
/// np.random.rand draw the numbers that rand() gives here. MT19937 with 53-bit doubles:
/// (a >> 5, b >> 6) of two successive draws, (a·2²⁶ + b) / 2⁵³.
/// Source: https://numpy.org/doc/stable/reference/random/legacy.html
class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : engine_(seed) {}
  double rand() {
    const uint32_t a = static_cast<uint32_t>(engine_()) >> 5;
    const uint32_t b = static_cast<uint32_t>(engine_()) >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace tarsier
