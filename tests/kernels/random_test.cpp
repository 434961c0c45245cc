// Vectorised Philox gives the numbers of the scalar functions.
#include <doctest/doctest.h>

#include <vector>

#include "autograd/base/random.h"
#include "autograd/loops/random.kernel.h"
#include "autograd/simd/dispatch.h"

using namespace tarsier;

TEST_CASE_TEMPLATE("the uniform kernel gives uniform(key, i), from any start, at any length", T,
                   float, double) {
  const RandomKey key{0x123456789abcdef0, 0xfedcba9876543210};
  for (uint64_t first : {uint64_t(0), uint64_t(1), uint64_t(63), (uint64_t(1) << 36) - 5})
    for (int64_t n : {0, 1, 31, 32, 33, 64, 200}) {
      std::vector<T> y(static_cast<size_t>(n) + 1, T(7));
      kernels::active<kernels::RandomKernels<T>>().uniform(key, first, n, y.data());
      bool equal = y.back() == T(7);
      for (int64_t i = 0; i < n; ++i)
        equal =
            equal && y[static_cast<size_t>(i)] == uniform<T>(key, first + static_cast<uint64_t>(i));
      CHECK(equal);
    }
}

TEST_CASE("the words kernel gives the first two words of philox(), from any start, at any length") {
  const RandomKey key{0x123456789abcdef0, 0xfedcba9876543210};
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto high = [](uint64_t v) { return static_cast<uint32_t>(v >> 32); };
  for (uint64_t first : {uint64_t(0), uint64_t(3), (uint64_t(1) << 32) - 5})
    for (int64_t n : {0, 1, 7, 8, 9, 40}) {
      std::vector<uint64_t> y(static_cast<size_t>(n) + 1, 7);
      kernels::active<kernels::RandomKernels<float>>().words(key, first, n, y.data());
      CHECK(y.back() == 7);
      for (uint64_t i = 0; i < static_cast<uint64_t>(n); ++i) {
        const uint64_t at = first + i;
        const auto words = philox({low(at), high(at), low(key.stream), high(key.stream)},
                                  {low(key.seed), high(key.seed)});
        CHECK(y[i] == (uint64_t(words[1]) << 32 | words[0]));
      }
    }
}

TEST_CASE_TEMPLATE("the dropout kernel drops where uniform<float>(key, i) < p", T, float, double) {
  const RandomKey key{5, 6};
  const float p = 0.3f;
  const T scale = T(1.5);
  std::vector<T> x(1000), y(1000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i + 1);
  kernels::active<kernels::RandomKernels<T>>().dropout(key, 17, 1000, p, scale, x.data(), y.data());
  for (size_t i = 0; i < x.size(); ++i)
    CHECK(y[i] == (uniform<float>(key, 17 + i) < p ? T(0) : x[i] * scale));
}
