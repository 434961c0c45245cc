// Optimiser steps at every tail length against the formulas, one number at a time.
#include "autograd/kernels/optim.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "autograd/kernels/kernels.h"

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

/// Each result is a handful of roundings of numbers of size one.
template <class T>
void check_near(const std::vector<T>& actual, const std::vector<double>& expected) {
  const double tolerance = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(actual[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
  CHECK(actual.back() == T(77));  // the element behind the last is not touched
}

TEST_CASE_TEMPLATE("an Adam step, at every length", T, float, double) {
  for (int64_t n = 0; n <= 70; ++n) {
    CAPTURE(n);
    const auto g = numbers<T>(n, 1);
    auto w = numbers<T>(n, 2), m = numbers<T>(n, 3), v = numbers<T>(n, 4, true);
    std::vector<double> want_w, want_m, want_v;
    const kernels::AdamStep<T> s{.beta1 = T(0.9),
                                 .beta2 = T(0.95),
                                 .eps = T(0.01),
                                 .l2 = T(0.1),
                                 .shrink = T(0.7),
                                 .step_size = T(0.3),
                                 .inverse_root = T(1.5)};
    for (size_t i = 0; i < g.size(); ++i) {
      const double gi = g[i] + double{s.l2} * w[i];
      want_m.push_back(s.beta1 * double{m[i]} + (1 - double{s.beta1}) * gi);
      want_v.push_back(s.beta2 * double{v[i]} + (1 - double{s.beta2}) * gi * gi);
      want_w.push_back(double{s.shrink} * w[i] -
                       s.step_size * want_m[i] / (std::sqrt(want_v[i]) * s.inverse_root + s.eps));
    }
    for (auto* x : {&w, &m, &v}) x->push_back(T(77));
    kernels::active<T>().adam(n, s, g.data(), w.data(), m.data(), v.data(), nullptr);
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
                                      .momentum = T(0.9),
                                      .dampening = T(0.2),
                                      .l2 = T(0.1),
                                      .nesterov = nesterov,
                                      .first = first};
          for (size_t i = 0; i < g.size(); ++i) {
            double gi = g[i] + double{s.l2} * w[i];
            want_b.push_back(b[i]);
            if (momentum) {
              want_b[i] = first ? gi : s.momentum * double{b[i]} + (1 - double{s.dampening}) * gi;
              gi = nesterov ? gi + s.momentum * want_b[i] : want_b[i];
            }
            want_w.push_back(w[i] - s.lr * gi);
          }
          w.push_back(T(77));
          b.push_back(T(77));
          kernels::active<T>().sgd(n, s, g.data(), w.data(), momentum ? b.data() : nullptr);
          check_near(w, want_w);
          check_near(b, want_b);
        }
}

}  // namespace
}  // namespace tarsier
