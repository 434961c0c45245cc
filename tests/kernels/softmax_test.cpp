// Softmax, log-softmax and log-sum-exp compared with long double, at every tail length.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>
#include "autograd/ops/softmax/softmax.kernel.h"
#include "autograd/simd/dispatch.h"

namespace {

template <class T>
std::vector<T> numbers(size_t count, double scale) {
  std::vector<T> x(count);
  for (size_t i = 0; i < count; ++i) x[i] = static_cast<T>(scale * std::sin(1.7 * i * i + 0.3));
  return x;
}

TEST_CASE_TEMPLATE("softmax kernels agree with the formula at every length", T, float, double) {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::SoftmaxKernels<T>>();
  const double eps = std::numeric_limits<T>::epsilon();
  for (double scale : {1.0, 30.0, 1e4})
    for (size_t n = 1; n <= 140; n += n < 70 ? 1 : 23) {
      const size_t rows = 3;
      const std::vector<T> x = numbers<T>(rows * n, scale), dy = numbers<T>(rows * n + 1, 1);
      std::vector<T> p(rows * n), dx(rows * n), lp(rows * n), dlx(rows * n), lse(rows);
      const int64_t r = rows, c = static_cast<int64_t>(n);
      kernels.softmax(r, c, x.data(), p.data());
      kernels.log_softmax(r, c, x.data(), lp.data());
      kernels.logsumexp(r, c, x.data(), lse.data());
      kernels.softmax_grad(r, c, p.data(), &dy[1], dx.data());
      kernels.log_softmax_grad(r, c, lp.data(), &dy[1], dlx.data());
      for (size_t i = 0; i < rows; ++i) {
        long double m = -INFINITY, sum = 0, dot = 0, dsum = 0;
        for (size_t j = 0; j < n; ++j) m = std::max<long double>(m, x[i * n + j]);
        for (size_t j = 0; j < n; ++j) sum += std::exp(x[i * n + j] - m);
        for (size_t j = 0; j < n; ++j) {
          dot += dy[1 + i * n + j] * std::exp(x[i * n + j] - m) / sum;
          dsum += dy[1 + i * n + j];
        }
        REQUIRE(std::fabs(lse[i] - (m + std::log(sum))) <= 8 * eps * (1 + std::fabs(m)));
        for (size_t j = 0; j < n; ++j) {
          const size_t at = i * n + j;
          const long double log_p = x[at] - m - std::log(sum), want = std::exp(log_p);
          const long double g = dy[1 + at];
          // x − m is rounded once: half an ulp of |x − m| is a relative error of exp.
          const double error = eps * (16 + 2 * std::fabs(static_cast<double>(log_p)));
          REQUIRE(std::fabs(p[at] - want) <= error * want + std::numeric_limits<T>::min());
          REQUIRE(std::fabs(lp[at] - log_p) <= error);
          REQUIRE(std::fabs(dx[at] - want * (g - dot)) <= 4 * error * want + 1e-30);
          REQUIRE(std::fabs(dlx[at] - (g - want * dsum)) <= error * (1 + n * want));
        }
      }
    }
}

TEST_CASE_TEMPLATE("softmax of columns is that of rows, for any number of both", T, float, double) {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::SoftmaxKernels<T>>();
  const double eps = std::numeric_limits<T>::epsilon();
  for (const size_t n : {1, 2, 63, 64, 65, 200})
    for (const size_t columns : {1, 15, 16, 17, 100, 257}) {
      const size_t step = columns + 3;
      const std::vector<T> x = numbers<T>(n * step, 5), dy = numbers<T>(n * step + 1, 1);
      std::vector<T> p(n * step, 7), lp = p, dx = p, dlx = p;
      const auto rows = static_cast<int64_t>(n), width = static_cast<int64_t>(columns),
                 apart = static_cast<int64_t>(step);
      kernels.softmax_columns(rows, width, apart, x.data(), p.data());
      kernels.log_softmax_columns(rows, width, apart, x.data(), lp.data());
      kernels.softmax_columns_grad(rows, width, apart, p.data(), &dy[1], dx.data());
      kernels.log_softmax_columns_grad(rows, width, apart, lp.data(), &dy[1], dlx.data());
      std::vector<T> in(n), g(n), a(n), b(n), c(n), d(n);
      for (size_t j = 0; j < step; ++j) {
        for (size_t i = 0; i < n; ++i) in[i] = x[i * step + j], g[i] = dy[1 + i * step + j];
        kernels.softmax(1, rows, in.data(), a.data());
        kernels.log_softmax(1, rows, in.data(), b.data());
        kernels.softmax_grad(1, rows, a.data(), g.data(), c.data());
        kernels.log_softmax_grad(1, rows, b.data(), g.data(), d.data());
        for (size_t i = 0; i < n; ++i) {
          const size_t at = i * step + j;
          if (j >= columns) {  // between the columns nothing is written
            REQUIRE((p[at] == 7 && lp[at] == 7 && dx[at] == 7 && dlx[at] == 7));
            continue;
          }
          REQUIRE(std::fabs(p[at] - a[i]) <= 32 * eps * a[i]);
          REQUIRE(std::fabs(lp[at] - b[i]) <= 16 * eps * (1 + std::fabs(b[i])));
          REQUIRE(std::fabs(dx[at] - c[i]) <= 64 * eps * a[i]);
          REQUIRE(std::fabs(dlx[at] - d[i]) <= 32 * eps * (1 + static_cast<double>(n) * a[i]));
        }
      }
    }
}

TEST_CASE_TEMPLATE("infinities and NaN behave in softmax as in PyTorch", T, float, double) {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::SoftmaxKernels<T>>();
  constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> nothing(5, -inf), partly = {0, -inf, 0, -inf, -inf},
                                         huge = {0, inf, 1, 2, 3}, broken = {0, 1, nan, 2, 3};
  std::vector<T> y(5);
  T lse;
  kernels.softmax(1, 5, nothing.data(), y.data());
  for (T v : y) CHECK(std::isnan(v));
  kernels.softmax(1, 5, partly.data(), y.data());
  CHECK(y == std::vector<T>{T(0.5), 0, T(0.5), 0, 0});
  kernels.log_softmax(1, 5, partly.data(), y.data());
  CHECK(y[1] == -inf);
  CHECK(y[0] == doctest::Approx(-std::log(2.0)));
  for (auto of_columns : {kernels.softmax_columns, kernels.log_softmax_columns}) {
    of_columns(5, 1, 1, nothing.data(), y.data());
    for (T v : y) CHECK(std::isnan(v));
    of_columns(5, 1, 1, broken.data(), y.data());
    for (T v : y) CHECK(std::isnan(v));
  }
  kernels.softmax_columns(5, 1, 1, partly.data(), y.data());
  CHECK(y == std::vector<T>{T(0.5), 0, T(0.5), 0, 0});
  for (auto softmax : {kernels.softmax, kernels.log_softmax}) {
    softmax(1, 5, broken.data(), y.data());
    for (T v : y) CHECK(std::isnan(v));
  }
  kernels.logsumexp(1, 5, nothing.data(), &lse);
  CHECK(lse == -inf);
  kernels.logsumexp(1, 5, huge.data(), &lse);
  CHECK(lse == inf);
  kernels.logsumexp(1, 5, broken.data(), &lse);
  CHECK(std::isnan(lse));
}

TEST_CASE("softmax may overwrite its input") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::SoftmaxKernels<float>>();
  std::vector<float> x = numbers<float>(77, 3), y(77);
  kernels.softmax(1, 77, x.data(), y.data());
  kernels.softmax(1, 77, x.data(), x.data());
  CHECK(x == y);
}

}  // namespace
