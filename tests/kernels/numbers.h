#pragma once
// Inputs of the tests of elementwise kernels.

#include <cstdint>
#include <random>
#include <vector>

template <class T>
std::vector<T> numbers(int64_t n, unsigned seed, double low = -3, double high = 3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

inline constexpr int64_t kLongest = 67;  // more than four registers of the widest set, and a tail
inline constexpr double kGuard = 12345;
