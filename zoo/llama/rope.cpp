#include "zoo/llama/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/ops.h"

namespace tarsier::zoo::llama {

namespace {

/// theta^{−2i/D}.
double plain(double theta, int64_t i, int64_t head_dim) {
  return std::pow(theta, -2 * static_cast<double>(i) / static_cast<double>(head_dim));
}

/// The part that is plain of pairs between `low` and `high`: 1 before, 0 after, and a ramp.
struct Ramp {
  double low, high;

  double plain_part(int64_t i) const {
    const double width = high == low ? 0.001 : high - low;
    return 1 - std::clamp((static_cast<double>(i) - low) / width, 0.0, 1.0);
  }
};

/// YaRN's: pairs that turn more than beta_fast times in the original length are plain, those that
/// turn less than beta_slow times are not.
Ramp yarn_ramp(const Rope& rope, int64_t head_dim) {
  const auto D = static_cast<double>(head_dim);
  const auto pair_of = [&](double turns) {
    return D * std::log(rope.original / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(rope.theta));
  };
  double low = pair_of(rope.beta_fast), high = pair_of(rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  return {std::max(low, 0.0), std::min(high, D - 1)};
}

/// Llama 3's: by the wavelength, 2π/θ tokens.
double llama3_frequency(const Rope& rope, double theta) {
  const double turns = rope.original * theta / (2 * std::numbers::pi);
  if (turns < rope.low_freq_factor) return theta / rope.factor;
  if (turns > rope.high_freq_factor) return theta;
  const double part =
      (turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return (1 - part) * theta / rope.factor + part * theta;
}

/// The theta of a text of `length` tokens.
double dynamic_theta(const Rope& rope, int64_t head_dim, int64_t length) {
  const double ratio = std::max(static_cast<double>(length), rope.longest) / rope.longest;
  const auto D = static_cast<double>(head_dim);
  return rope.theta * std::pow(rope.factor * ratio - (rope.factor - 1), D / (D - 2));
}

}  // namespace

std::vector<double> rope_frequencies(const Rope& rope, int64_t head_dim, int64_t length) {
  const double theta =
      rope.kind == Rope::Kind::dynamic ? dynamic_theta(rope, head_dim, length) : rope.theta;
  const Ramp ramp = rope.kind == Rope::Kind::yarn ? yarn_ramp(rope, head_dim) : Ramp{0, 0};
  std::vector<double> frequencies;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    double value = plain(theta, i, head_dim);
    if (rope.kind == Rope::Kind::linear) value /= rope.factor;
    if (rope.kind == Rope::Kind::llama3) value = llama3_frequency(rope, value);
    if (rope.kind == Rope::Kind::yarn) {
      const double part = ramp.plain_part(i);
      value = part * value + (1 - part) * value / rope.factor;
    }
    frequencies.push_back(value);
  }
  return frequencies;
}

double rope_scale(const Rope& rope) {
  if (rope.kind != Rope::Kind::yarn) return 1;
  if (rope.attention_factor) return *rope.attention_factor;
  const auto grown = [&](double mscale) {
    return rope.factor <= 1 ? 1 : 0.1 * mscale * std::log(rope.factor) + 1;
  };
  const bool has_both = rope.mscale != 0 && rope.mscale_all_dim != 0;
  return has_both ? grown(rope.mscale) / grown(rope.mscale_all_dim) : grown(1);
}

Rotation rotation(const Rope& rope, int64_t head_dim, int64_t T, int64_t offset, DType dtype) {
  const std::vector<double> frequencies = rope_frequencies(rope, head_dim, offset + T);
  const Tensor positions = unsqueeze(arange(T, f64) + static_cast<double>(offset), 1);
  const Tensor angles = positions * from_vector(frequencies, {head_dim / 2});
  const double scale = rope_scale(rope);
  return {to(cos(angles) * scale, dtype), to(sin(angles) * scale, dtype)};
}

}  // namespace tarsier::zoo::llama
