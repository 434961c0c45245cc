// Reductions of rows and columns compared with long double, at every tail length.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>
#include "autograd/loops/reduce.kernel.h"
#include "autograd/simd/dispatch.h"

using tarsier::kernels::Reduce;

namespace {

/// Numbers of both signs and several magnitudes, always the same.
template <class T>
std::vector<T> numbers(size_t count) {
  std::vector<T> x(count);
  uint32_t state = 12345;
  for (T& value : x) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<T>(static_cast<int32_t>(state)) / T(1 << 30);
  }
  return x;
}

/// The reduction of x[0], x[step], … in long double, and Σ|terms|, which bounds its rounding.
template <class T>
std::pair<long double, long double> reference(Reduce op, const T* x, int64_t n, int64_t step) {
  long double result = op == Reduce::prod ? 1 : 0, size = 0;
  if (op == Reduce::max) result = -INFINITY;
  if (op == Reduce::min) result = INFINITY;
  for (int64_t i = 0; i < n; ++i) {
    const long double v = x[i * step];
    if (op == Reduce::sum) result += v;
    if (op == Reduce::prod) result *= v;
    if (op == Reduce::max) result = std::max(result, v);
    if (op == Reduce::min) result = std::min(result, v);
    if (op == Reduce::sum_squares) result += v * v;
    size += op == Reduce::sum_squares ? v * v : std::fabs(v);
  }
  if (op == Reduce::prod) size = std::fabs(result) * n;  // n roundings
  if (op == Reduce::max || op == Reduce::min) size = 0;  // exact
  return {result, size};
}

template <class T>
bool near(T value, std::pair<long double, long double> wanted) {
  if (std::isinf(wanted.first)) return value == wanted.first;
  // A tree of depth ~10 rounds every term a few times.
  return std::fabs(value - wanted.first) <=
         8 * std::numeric_limits<T>::epsilon() * wanted.second + std::numeric_limits<T>::min();
}

TEST_CASE_TEMPLATE("reduce_rows and reduce_columns work at every length", T, float, double) {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::ReduceKernels<T>>();
  const std::vector<T> x = numbers<T>(40000);
  for (int op = 0; op < static_cast<int>(Reduce::count); ++op) {
    const Reduce reduce = static_cast<Reduce>(op);
    CAPTURE(op);
    for (int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 300}) {
      for (int64_t rows : {0, 1, 3, 70}) {
        const int64_t stride = n + 3;
        std::vector<T> y(static_cast<size_t>(std::max(n, rows)) + 1, T(77));
        kernels.reduce_rows[op](rows, n, x.data(), stride, y.data());
        for (int64_t i = 0; i < rows; ++i)
          REQUIRE(near(y[static_cast<size_t>(i)], reference(reduce, &x[i * stride], n, 1)));
        CHECK(y[static_cast<size_t>(rows)] == 77);  // nothing is written past the end
        y.assign(y.size(), T(77));
        kernels.reduce_columns[op](rows, n, x.data(), stride, y.data());
        for (int64_t j = 0; j < n; ++j)
          REQUIRE(near(y[static_cast<size_t>(j)], reference(reduce, &x[j], rows, stride)));
        CHECK(y[static_cast<size_t>(n)] == 77);
      }
    }
  }
}

TEST_CASE("the error of a sum does not grow with its length") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::ReduceKernels<float>>();
  const std::vector<float> x(3000000, 0.1f);  // summed one by one in f32 this is 2.9 % too large
  float row, column;
  const auto sum = static_cast<int>(Reduce::sum);
  kernels.reduce_rows[sum](1, 3000000, x.data(), 0, &row);
  kernels.reduce_columns[sum](3000000, 1, x.data(), 1, &column);
  CHECK(std::fabs(row / (0.1f * 3e6) - 1) < 1e-6);
  CHECK(std::fabs(column / (0.1f * 3e6) - 1) < 1e-6);
}

TEST_CASE_TEMPLATE("a NaN anywhere makes max and min NaN", T, float, double) {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::ReduceKernels<T>>();
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  for (int op : {static_cast<int>(Reduce::max), static_cast<int>(Reduce::min)})
    for (size_t n : {1u, 5u, 40u, 150u})
      for (size_t at = 0; at < n; ++at) {
        std::vector<T> x = numbers<T>(n);
        x[at] = nan;
        T row = 0, column = 0;
        kernels.reduce_rows[op](1, static_cast<int64_t>(n), x.data(), 0, &row);
        kernels.reduce_columns[op](static_cast<int64_t>(n), 1, x.data(), 1, &column);
        REQUIRE(std::isnan(row));
        REQUIRE(std::isnan(column));
      }
}

TEST_CASE("max of numbers below every finite default is right") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::ReduceKernels<float>>();
  const std::vector<float> x(19, -INFINITY);
  float y = 0;
  kernels.reduce_rows[static_cast<int>(Reduce::max)](1, 19, x.data(), 0, &y);
  CHECK(y == -INFINITY);
}

}  // namespace
