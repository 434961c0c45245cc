// Elementwise kernels: every op gives the same at every length and stride as element by element.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>
#include "autograd/loops/elementwise.kernel.h"
#include "autograd/simd/dispatch.h"
#include "tests/kernels/numbers.h"

using namespace tarsier::kernels;

TEST_CASE_TEMPLATE("binary and compare: all lengths and strides", T, float, double) {
  const auto& k = active<ElementwiseKernels<T>>();
  const auto a = numbers<T>(3 * kLongest, 6), b = numbers<T>(3 * kLongest, 7);
  const auto exact = [](int op, T p, T q) -> T {
    switch (static_cast<Binary>(op)) {
      case Binary::add:
        return p + q;
      case Binary::sub:
        return p - q;
      case Binary::mul:
        return p * q;
      case Binary::div:
        return p / q;
      case Binary::pow:
        // Rounded once: the C library's powf may be wrong in the last bit.
        return static_cast<T>(std::pow(static_cast<double>(p), static_cast<double>(q)));
      case Binary::minimum:
        return std::fmin(p, q);
      default:
        return std::fmax(p, q);
    }
  };
  const auto holds = [](int op, T p, T q) {
    const bool all[] = {p == q, p != q, p<q, p <= q, p> q, p >= q};
    return all[op];
  };
  for (int64_t sa : {0, 1, 3})
    for (int64_t sb : {0, 1, 2})
      for (int64_t n = 0; n <= kLongest; n += n < 20 ? 1 : 9) {
        CAPTURE(n);
        CAPTURE(sa);
        CAPTURE(sb);
        for (int op = 0; op < static_cast<int>(Binary::count); ++op) {
          CAPTURE(op);
          std::vector<T> y(static_cast<size_t>(n) + 1, T(kGuard)), want = y;
          for (int64_t i = 0; i < n; ++i)
            want[static_cast<size_t>(i)] =
                exact(op, a[static_cast<size_t>(i * sa)], b[static_cast<size_t>(i * sb)]);
          k.binary[op](n, a.data(), sa, b.data(), sb, y.data());
          bool equal = true;
          for (size_t i = 0; i < y.size(); ++i)
            equal = equal && (y[i] == want[i] || (std::isnan(y[i]) && std::isnan(want[i])));
          CHECK(equal);
        }
        for (int op = 0; op < static_cast<int>(Compare::count); ++op) {
          CAPTURE(op);
          bool y[kLongest] = {};
          k.compare[op](n, a.data(), sa, b.data(), sb, y);
          bool equal = true;
          for (int64_t i = 0; i < n; ++i)
            equal = equal && y[i] == holds(op, a[static_cast<size_t>(i * sa)],
                                           b[static_cast<size_t>(i * sb)]);
          CHECK(equal);
        }
      }
}

TEST_CASE("pow of floats: within 0.51 ulp, from the smallest numbers to the largest") {
  const auto pow = active<ElementwiseKernels<float>>().binary[static_cast<int>(Binary::pow)];
  const size_t n = 60'000;
  const auto log_x = numbers<double>(n, 11, -149, 128), log_y = numbers<double>(n, 12, -151, 129);
  std::vector<float> x(n), p(n), y(n);
  for (size_t i = 0; i < n; ++i) {
    x[i] =
        static_cast<float>(std::exp2(i % 3 == 0 ? 1e-4 * log_x[i] : log_x[i]));  // near 1 as well
    p[i] = static_cast<float>(log_y[i] / std::log2(x[i]));
  }
  pow(n, x.data(), 1, p.data(), 1, y.data());
  double worst = 0;
  for (size_t i = 0; i < n; ++i) {
    const long double want =
        std::pow(static_cast<long double>(x[i]), static_cast<long double>(p[i]));
    if (!(want < 0x1.fffffep127L)) continue;
    const int exponent = std::max(std::ilogb(want), -126);
    worst = std::max(worst,
                     static_cast<double>(std::fabs(y[i] - want) / std::ldexp(1.0L, exponent - 23)));
  }
  CHECK(worst < 0.51);
}

TEST_CASE("pow of floats: zeros, infinities, NaN and negative numbers as std::pow") {
  const auto pow = active<ElementwiseKernels<float>>().binary[static_cast<int>(Binary::pow)];
  constexpr float inf = std::numeric_limits<float>::infinity(), most = 3.4e38f, least = 1e-45f;
  std::vector<float> special = {
      0,    1,   2,     3,     0.5f, 1.5f,     1e-40f,
      most, inf, least, 1e10f, 7,    16777216, std::numeric_limits<float>::quiet_NaN()};
  for (size_t i = 0, n = special.size(); i < n; ++i) special.push_back(-special[i]);
  for (const float x : special) {
    std::vector<float> y(special.size());
    pow(std::ssize(special), &x, 0, special.data(), 1, y.data());
    for (size_t i = 0; i < y.size(); ++i) {
      const float want = std::pow(x, special[i]);
      CAPTURE(x);
      CAPTURE(special[i]);
      CHECK((y[i] == want || (std::isnan(y[i]) && std::isnan(want))));
      CHECK(std::signbit(y[i]) == std::signbit(want));
    }
  }
}

TEST_CASE_TEMPLATE("minimum and maximum are NaN where an operand is", T, float, double) {
  const auto& k = active<ElementwiseKernels<T>>();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T a[] = {nan, 1, nan, 1}, b[] = {1, nan, nan, 2};
  T y[4];
  k.binary[static_cast<int>(Binary::minimum)](4, a, 1, b, 1, y);
  CHECK((std::isnan(y[0]) && std::isnan(y[1]) && std::isnan(y[2]) && y[3] == 1));
  k.binary[static_cast<int>(Binary::maximum)](4, a, 1, b, 1, y);
  CHECK((std::isnan(y[0]) && std::isnan(y[1]) && std::isnan(y[2]) && y[3] == 2));
}

TEST_CASE_TEMPLATE("select picks by mask, at all lengths and strides", T, float, double) {
  const auto& k = active<ElementwiseKernels<T>>();
  const auto a = numbers<T>(kLongest, 8), b = numbers<T>(kLongest, 9);
  bool mask[kLongest];
  for (int64_t i = 0; i < kLongest; ++i) mask[i] = i % 3 == 0;
  for (int64_t sm : {0, 1})
    for (int64_t sa : {0, 1})
      for (int64_t sb : {0, 1})
        for (int64_t n = 0; n <= kLongest; ++n) {
          std::vector<T> y(static_cast<size_t>(n) + 1, T(kGuard));
          k.select(n, mask, sm, a.data(), sa, b.data(), sb, y.data());
          bool equal = y.back() == T(kGuard);
          for (int64_t i = 0; i < n; ++i)
            equal = equal &&
                    y[static_cast<size_t>(i)] == (mask[i * sm] ? a[static_cast<size_t>(i * sa)]
                                                               : b[static_cast<size_t>(i * sb)]);
          CHECK(equal);
        }
}

TEST_CASE_TEMPLATE("axpby: y = αx + βy; β = 0 does not read y", T, float, double) {
  const auto& k = active<ElementwiseKernels<T>>();
  const auto x = numbers<T>(kLongest, 10);
  for (int64_t n = 0; n <= kLongest; ++n) {
    std::vector<T> y(x.size() + 1, T(kGuard));
    k.axpby(n, T(2), x.data(), T(0.5), y.data());
    for (size_t i = 0; i < y.size(); ++i)
      CHECK(y[i] ==
            (static_cast<int64_t>(i) < n ? static_cast<T>(2 * x[i] + T(kGuard) / 2) : T(kGuard)));
  }
  std::vector<T> y(x.size(), std::numeric_limits<T>::quiet_NaN());
  k.axpby(kLongest, T(3), x.data(), T(0), y.data());
  for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == 3 * x[i]);
}
