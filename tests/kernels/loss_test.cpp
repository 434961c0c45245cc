// The cross-entropy kernels compared with long double, with weights, smoothing and ignored rows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>
#include "autograd/ops/loss/loss.kernel.h"
#include "autograd/simd/dispatch.h"

namespace {

template <class T>
void check_cross_entropy(size_t n, bool weighted, double smoothing, double scale) {
  CAPTURE(n);
  CAPTURE(weighted);
  CAPTURE(smoothing);
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::LossKernels<T>>();
  const size_t rows = 4;
  std::vector<T> x(rows * n), w(n);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(scale * std::sin(0.9 * i * i));
  for (size_t j = 0; j < n; ++j) w[j] = static_cast<T>(0.5 + j % 3);
  const std::vector<int64_t> target = {0, static_cast<int64_t>(n) - 1, -1,
                                       static_cast<int64_t>(n) / 2};
  const std::vector<T> dloss = {T(0.3), T(-2), T(5), T(1)};
  std::vector<T> loss(rows), stats(2 * rows), dx(rows * n);
  const tarsier::kernels::CrossEntropy<T> problem = {.rows = rows,
                                                     .classes = static_cast<int64_t>(n),
                                                     .logits = x.data(),
                                                     .target = target.data(),
                                                     .weight = weighted ? w.data() : nullptr,
                                                     .ignore_index = -1,
                                                     .label_smoothing = T(smoothing)};
  kernels.cross_entropy(problem, loss.data(), stats.data());
  kernels.cross_entropy_grad(problem, stats.data(), dloss.data(), dx.data());

  for (size_t i = 0; i < rows; ++i) {
    if (target[i] == -1) {
      CHECK(loss[i] == 0);
      for (size_t j = 0; j < n; ++j) CHECK(dx[i * n + j] == 0);
      continue;
    }
    long double m = -INFINITY, sum = 0, want = 0, total = 0;
    for (size_t j = 0; j < n; ++j) m = std::max<long double>(m, x[i * n + j]);
    for (size_t j = 0; j < n; ++j) sum += std::exp(x[i * n + j] - m);
    const auto log_p = [&](size_t j) { return x[i * n + j] - m - std::log(sum); };
    // The weight of class j in the loss, i.e. of −log p_j.
    const auto share = [&](size_t j) {
      const bool hit = static_cast<int64_t>(j) == target[i];
      return ((hit ? 1 - smoothing : 0) + smoothing / n) * (weighted ? w[j] : 1);
    };
    for (size_t j = 0; j < n; ++j) {
      if (share(j) != 0) want -= share(j) * log_p(j);
      total += share(j);
    }
    const double eps = std::numeric_limits<T>::epsilon();
    REQUIRE(std::fabs(loss[i] - want) <= eps * (16 + 4 * std::fabs(want)));
    for (size_t j = 0; j < n; ++j) {
      const long double p = std::exp(log_p(j));
      REQUIRE(std::fabs(dx[i * n + j] - dloss[i] * (total * p - share(j))) <=
              eps * 64 * (1 + scale * p));
    }
  }
}

TEST_CASE_TEMPLATE("cross-entropy kernels agree with the formula", T, float, double) {
  for (size_t n : {1u, 2u, 3u, 8u, 10u, 16u, 17u, 65u, 130u})
    for (bool weighted : {false, true})
      for (double smoothing : {0.0, 0.1, 1.0})
        for (double scale : {1.0, 1e4}) check_cross_entropy<T>(n, weighted, smoothing, scale);
}

TEST_CASE("without smoothing a class of logit -inf adds nothing to the loss") {
  const auto& kernels = tarsier::kernels::active<tarsier::kernels::LossKernels<float>>();
  const std::vector<float> x = {0, -INFINITY, 0};
  const int64_t target = 2;
  const float dloss = 1;
  float loss, stats[2];
  std::vector<float> dx(3);
  const tarsier::kernels::CrossEntropy<float> problem = {1, 3, x.data(), &target, nullptr, -100, 0};
  kernels.cross_entropy(problem, &loss, stats);
  kernels.cross_entropy_grad(problem, stats, &dloss, dx.data());
  CHECK(loss == doctest::Approx(std::log(2.0)));
  CHECK(dx[0] == doctest::Approx(0.5));
  CHECK(dx[1] == 0);
  CHECK(dx[2] == doctest::Approx(-0.5));
}

}  // namespace
