// Kernels of one variable: every length gives the bits of element by element, and every gradient
// is the slope of its value.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "autograd/ops/elementwise/unary.kernel.h"
#include "autograd/simd/dispatch.h"
#include "tests/kernels/numbers.h"

using namespace tarsier::kernels;

namespace {

/// Parameters: a slope, a scale, or a bound; and a second bound above it.
constexpr double kA = 1.5, kB = 20;

/// body(f) for every function.
template <class Body>
void for_each_function(const Body& body) {
  for (int i = 0; i < static_cast<int>(Unary::count); ++i) {
    CAPTURE(i);
    body(static_cast<Unary>(i));
  }
}

template <int f = 0>
Saves saves_of(Unary wanted) {
  if constexpr (f < static_cast<int>(Unary::count))
    return static_cast<int>(wanted) == f ? Function<static_cast<Unary>(f)>::saves
                                         : saves_of<f + 1>(wanted);
  return Saves::nothing;
}

}  // namespace

TEST_CASE_TEMPLATE("unary: a value depends neither on its position nor on the length", T, float,
                   double) {
  const auto x = numbers<T>(kLongest, 1);
  for_each_function([&](Unary f) {
    const auto kernel = active<UnaryKernels<T>>().value(f);
    std::vector<T> alone(x.size());
    for (size_t i = 0; i < x.size(); ++i) kernel(1, &x[i], &alone[i], kA, kB);
    for (int64_t n = 0; n <= kLongest; ++n) {
      std::vector<T> y(x.size() + 1, T(kGuard));
      kernel(n, x.data(), y.data(), kA, kB);
      CHECK(std::memcmp(y.data(), alone.data(), static_cast<size_t>(n) * sizeof(T)) == 0);
      CHECK(y[static_cast<size_t>(n)] == T(kGuard));  // nothing is written past the end
    }
    std::vector<T> in_place = x;
    kernel(kLongest, in_place.data(), in_place.data(), kA, kB);
    CHECK(std::memcmp(in_place.data(), alone.data(), x.size() * sizeof(T)) == 0);
  });
}

TEST_CASE_TEMPLATE("unary: a gradient depends neither on its position nor on the length", T, float,
                   double) {
  const auto x = numbers<T>(kLongest, 4), dy = numbers<T>(kLongest, 5);
  for_each_function([&](Unary f) {
    const auto kernel = active<UnaryKernels<T>>().grad(f);
    std::vector<T> alone(x.size());
    for (size_t i = 0; i < x.size(); ++i) kernel(1, &x[i], &dy[i], &alone[i], kA, kB);
    for (int64_t n = 0; n <= kLongest; ++n) {
      std::vector<T> dx(x.size() + 1, T(kGuard));
      kernel(n, x.data(), dy.data(), dx.data(), kA, kB);
      CHECK(std::memcmp(dx.data(), alone.data(), static_cast<size_t>(n) * sizeof(T)) == 0);
      CHECK(dx[static_cast<size_t>(n)] == T(kGuard));
    }
  });
}

TEST_CASE("unary: the gradient is the slope of the value") {
  const auto x = numbers<double>(kLongest, 2, -6, 6), dy = numbers<double>(kLongest, 3);
  const size_t n = x.size();
  for_each_function([&](Unary f) {
    const auto kernel = active<UnaryKernels<double>>().value(f);
    const auto slope = [&](double h) {
      std::vector<double> above = x, below = x;
      for (double& v : above) v += h;
      for (double& v : below) v -= h;
      kernel(kLongest, above.data(), above.data(), kA, kB);
      kernel(kLongest, below.data(), below.data(), kA, kB);
      for (size_t i = 0; i < n; ++i) above[i] = dy[i] * (above[i] - below[i]) / (2 * h);
      return above;
    };
    std::vector<double> y(n), dx(n);
    kernel(kLongest, x.data(), y.data(), kA, kB);
    const std::vector<double>& saved = saves_of(f) == Saves::x ? x : y;
    active<UnaryKernels<double>>().grad(f)(kLongest, saved.data(), dy.data(), dx.data(), kA, kB);
    // Differences are off by h²·f‴/6, which two step sizes reveal, and by the rounding of f over h.
    const std::vector<double> near = slope(1e-5), far = slope(2e-5);
    for (size_t i = 0; i < n; ++i) {
      if (std::isnan(near[i]) || std::isnan(far[i])) continue;  // outside the domain
      CHECK(std::abs(dx[i] - near[i]) <=
            1e-9 * (1 + std::abs(y[i])) + 0.5 * std::abs(near[i] - far[i]));
    }
  });
}
