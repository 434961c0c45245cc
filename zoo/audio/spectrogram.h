#pragma once
// What is in a sound at each moment: its frequencies, as an ear groups them.

#include <complex>
#include <cstdint>
#include <utility>
#include <vector>

namespace tarsier::zoo {

/// The discrete Fourier transform: X_k = Σ_n x_n · e^{−2πi·kn/N}. Any N; fastest for products of
/// small primes: O(N · sum of the prime factors of N).
/// Source: Cooley and Tukey 1965, "An algorithm for the machine calculation of complex Fourier
/// series".
class FourierTransform {
 public:
  /// Throws Error("spectrogram") unless N is positive.
  explicit FourierTransform(int64_t size);

  std::vector<std::complex<double>> operator()(const std::vector<std::complex<double>>& x) const;

 private:
  void transform(const std::complex<double>* x, size_t stride, std::complex<double>* out,
                 size_t size, std::complex<double>* scratch) const;

  std::vector<std::complex<double>> roots_;  // e^{−2πi·k/N}
};

/// Frames of a sound, each a row of numbers.
struct Frames {
  int64_t count = 0, width = 0;
  std::vector<float> values;  ///< frame after frame

  float at(int64_t frame, int64_t i) const {
    return values[static_cast<size_t>(frame * width + i)];
  }
};

/// The power of each frequency over time, the short-time Fourier transform:
///   S[t, k] = |Σ_n w_n · y_{t·hop + n − n_fft/2} · e^{−2πi·kn/n_fft}|²,   k = 0 … n_fft/2,
/// w the periodic Hann window of n_fft samples, y the samples, 0 beyond their ends. Frame t has its
/// middle at sample t · hop, and there are 1 + ⌊length / hop⌋. As |librosa.stft|².
/// Throws Error("spectrogram") for sizes that are not positive, and for no samples.
Frames power_spectrogram(const std::vector<float>& samples, int64_t n_fft, int64_t hop);

/// Slaney's mel scale, on which equal steps sound equal: linear up to 1 kHz, logarithmic above.
///   mel(f) = 3f/200 below 1000, 15 + 27·ln(f/1000)/ln 6.4 from there on
/// Source: Slaney 1998, "Auditory toolbox, version 2"; librosa.hz_to_mel.
double mel_of_hertz(double hertz);
double hertz_of_mel(double mel);

struct MelOptions {
  int64_t rate = 8000;  ///< samples a second
  int64_t n_fft = 256;  ///< samples of a frame
  int64_t hop = 80;     ///< samples between the middles of two frames
  int64_t mels = 40;    ///< bands
};

/// The loudness of bands of equal width on the mel scale, in decibels: (frames, mels)
///   L[t, m] = 10·log₁₀(max(10⁻¹⁰, Σ_k F[m, k] · S[t, k]))
/// F are triangles between the middles of the neighbouring bands, each of area 1 in Hz; they reach
/// from 0 to half the rate. As librosa 0.11's power_to_db(feature.melspectrogram(…), top_db=None)
/// with ref=1.
class LogMel {
 public:
  /// Throws Error("spectrogram") for sizes that are not positive.
  explicit LogMel(const MelOptions& options);

  /// Throws Error("spectrogram") for no samples.
  Frames operator()(const std::vector<float>& samples) const;

  const MelOptions& options() const { return options_; }
  /// F: (mels, n_fft/2 + 1), row after row.
  const std::vector<double>& filters() const { return filters_; }
  /// How many frames a sound of `samples` samples has.
  int64_t frames(int64_t samples) const { return 1 + samples / options_.hop; }

 private:
  MelOptions options_;
  std::vector<double> filters_;
  std::vector<std::pair<int64_t, int64_t>> reach_;  // the frequencies where each is not 0
};

/// 10·log₁₀(max(10⁻¹⁰, power)).
double decibels(double power);

}  // namespace tarsier::zoo
