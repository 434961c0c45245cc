// Optimiser steps at every tail length compared with the formulas, one number at a time.
#include "autograd/simd/dispatch.h"
#include "optim/optim.kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tarsier {
namespace {

template <class T>
std::vector<T> numbers(int64_t n, unsigned seed, bool positive = false) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> out(static_cast<size_t>(n));
  for (T& x : out) x = static_cast<T>(positive ? std::abs(normal(random)) : normal(random));
  return out;
}

template <class T>
double exact(kernels::Factor<T> beta) {
  return double{beta.high} + double{beta.low};
}

/// Each result has a handful of roundings of numbers of size one.
template <class T>
void check_near(const std::vector<T>& actual, const std::vector<double>& expected) {
  const double tolerance = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(actual[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
  CHECK(actual.back() == T(77));  // the element after the last is not changed
}

TEST_CASE_TEMPLATE("an Adam step, at every length, with AMSGrad, with Nesterov, and without", T,
                   float, double) {
  for (int64_t n = 0; n <= 140; ++n) {
    const bool amsgrad = n % 2 == 1, maximize = n > 70;
    CAPTURE(n);
    const auto g = numbers<T>(n, 1);
    auto w = numbers<T>(n, 2), m = numbers<T>(n, 3), v = numbers<T>(n, 4, true);
    auto v_max = numbers<T>(n, 5, true);
    std::vector<double> want_w, want_m, want_v, want_v_max;
    const kernels::AdamStep<T> s{.beta1 = kernels::Average<T>(amsgrad ? 0.9 : 0.3),
                                 .beta2 = kernels::Average<T>(0.95),
                                 .eps = T(0.01),
                                 .l2 = T(0.1),
                                 .decay = T(0.3),
                                 .step_size = T(0.3),
                                 .inverse_root = T(1.5),
                                 .maximize = maximize,
                                 .gradient_size = n % 3 == 0 ? T(0) : T(0.7)};
    for (size_t i = 0; i < g.size(); ++i) {
      const double gi = (maximize ? -g[i] : g[i]) + double{s.l2} * w[i];
      want_m.push_back(exact(s.beta1.beta) * m[i] + s.beta1.rest * gi);
      want_v.push_back(exact(s.beta2.beta) * v[i] + s.beta2.rest * gi * gi);
      want_v_max.push_back(amsgrad ? std::max(double{v_max[i]}, want_v[i]) : v_max[i]);
      const double variance = amsgrad ? want_v_max[i] : want_v[i];
      want_w.push_back((1 - double{s.decay}) * w[i] -
                       (s.step_size * want_m[i] + s.gradient_size * gi) /
                           (std::sqrt(variance) * s.inverse_root + s.eps));
    }
    for (auto* x : {&w, &m, &v, &v_max}) x->push_back(T(77));
    kernels::active<kernels::OptimKernels<T>>().adam(n, s, g.data(), w.data(), m.data(), v.data(),
                                                     amsgrad ? v_max.data() : nullptr);
    check_near(v_max, want_v_max);
    check_near(w, want_w);
    check_near(m, want_m);
    check_near(v, want_v);
  }
}

TEST_CASE_TEMPLATE("an SGD step, at every length and of every kind", T, float, double) {
  for (const bool momentum : {false, true})
    for (const bool first : {false, true})
      for (const bool nesterov : {false, true})
        for (int64_t n = 0; n <= 70; ++n) {
          CAPTURE(n);
          const auto g = numbers<T>(n, 1);
          auto w = numbers<T>(n, 2), b = numbers<T>(n, 3);
          std::vector<double> want_w, want_b;
          const kernels::SgdStep<T> s{.lr = T(0.3),
                                      .momentum = kernels::Factor<T>(n % 2 == 0 ? 0.9 : 0.4),
                                      .rest = T(0.8),
                                      .l2 = T(0.1),
                                      .nesterov = nesterov,
                                      .first = first};
          for (size_t i = 0; i < g.size(); ++i) {
            double gi = g[i] + double{s.l2} * w[i];
            want_b.push_back(b[i]);
            if (momentum) {
              want_b[i] = first ? gi : exact(s.momentum) * b[i] + s.rest * gi;
              gi = nesterov ? gi + exact(s.momentum) * want_b[i] : want_b[i];
            }
            want_w.push_back(w[i] - s.lr * gi);
          }
          w.push_back(T(77));
          b.push_back(T(77));
          kernels::active<kernels::OptimKernels<T>>().sgd(n, s, g.data(), w.data(),
                                                          momentum ? b.data() : nullptr);
          check_near(w, want_w);
          check_near(b, want_b);
        }
}

TEST_CASE_TEMPLATE("an Adagrad step, at every length", T, float, double) {
  for (int64_t n = 0; n <= 70; ++n) {
    CAPTURE(n);
    const auto g = numbers<T>(n, 1);
    auto w = numbers<T>(n, 2), s = numbers<T>(n, 3, true);
    std::vector<double> want_w, want_s;
    const kernels::AdagradStep<T> step{.lr = T(0.3), .eps = T(0.01), .l2 = T(0.1)};
    for (size_t i = 0; i < g.size(); ++i) {
      const double gi = g[i] + double{step.l2} * w[i];
      want_s.push_back(s[i] + gi * gi);
      want_w.push_back(w[i] - step.lr * gi / (std::sqrt(want_s[i]) + step.eps));
    }
    for (auto* x : {&w, &s}) x->push_back(T(77));
    kernels::active<kernels::OptimKernels<T>>().adagrad(n, step, g.data(), w.data(), s.data());
    check_near(w, want_w);
    check_near(s, want_s);
  }
}

TEST_CASE_TEMPLATE("an Adadelta step, at every length", T, float, double) {
  for (int64_t n = 0; n <= 70; ++n) {
    const bool maximize = n % 2 == 1;
    CAPTURE(n);
    const auto g = numbers<T>(n, 1);
    auto w = numbers<T>(n, 2), v = numbers<T>(n, 3, true), a = numbers<T>(n, 4, true);
    std::vector<double> want_w, want_v, want_a;
    const kernels::AdadeltaStep<T> s{.lr = T(0.3),
                                     .rho = kernels::Average<T>(0.8),
                                     .eps = T(0.01),
                                     .l2 = T(0.1),
                                     .maximize = maximize};
    for (size_t i = 0; i < g.size(); ++i) {
      const double gi = (maximize ? -g[i] : g[i]) + double{s.l2} * w[i];
      want_v.push_back(exact(s.rho.beta) * v[i] + s.rho.rest * gi * gi);
      const double delta = std::sqrt((a[i] + double{s.eps}) / (want_v[i] + double{s.eps})) * gi;
      want_a.push_back(exact(s.rho.beta) * a[i] + s.rho.rest * delta * delta);
      want_w.push_back(w[i] - s.lr * delta);
    }
    for (auto* x : {&w, &v, &a}) x->push_back(T(77));
    kernels::active<kernels::OptimKernels<T>>().adadelta(n, s, g.data(), w.data(), v.data(),
                                                         a.data());
    check_near(w, want_w);
    check_near(v, want_v);
    check_near(a, want_a);
  }
}

TEST_CASE_TEMPLATE("an RMSprop step, at every length and of every kind", T, float, double) {
  for (const bool centered : {false, true})
    for (const bool momentum : {false, true})
      for (int64_t n = 0; n <= 70; ++n) {
        CAPTURE(n);
        const auto g = numbers<T>(n, 1);
        auto w = numbers<T>(n, 2), v = numbers<T>(n, 3, true), a = numbers<T>(n, 4);
        auto b = numbers<T>(n, 5);
        for (T& x : v) x += 4;  // above a², as a mean of squares is above the square of the mean
        for (T& x : a) x /= 2;
        std::vector<double> want_w, want_v, want_a, want_b;
        const kernels::RmspropStep<T> s{.lr = T(0.3),
                                        .alpha = kernels::Average<T>(0.9),
                                        .eps = T(0.01),
                                        .l2 = T(0.1),
                                        .momentum = kernels::Factor<T>(0.7),
                                        .maximize = true};
        for (size_t i = 0; i < g.size(); ++i) {
          const double gi = -g[i] + double{s.l2} * w[i], rest = s.alpha.rest;
          want_v.push_back(exact(s.alpha.beta) * v[i] + rest * gi * gi);
          want_a.push_back(centered ? exact(s.alpha.beta) * a[i] + rest * gi : a[i]);
          const double variance = want_v[i] - (centered ? want_a[i] * want_a[i] : 0);
          const double u = gi / (std::sqrt(variance) + s.eps);
          want_b.push_back(momentum ? exact(s.momentum) * b[i] + u : b[i]);
          want_w.push_back(w[i] - s.lr * (momentum ? want_b[i] : u));
        }
        for (auto* x : {&w, &v, &a, &b}) x->push_back(T(77));
        kernels::active<kernels::OptimKernels<T>>().rmsprop(n, s, g.data(), w.data(), v.data(),
                                                            centered ? a.data() : nullptr,
                                                            momentum ? b.data() : nullptr);
        check_near(w, want_w);
        check_near(v, want_v);
        check_near(a, want_a);
        check_near(b, want_b);
      }
}

TEST_CASE_TEMPLATE("a Lion step, at every length", T, float, double) {
  for (int64_t n = 0; n <= 70; ++n) {
    CAPTURE(n);
    auto g = numbers<T>(n, 1), w = numbers<T>(n, 2), m = numbers<T>(n, 3);
    if (n > 1) g[1] = m[1] = 0;  // neither up nor down
    std::vector<double> want_w, want_m;
    const kernels::LionStep<T> s{.lr = T(0.3),
                                 .beta1 = kernels::Average<T>(0.9),
                                 .beta2 = kernels::Average<T>(0.8),
                                 .decay = T(0.3)};
    for (size_t i = 0; i < g.size(); ++i) {
      const double c = exact(s.beta1.beta) * m[i] + s.beta1.rest * double{g[i]};
      want_w.push_back((1 - double{s.decay}) * w[i] - s.lr * ((c > 0) - (c < 0)));
      want_m.push_back(exact(s.beta2.beta) * m[i] + s.beta2.rest * double{g[i]});
    }
    for (auto* x : {&w, &m}) x->push_back(T(77));
    kernels::active<kernels::OptimKernels<T>>().lion(n, s, g.data(), w.data(), m.data());
    check_near(w, want_w);
    check_near(m, want_m);
  }
}

TEST_CASE_TEMPLATE("steps do not hide a NaN gradient", T, float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T g = nan;
  const auto check_nan = [](auto step) {
    T w = 1, a = 1, b = 1, c = 1;
    step(&w, &a, &b, &c);
    CHECK(std::isnan(w));
  };
  const auto& k = kernels::active<kernels::OptimKernels<T>>();
  const kernels::Average<T> beta(0.9);
  check_nan([&](T* w, T* a, T* b, T* c) {
    const kernels::AdamStep<T> s{beta, beta, T(0.1), T(0), T(0), T(1), T(1)};
    k.adam(1, s, &g, w, a, b, c);
  });
  check_nan([&](T* w, T* a, T*, T*) {
    k.sgd(1, {T(1), beta.beta, T(1), T(0), false, false}, &g, w, a);
  });
  check_nan([&](T* w, T* a, T*, T*) { k.adagrad(1, {T(1), T(0.1), T(0)}, &g, w, a); });
  check_nan([&](T* w, T* a, T* b, T* c) {
    k.rmsprop(1, {T(1), beta, T(0.1), T(0), beta.beta}, &g, w, a, b, c);
  });
  check_nan([&](T* w, T* a, T* b, T*) { k.adadelta(1, {T(1), beta, T(0.1), T(0)}, &g, w, a, b); });
  check_nan([&](T* w, T* a, T*, T*) { k.lion(1, {T(1), beta, beta, T(0)}, &g, w, a); });
}

TEST_CASE_TEMPLATE("a square that overflows does not stay forever", T, float, double) {
  // With an infinite v the weight would never move again, however small the next gradients.
  T w = 1, m = 0, v = 0, largest = std::numeric_limits<T>::max() / 16;
  const kernels::Average<T> beta1(0.5), beta2(0.5);
  const kernels::AdamStep<T> adam{beta1, beta2, T(0), T(0), T(0), T(1), T(1)};
  kernels::active<kernels::OptimKernels<T>>().adam(1, adam, &largest, &w, &m, &v, nullptr);
  CHECK(v == std::numeric_limits<T>::max());
  const T small = 1;
  for (int i = 0; i < 5000; ++i)
    kernels::active<kernels::OptimKernels<T>>().adam(1, adam, &small, &w, &m, &v, nullptr);
  CHECK(v == doctest::Approx(1));
  w = 3;  // a step of 1 is visible at this size
  kernels::active<kernels::OptimKernels<T>>().adam(1, adam, &small, &w, &m, &v, nullptr);
  CHECK(w == doctest::Approx(2));
}

}  // namespace
}  // namespace tarsier
