#include "autograd/loops/transpose.kernel.h"
#include "autograd/simd/dispatch.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace tarsier::kernels {
namespace {

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

TEST_CASE_TEMPLATE("transpose moves every element, at every length around the register width", T,
                   float, double) {
  constexpr T untouched = 0.5;
  for (int64_t rows = 0; rows <= 35; ++rows)
    for (int64_t cols = 0; cols <= 35; ++cols) {
      const int64_t from_row = rows + 3, to_row = cols + 2;
      std::vector<T> from(cols * from_row + 1), to((rows + 1) * to_row, untouched);
      for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i + 1);
      active<TransposeKernels<T>>().transpose(rows, cols, from.data() + 1, from_row, to.data() + 1,
                                              to_row);
      int64_t wrong = to[0] != untouched;
      for (int64_t i = 0; i <= rows; ++i)
        for (int64_t j = 0; j < to_row && 1 + i * to_row + j < std::ssize(to); ++j) {
          const bool inside = i < rows && j < cols;
          wrong += to[1 + i * to_row + j] != (inside ? from[1 + j * from_row + i] : untouched);
        }
      CAPTURE(rows);
      CAPTURE(cols);
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("transpose keeps the bits of zeros, NaNs and subnormals", T, float, double) {
  using Limits = std::numeric_limits<T>;
  T with_payload = Limits::quiet_NaN();
  unsigned char last_byte = 0x5a;  // a payload of its own
  std::memcpy(&with_payload, &last_byte, 1);
  const std::vector<T> special = {T(-0.0), Limits::denorm_min(), -Limits::infinity(), with_payload,
                                  -with_payload};
  constexpr int64_t n = 19;
  std::vector<T> from(n * n), to(n * n);
  for (size_t i = 0; i < from.size(); ++i) from[i] = special[i % special.size()];
  active<TransposeKernels<T>>().transpose(n, n, from.data(), n, to.data(), n);
  int64_t wrong = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) wrong += !same_bits(to[i * n + j], from[j * n + i]);
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace tarsier::kernels
