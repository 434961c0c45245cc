#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "autograd/ops.h"

namespace tarsier::nn {
namespace {

thread_local bool no_init = false;

/// The distribution function of the standard normal, Φ(z). erfc keeps its digits in the lower tail.
double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// Φ⁻¹(p) for 0 < p ≤ ½: Winitzki's closed form of erf⁻¹ (accurate to 2·10⁻³), refined by Newton
/// steps z ← z − (Φ(z) − p) / φ(z).
double inverse_normal_cdf(double p) {
  constexpr double a = 0.147;
  const double log_term = std::log(4 * p * (1 - p));  // ln(1 − x²) for x = 2p − 1
  const double half = 2 / (std::numbers::pi * a) + log_term / 2;
  double z = -std::numbers::sqrt2 * std::sqrt(std::sqrt(half * half - log_term / a) - half);
  for (int step = 0; step < 3; ++step) {
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    z -= (normal_cdf(z) - p) / density;
  }
  return z;
}

/// The checks of all initialisers.
void check_floating(const Tensor& x, const char* op) {
  check(x.defined(), op, "an undefined tensor was given: assign Tensor::empty(shape) to it first");
  check(is_floating(x.dtype()), op, "a tensor of ", x.dtype(), ": f32 or f64 is needed");
}

double fan_of(const Tensor& x, std::string_view mode, const char* op) {
  check(mode == "fan_in" || mode == "fan_out", op, "mode '", mode, "': use fan_in or fan_out");
  const Fans fans = fan_in_and_fan_out(x);
  return static_cast<double>(mode == "fan_in" ? fans.in : fans.out);
}

}  // namespace

NoInit::NoInit() : before_(std::exchange(no_init, true)) {}
NoInit::~NoInit() { no_init = before_; }

Tensor zeros_(const Tensor& x) { return constant_(x, 0); }
Tensor ones_(const Tensor& x) { return constant_(x, 1); }

Tensor constant_(const Tensor& x, double value) {
  check(x.defined(), "constant_", "an undefined tensor was given: assign Tensor::empty(shape) to ",
        "it first");
  const NoGrad guard;
  return fill_(x, value);
}

Tensor uniform_(const Tensor& x, double a, double b, Generator& generator) {
  check_floating(x, "uniform_");
  check(a <= b && std::isfinite(b - a), "uniform_", "bounds ", a, " and ", b,
        ": they must be finite, the lower one first");
  if (no_init) return x;
  const NoGrad guard;
  return copy_(x, rand(x.shape(), x.dtype(), generator) * (b - a) + a);
}

Tensor normal_(const Tensor& x, double mean, double std, Generator& generator) {
  check_floating(x, "normal_");
  check(std >= 0 && std::isfinite(mean + std), "normal_", "mean ", mean, " and standard deviation ",
        std, ": both must be finite, and the second not negative");
  if (no_init) return x;
  const NoGrad guard;
  return copy_(x, randn(x.shape(), x.dtype(), generator) * std + mean);
}

Tensor trunc_normal_(const Tensor& x, double mean, double std, double a, double b,
                     Generator& generator) {
  check_floating(x, "trunc_normal_");
  check(std > 0 && a < b, "trunc_normal_", "std ", std, " and bounds ", a, ", ", b,
        ": std must be positive and the bounds in order");
  // Above the mean 1 − Φ would lose its digits: draw from the mirrored interval there.
  const bool mirror = a > mean;
  const double low = normal_cdf(mirror ? (mean - b) / std : (a - mean) / std);
  const double high = normal_cdf(mirror ? (mean - a) / std : (b - mean) / std);
  check(low < high && high > 1e-300, "trunc_normal_", "no mass of the normal distribution (mean ",
        mean, ", std ", std, ") between ", a, " and ", b);
  if (no_init) return x;
  std::vector<double> values = rand(x.shape(), f64, generator).to_vector();
  for (double& value : values) {
    const double p = std::max(low + value * (high - low), 1e-300);
    double z = p <= 0.5 ? inverse_normal_cdf(p) : -inverse_normal_cdf(std::max(1 - p, 1e-17));
    if (mirror) z = -z;
    value = std::clamp(mean + std * z, a, b);
  }
  const NoGrad guard;
  return copy_(x, from_vector(values, x.shape()));
}

Fans fan_in_and_fan_out(const Tensor& weight) {
  check(weight.defined(), "fan_in_and_fan_out", "an undefined tensor was given: assign ",
        "Tensor::empty(shape) to it first");
  check(weight.dim() >= 2, "fan_in_and_fan_out", "shape ", weight.shape(),
        " has less than two dimensions: (out, in, …) is needed");
  const int64_t kernel =
      weight.size(0) * weight.size(1) == 0 ? 0 : weight.numel() / (weight.size(0) * weight.size(1));
  return {weight.size(1) * kernel, weight.size(0) * kernel};
}

double calculate_gain(std::string_view nonlinearity, double a) {
  if (nonlinearity == "linear" || nonlinearity == "sigmoid") return 1;
  if (nonlinearity == "tanh") return 5.0 / 3;
  if (nonlinearity == "relu") return std::numbers::sqrt2;
  if (nonlinearity == "leaky_relu") return std::sqrt(2 / (1 + a * a));
  if (nonlinearity == "selu") return 0.75;
  fail("calculate_gain", "no nonlinearity '", nonlinearity,
       "': use linear, sigmoid, tanh, relu, leaky_relu or selu");
}

Tensor xavier_uniform_(const Tensor& x, double gain, Generator& generator) {
  const Fans fans = fan_in_and_fan_out(x);
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(fans.in + fans.out));
  return uniform_(x, -bound, bound, generator);
}

Tensor xavier_normal_(const Tensor& x, double gain, Generator& generator) {
  const Fans fans = fan_in_and_fan_out(x);
  return normal_(x, 0, gain * std::sqrt(2.0 / static_cast<double>(fans.in + fans.out)), generator);
}

Tensor kaiming_uniform_(const Tensor& x, double a, std::string_view mode,
                        std::string_view nonlinearity, Generator& generator) {
  const double fan = fan_of(x, mode, "kaiming_uniform_");
  const double bound = calculate_gain(nonlinearity, a) * std::sqrt(3 / fan);
  return uniform_(x, -bound, bound, generator);
}

Tensor kaiming_normal_(const Tensor& x, double a, std::string_view mode,
                       std::string_view nonlinearity, Generator& generator) {
  const double fan = fan_of(x, mode, "kaiming_normal_");
  return normal_(x, 0, calculate_gain(nonlinearity, a) / std::sqrt(fan), generator);
}

/// Gram–Schmidt on normal numbers: each row loses its components along the earlier rows, twice,
/// because one pass leaves the rounding error of sums that may be much larger than the remainder.
/// Source: Giraud et al. 2005, "The loss of orthogonality in the Gram-Schmidt process".
Tensor orthogonal_(const Tensor& x, double gain, Generator& generator) {
  check_floating(x, "orthogonal_");
  check(x.dim() >= 2, "orthogonal_", "shape ", x.shape(),
        " has less than two dimensions: (out, in, …) is needed");
  if (no_init || x.numel() == 0) return x;
  const NoGrad guard;
  const int64_t height = x.size(0), width = x.numel() / height;
  const int64_t m = std::min(height, width), n = std::max(height, width);
  const Tensor q = randn({m, n}, f64, generator);
  for (int64_t i = 0; i < m; ++i) {
    const Tensor row = slice(q, 0, i, i + 1), before = slice(q, 0, 0, i);
    for (int round = 0; round < 2 && i > 0; ++round)
      copy_(row, row - matmul(matmul(row, transpose(before, 0, 1)), before));
    copy_(row, row / sqrt(sum(row * row)));
  }
  return copy_(x, tarsier::to(reshape(height > width ? transpose(q, 0, 1) : q, x.shape()) * gain,
                              x.dtype()));
}

}  // namespace tarsier::nn
