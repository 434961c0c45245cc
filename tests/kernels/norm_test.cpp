// Layer norm and RMS norm compared with long double: values, and gradients by definition.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>
#include "autograd/ops/norm/norm.kernel.h"
#include "autograd/simd/dispatch.h"

namespace {

using Row = std::vector<long double>;

template <class T>
std::vector<T> numbers(size_t count, double shift, double scale = 1) {
  std::vector<T> x(count);
  for (size_t i = 0; i < count; ++i)
    x[i] = static_cast<T>(shift + scale * std::sin(0.7 * i * i + shift));
  return x;
}

/// x̂ of one row and its rstd; centred for layer norm.
template <class T>
std::pair<Row, long double> normalise(const T* x, size_t n, double eps, bool centred) {
  long double mean = 0, square = 0;
  if (centred)
    for (size_t j = 0; j < n; ++j) mean += static_cast<long double>(x[j]) / n;
  for (size_t j = 0; j < n; ++j) square += (x[j] - mean) * (x[j] - mean) / n;
  const long double rstd = 1 / std::sqrt(square + eps);
  Row y(n);
  for (size_t j = 0; j < n; ++j) y[j] = (x[j] - mean) * rstd;
  return {y, rstd};
}

template <class T>
void check_norm(size_t n, bool centred, bool affine) {
  CAPTURE(n);
  CAPTURE(centred);
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::NormKernels<T>>();
  const size_t rows = 5;
  const int64_t r = rows, c = static_cast<int64_t>(n);
  const std::vector<T> x = numbers<T>(rows * n, 0.5), dy = numbers<T>(rows * n, 0.1),
                       weight = numbers<T>(n, 1), bias = numbers<T>(n, -1);
  const T* w = affine ? weight.data() : nullptr;
  const T* b = affine ? bias.data() : nullptr;
  std::vector<T> y(rows * n), dx(rows * n), dw(n), db(n);
  std::vector<tarsier::kernels::NormRow<T>> stats(rows);
  const double eps = 1e-5;
  if (centred) {
    kernels.layer_norm(r, c, x.data(), w, b, T(eps), y.data(), stats.data());
    kernels.layer_norm_grad(r, c, x.data(), w, stats.data(), dy.data(), dx.data(), dw.data(),
                            db.data());
  } else {
    kernels.rms_norm(r, c, x.data(), w, T(eps), y.data(), stats.data());
    kernels.rms_norm_grad(r, c, x.data(), w, stats.data(), dy.data(), dx.data(), dw.data());
  }
  Row want_dw(n, 0), want_db(n, 0);
  const double tolerance = 64 * std::numeric_limits<T>::epsilon();
  for (size_t i = 0; i < rows; ++i) {
    const auto [xhat, scale] = normalise(&x[i * n], n, eps, centred);
    long double g_mean = 0, gx_mean = 0;
    for (size_t j = 0; j < n; ++j) {
      const long double g = dy[i * n + j] * (affine ? weight[j] : 1);
      g_mean += centred ? g / n : 0;
      gx_mean += g * xhat[j] / n;
      want_dw[j] += dy[i * n + j] * xhat[j];
      want_db[j] += dy[i * n + j];
    }
    for (size_t j = 0; j < n; ++j) {
      const long double g = dy[i * n + j] * (affine ? weight[j] : 1);
      const long double want = affine ? xhat[j] * weight[j] + (centred ? bias[j] : 0) : xhat[j];
      REQUIRE(std::fabs(y[i * n + j] - want) <= tolerance * (1 + scale));
      REQUIRE(std::fabs(dx[i * n + j] - scale * (g - g_mean - xhat[j] * gx_mean)) <=
              tolerance * (1 + scale * scale));
    }
  }
  for (size_t j = 0; j < n; ++j) {
    REQUIRE(std::fabs(dw[j] - want_dw[j]) <= tolerance * rows);
    if (centred) REQUIRE(std::fabs(db[j] - want_db[j]) <= tolerance * rows);
  }
}

TEST_CASE_TEMPLATE("norm kernels agree with their formulas at every length", T, float, double) {
  for (size_t n = 2; n <= 140; n += n < 70 ? 1 : 23)
    for (bool centred : {false, true})
      for (bool affine : {false, true}) check_norm<T>(n, centred, affine);
}

TEST_CASE("layer norm keeps its digits if the mean is large and the variance small") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::NormKernels<float>>();
  // 4096 ± 0.5: exact in f32, yet Σ x² / n − mean² would lose the variance of 0.25 entirely.
  std::vector<float> x(50), y(50);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 4096 + (i % 2 ? 0.5f : -0.5f);
  tarsier::kernels::NormRow<float> stats;
  kernels.layer_norm(1, 50, x.data(), nullptr, nullptr, 0.0f, y.data(), &stats);
  CHECK(stats.mean == 4096);
  CHECK(stats.rest == 0);
  CHECK(stats.rstd == 2);
  CHECK(stats.scale == 1);
  for (size_t i = 0; i < x.size(); ++i) CHECK(y[i] == (i % 2 ? 1 : -1));
}

TEST_CASE("a variance of 1e-30 and a constant row give finite results") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::NormKernels<float>>();
  std::vector<float> x(33), y(33);
  for (size_t i = 0; i < x.size(); ++i) x[i] = i % 2 ? 1e-15f : -1e-15f;
  tarsier::kernels::NormRow<float> stats;
  kernels.layer_norm(1, 33, x.data(), nullptr, nullptr, 1e-5f, y.data(), &stats);
  for (size_t i = 0; i < x.size(); ++i)
    CHECK(y[i] == doctest::Approx((x[i] - stats.mean) / std::sqrt(1e-5)).epsilon(1e-5));
  x.assign(33, 7);
  kernels.layer_norm(1, 33, x.data(), nullptr, nullptr, 1e-5f, y.data(), &stats);
  for (float v : y) CHECK(v == 0);
}

}  // namespace
