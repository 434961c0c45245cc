#include "zoo/audio/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr double kZeros = 6;       // of sinc on each side
constexpr double kRollOff = 0.99;  // of the lower rate: the filter is not infinitely steep

/// sinc(u) · cos²(π/2 · u / 6).
double windowed_sinc(double u) {
  if (u == 0) return 1;
  const double window = std::cos(std::numbers::pi / 2 * u / kZeros);
  return std::sin(std::numbers::pi * u) / (std::numbers::pi * u) * window * window;
}

}  // namespace

std::vector<float> resampled(const std::vector<float>& samples, int64_t from, int64_t to) {
  check(from > 0 && to > 0, "resample", "from ", from, " to ", to,
        " samples a second: both must be positive");
  if (from == to) return samples;
  const int64_t divisor = std::gcd(from, to);
  from /= divisor, to /= divisor;
  const auto length = static_cast<int64_t>(samples.size());
  const int64_t new_length = (length * to + from - 1) / from;
  const double rate = static_cast<double>(from),
               cut = kRollOff * static_cast<double>(std::min(from, to));
  const auto reach = static_cast<int64_t>(std::ceil(kZeros * rate / cut));  // in old samples
  std::vector<float> out(static_cast<size_t>(new_length));
  std::vector<double> weights(static_cast<size_t>(2 * reach + 1));
  // Outputs phase, phase + to, phase + 2·to, … lie between old samples in the same way.
  for (int64_t phase = 0; phase < std::min(to, new_length); ++phase) {
    const int64_t left = phase * from / to;  // the old sample before the first of them
    for (int64_t k = -reach; k <= reach; ++k) {
      const double u = cut * (static_cast<double>(left + k) / rate -
                              static_cast<double>(phase) / static_cast<double>(to));
      weights[static_cast<size_t>(k + reach)] =
          std::abs(u) < kZeros ? windowed_sinc(u) * cut / rate : 0;
    }
    int64_t begin = left - reach;
    for (int64_t j = phase; j < new_length; j += to, begin += from) {
      double sum = 0;
      const int64_t last = std::min(2 * reach, length - 1 - begin);
      for (int64_t k = std::max<int64_t>(0, -begin); k <= last; ++k)
        sum += weights[static_cast<size_t>(k)] * samples[static_cast<size_t>(begin + k)];
      out[static_cast<size_t>(j)] = static_cast<float>(sum);
    }
  }
  return out;
}

Sound resampled(const Sound& sound, int64_t rate) {
  return {rate, resampled(sound.samples, sound.rate, rate)};
}

std::vector<float> at_speed(const std::vector<float>& samples, int64_t percent) {
  check(percent > 0, "resample", "a speed of ", percent, " %: it must be positive");
  return resampled(samples, percent, 100);
}

}  // namespace tarsier::zoo
