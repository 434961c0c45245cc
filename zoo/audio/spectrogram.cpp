#include "zoo/audio/spectrogram.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/base/error.h"

namespace tarsier::zoo {

using Complex = std::complex<double>;

// ------------------------------------------------------------------------------- Fourier transform

FourierTransform::FourierTransform(int64_t size) {
  check(size > 0, "spectrogram", "a Fourier transform of ", size, " numbers: expected 1 or more");
  for (int64_t k = 0; k < size; ++k)
    roots_.push_back(std::polar(
        1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size)));
}

namespace {

/// a · b. That of std::complex also looks for infinities, which takes longer.
Complex times(const Complex& a, const Complex& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

/// Writes the transform of x_0, x_stride, …, `size` numbers, to `out`. With the smallest factor p
/// of size = p · m, X_k = Σ_{r<p} e^{−2πi·rk/size} · (transform of every p-th number from r on)_k.
void FourierTransform::transform(const Complex* x, size_t stride, Complex* out, size_t size,
                                 Complex* scratch) const {
  if (size == 1) {
    *out = *x;
    return;
  }
  if (size == 2) {
    out[0] = x[0] + x[stride], out[1] = x[0] - x[stride];
    return;
  }
  size_t p = 2;
  while (size % p != 0) ++p;
  const size_t m = size / p;
  for (size_t r = 0; r < p; ++r)
    transform(x + r * stride, stride * p, scratch + r * m, m, out + r * m);
  // The roots of `size` are every (N / size)-th of N: N / size is the stride.
  if (p == 2) {  // e^{−2πi·(k + m)/size} = −e^{−2πi·k/size}
    for (size_t k = 0; k < m; ++k) {
      const Complex odd = times(roots_[k * stride], scratch[m + k]);
      out[k] = scratch[k] + odd, out[k + m] = scratch[k] - odd;
    }
    return;
  }
  for (size_t k = 0; k < size; ++k) {
    Complex sum = scratch[k % m];
    for (size_t r = 1; r < p; ++r)
      sum += times(roots_[r * k % size * stride], scratch[r * m + k % m]);
    out[k] = sum;
  }
}

std::vector<Complex> FourierTransform::operator()(const std::vector<Complex>& x) const {
  check(x.size() == roots_.size(), "spectrogram", x.size(), " numbers for a Fourier transform of ",
        roots_.size());
  std::vector<Complex> out(x.size()), scratch(x.size());
  transform(x.data(), 1, out.data(), x.size(), scratch.data());
  return out;
}

// ------------------------------------------------------------------------------------ spectrogram

Frames power_spectrogram(const std::vector<float>& samples, int64_t n_fft, int64_t hop) {
  check(n_fft > 0 && hop > 0, "spectrogram", "n_fft ", n_fft, " and hop ", hop,
        ": both must be positive");
  check(!samples.empty(), "spectrogram", "there are no samples");
  const auto length = static_cast<int64_t>(samples.size());
  const FourierTransform transform(n_fft);
  std::vector<double> window;
  for (int64_t n = 0; n < n_fft; ++n)
    window.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) /
                                          static_cast<double>(n_fft)));
  Frames out{1 + length / hop, n_fft / 2 + 1, {}};
  out.values.reserve(static_cast<size_t>(out.count * out.width));
  // Two real frames as the real and imaginary part of one complex transform Z:
  // X_k = (Z_k + conj Z_{−k}) / 2, Y_k = (Z_k − conj Z_{−k}) / 2i.
  std::vector<Complex> both(static_cast<size_t>(n_fft));
  for (int64_t t = 0; t < out.count; t += 2) {
    const auto windowed = [&](int64_t frame, int64_t n) {
      const int64_t at = frame * hop + n - n_fft / 2;
      return at < 0 || at >= length ? 0.0
                                    : window[static_cast<size_t>(n)] *
                                          static_cast<double>(samples[static_cast<size_t>(at)]);
    };
    for (int64_t n = 0; n < n_fft; ++n)
      both[static_cast<size_t>(n)] = {windowed(t, n), windowed(t + 1, n)};
    const std::vector<Complex> z = transform(both);
    const auto power = [&](int64_t k, double sign) {
      const Complex mirrored = std::conj(z[static_cast<size_t>((n_fft - k) % n_fft)]);
      return static_cast<float>(std::norm(z[static_cast<size_t>(k)] + sign * mirrored) / 4);
    };
    for (int64_t k = 0; k < out.width; ++k) out.values.push_back(power(k, 1));
    if (t + 1 == out.count) break;
    for (int64_t k = 0; k < out.width; ++k) out.values.push_back(power(k, -1));
  }
  return out;
}

// -------------------------------------------------------------------------------------------- mel

namespace {

constexpr double kLinearUpTo = 1000;  // Hz
constexpr double kMelsPerHertz = 3.0 / 200;
const double kLogStep = std::log(6.4) / 27;

}  // namespace

double mel_of_hertz(double hertz) {
  if (hertz < kLinearUpTo) return hertz * kMelsPerHertz;
  return kLinearUpTo * kMelsPerHertz + std::log(hertz / kLinearUpTo) / kLogStep;
}

double hertz_of_mel(double mel) {
  const double border = kLinearUpTo * kMelsPerHertz;
  if (mel < border) return mel / kMelsPerHertz;
  return kLinearUpTo * std::exp((mel - border) * kLogStep);
}

double decibels(double power) { return 10 * std::log10(std::max(1e-10, power)); }

LogMel::LogMel(const MelOptions& options) : options_(options) {
  for (const int64_t size : {options.rate, options.n_fft, options.hop, options.mels})
    check(size > 0, "spectrogram", "a size is ", size, ": all must be positive");
  const int64_t bins = options.n_fft / 2 + 1;
  const double highest = mel_of_hertz(static_cast<double>(options.rate) / 2);
  const auto edge = [&](int64_t m) {  // band m lies between edges m and m + 2
    return hertz_of_mel(highest * static_cast<double>(m) / static_cast<double>(options.mels + 1));
  };
  for (int64_t m = 0; m < options.mels; ++m) {
    const double low = edge(m), middle = edge(m + 1), high = edge(m + 2);
    reach_.emplace_back(bins, 0);
    for (int64_t k = 0; k < bins; ++k) {
      const double hertz =
          static_cast<double>(k * options.rate) / static_cast<double>(options.n_fft);
      const double height =
          std::min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      filters_.push_back(std::max(0.0, height) * 2 / (high - low));
      if (height <= 0) continue;
      reach_.back().first = std::min(reach_.back().first, k);
      reach_.back().second = k + 1;
    }
  }
}

Frames LogMel::operator()(const std::vector<float>& samples) const {
  const Frames power = power_spectrogram(samples, options_.n_fft, options_.hop);
  Frames out{power.count, options_.mels, {}};
  out.values.reserve(static_cast<size_t>(out.count * out.width));
  for (int64_t t = 0; t < out.count; ++t)
    for (int64_t m = 0; m < out.width; ++m) {
      double sum = 0;
      const auto [begin, end] = reach_[static_cast<size_t>(m)];
      for (int64_t k = begin; k < end; ++k)
        sum += filters_[static_cast<size_t>(m * power.width + k)] * power.at(t, k);
      out.values.push_back(static_cast<float>(decibels(sum)));
    }
  return out;
}

}  // namespace tarsier::zoo
