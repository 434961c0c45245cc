// Resampling compared with torchaudio, spectrograms with librosa; SpecAugment, stretches.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <sstream>

#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "zoo/audio/masking.h"
#include "zoo/audio/resample.h"
#include "zoo/audio/spectrogram.h"
#include "zoo/audio/stretch.h"

namespace tarsier::zoo {
namespace {

/// A tone of `hertz`.
std::vector<float> tone(double hertz, int64_t rate, int64_t samples) {
  std::vector<float> out;
  for (int64_t n = 0; n < samples; ++n)
    out.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * hertz *
                                              static_cast<double>(n) / static_cast<double>(rate))));
  return out;
}

std::vector<float> golden_sound() {
  return golden_file("audio.safetensors")["sound"].to_vector<float>();
}

/// The numbers in a name such as "8000.256.80.40".
std::vector<int64_t> numbers_of(std::string name) {
  for (char& c : name) c = c == '.' ? ' ' : c;
  std::istringstream in(name);
  std::vector<int64_t> out;
  for (int64_t number = 0; in >> number;) out.push_back(number);
  return out;
}

// -------------------------------------------------------------------------------------- resampling

TEST_CASE("resampling is torchaudio's") {
  const TensorDict expected = golden("audio.safetensors", "resample.");
  CHECK(expected.size() == 6);
  for (const auto& [name, samples] : expected) {
    CAPTURE(name);
    const std::vector<int64_t> rates = numbers_of(name);
    const std::vector<float> out = resampled(golden_sound(), rates[0], rates[1]);
    REQUIRE(static_cast<int64_t>(out.size()) == samples.numel());
    const std::vector<double> numbers = samples.to_vector();
    for (size_t i = 0; i < out.size(); ++i) CHECK(std::abs(out[i] - numbers[i]) < 1e-7);
  }
}

TEST_CASE("a resampled tone is the tone at the new rate; what it cannot hold is gone") {
  const auto middle_error = [](const std::vector<float>& a, const std::vector<float>& b) {
    double worst = 0;
    for (size_t i = a.size() / 4; i < a.size() * 3 / 4; ++i)
      worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
    return worst;
  };
  CHECK(middle_error(resampled(tone(440, 44100, 4410), 44100, 8000), tone(440, 8000, 800)) < 2e-3);
  CHECK(middle_error(resampled(tone(440, 8000, 800), 8000, 44100), tone(440, 44100, 4410)) < 2e-3);
  // 6 kHz would become 2 kHz without the filter.
  CHECK(middle_error(resampled(tone(6000, 16000, 1600), 16000, 8000), std::vector<float>(800)) <
        2e-3);
  CHECK(resampled(golden_sound(), 48000, 48000) == golden_sound());
  const Sound sound = resampled(Sound{16000, tone(100, 16000, 1601)}, 8000);
  CHECK(sound.rate == 8000);
  CHECK(sound.samples.size() == 801);
  CHECK(resampled(std::vector<float>{}, 3, 2).empty());
  check_error("from 0 to 5", [] { resampled(std::vector<float>{1}, 0, 5); });
}

TEST_CASE("a faster sound is shorter and higher") {
  CHECK(at_speed(tone(100, 8000, 900), 90).size() == 1000);
  CHECK(at_speed(tone(100, 8000, 1100), 110).size() == 1000);
  const std::vector<float> fast = at_speed(tone(500, 8000, 1200), 120),
                           high = tone(600, 8000, 1000);
  for (size_t i = 200; i < 800; ++i) CHECK(std::abs(fast[i] - high[i]) < 2e-3);
  check_error("a speed of 0 %", [] { at_speed({1}, 0); });
}

// ------------------------------------------------------------------------------------ spectrograms

TEST_CASE("the fast Fourier transform is the formula, for any number of samples") {
  for (const int64_t size : {1, 2, 3, 7, 8, 12, 30, 49, 64, 97}) {
    CAPTURE(size);
    std::vector<std::complex<double>> x;
    for (int64_t n = 0; n < size; ++n)
      x.emplace_back(uniform<double>({1, 0}, static_cast<uint64_t>(n)),
                     uniform<double>({1, 1}, static_cast<uint64_t>(n)));
    const auto out = FourierTransform(size)(x);
    for (int64_t k = 0; k < size; ++k) {
      std::complex<double> sum = 0;
      for (int64_t n = 0; n < size; ++n)
        sum += x[static_cast<size_t>(n)] *
               std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * n % size) /
                                   static_cast<double>(size));
      CHECK(std::abs(out[static_cast<size_t>(k)] - sum) < 1e-11);
    }
  }
  check_error("of 0 numbers", [] { FourierTransform(0); });
  check_error("2 numbers for a Fourier transform of 3", [] { FourierTransform(3)({1, 2}); });
}

TEST_CASE("log-mel spectrograms are librosa's") {
  const TensorDict expected = golden("audio.safetensors", "log_mel.");
  CHECK(expected.size() == 3);
  for (const auto& [name, values] : expected) {
    CAPTURE(name);
    const std::vector<int64_t> sizes = numbers_of(name);
    const LogMel log_mel({sizes[0], sizes[1], sizes[2], sizes[3]});
    const Frames out = log_mel(golden_sound());
    REQUIRE(Shape{out.count, out.width} == values.shape());
    CHECK(log_mel.frames(300) == out.count);
    const std::vector<double> numbers = values.to_vector();
    for (size_t i = 0; i < numbers.size(); ++i) CHECK(std::abs(out.values[i] - numbers[i]) < 2e-5);
    if (!golden_file("audio.safetensors").contains("filters." + name)) continue;
    const Tensor& filters = golden_file("audio.safetensors")["filters." + name];
    check_close("filters", from_vector(log_mel.filters(), filters.shape()), filters);
  }
}

TEST_CASE("spectrograms have librosa's frames, padded with zeros") {
  std::vector<float> y(16);
  std::iota(y.begin(), y.end(), 1.0f);
  const Frames frames = power_spectrogram(y, 8, 4);
  CHECK(frames.count == 5);
  CHECK(frames.width == 5);
  for (const auto& [bin, magnitude] : {std::pair{0, 4.7929}, {1, 3.5996}, {2, 1.2277}})
    CHECK(std::sqrt(frames.at(0, bin)) == doctest::Approx(magnitude).epsilon(1e-4));
  y.pop_back();
  CHECK(power_spectrogram(y, 8, 4).count == 4);
  CHECK(power_spectrogram({1, 2, 3}, 8, 4).count == 1);
  check_error("there are no samples", [] { power_spectrogram({}, 8, 4); });
  check_error("both must be positive", [] { power_spectrogram({1}, 8, 0); });
}

TEST_CASE("a tone of 1 kHz is loudest in the band that librosa gives it") {
  const std::vector<float> second = tone(1000, 16000, 16000);
  const LogMel log_mel({.rate = 16000, .n_fft = 400, .hop = 160, .mels = 80});
  const Frames frames = log_mel(second);
  CHECK(frames.count == 101);
  int64_t loudest = 0;
  for (int64_t m = 0; m < 80; ++m)
    if (frames.at(50, m) > frames.at(50, loudest)) loudest = m;
  CHECK(loudest == 26);
  CHECK(frames.at(50, 26) == doctest::Approx(10 * std::log10(229.439)).epsilon(1e-5));
  CHECK(*std::max_element(log_mel.filters().begin(), log_mel.filters().end()) ==
        doctest::Approx(.0258807).epsilon(1e-5));
  const Frames silence = log_mel(std::vector<float>(1000));
  for (const float level : silence.values) CHECK(level == -100);
  check_error("all must be positive", [] { LogMel({.mels = 0}); });
}

TEST_CASE("Slaney's mel scale, and decibels") {
  for (const auto& [hertz, mel] :
       {std::pair{500.0, 7.5}, {1000.0, 15.0}, {4000.0, 35.16376}, {8000.0, 45.24564}}) {
    CHECK(mel_of_hertz(hertz) == doctest::Approx(mel).epsilon(1e-7));
    CHECK(hertz_of_mel(mel_of_hertz(hertz)) == doctest::Approx(hertz).epsilon(1e-12));
  }
  CHECK(decibels(1) == 0);
  CHECK(decibels(1e-3) == doctest::Approx(-30));
  CHECK(decibels(1e-12) == doctest::Approx(-100));
}

// ------------------------------------------------------------------------------ masks and stretches

TEST_CASE("frames are stretched piece by piece, and the values in between are linear") {
  const Frames frames{4, 2, {0, 10, 4, 20, 8, 30, 12, 40}};
  CHECK(stretched(frames, {{4, 1}}).values == frames.values);
  const Frames longer = stretched(frames, {{4, 2}});
  CHECK(longer.count == 8);
  CHECK(longer.width == 2);
  CHECK(longer.values == std::vector<float>{0, 10, 1, 12.5, 3, 17.5, 5, 22.5,  //
                                            7, 27.5, 9, 32.5, 11, 37.5, 12, 40});
  CHECK(stretched(frames, {{4, 0.5}}).values == std::vector<float>{2, 15, 10, 35});
  const Frames both = stretched(frames, {{2, 0.1}, {4, 1.5}});  // a piece has one frame at least
  CHECK(both.count == 4);
  const std::vector<double> expected{2, 15, 4 + 4 * 5 / 6., 20 + 10 * 5 / 6., 10, 35, 12, 40};
  for (size_t i = 0; i < 8; ++i) CHECK(both.values.at(i) == doctest::Approx(expected[i]));
  check_error("the last piece ends at frame 3 of 4", [&] { stretched(frames, {{3, 1}}); });
  for (const std::vector<Stretch>& pieces :
       {std::vector<Stretch>{{4, 0}}, {{0, 1}, {4, 1}}, {{4, 1}, {2, 1}}})
    check_error("both its length and factor must be positive", [&] { stretched(frames, pieces); });
}

/// How many of the frames and of the bands of ones are masked whole.
std::pair<int64_t, int64_t> masked(int64_t count, int64_t width, const MaskingOptions& options,
                                   uint64_t seed) {
  Frames frames{count, width, std::vector<float>(static_cast<size_t>(count * width), 1)};
  mask(frames, options, 7, {seed, 0});
  std::pair<int64_t, int64_t> out;
  const auto filled = [&](bool frame, int64_t i) {
    for (int64_t j = 0; j < (frame ? width : count); ++j)
      if ((frame ? frames.at(i, j) : frames.at(j, i)) != 7) return 0;
    return 1;
  };
  for (int64_t t = 0; t < count; ++t) out.first += filled(true, t);
  for (int64_t m = 0; m < width; ++m) out.second += filled(false, m);
  return out;
}

TEST_CASE("a mask has every width below its limit equally often, and never the limit") {
  std::map<int64_t, int> bands, frames;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    ++bands[masked(9, 50, {1, 4, 0, 0, 1}, seed).second];
    ++frames[masked(50, 9, {0, 0, 1, 4, 1}, seed).first];
  }
  for (const auto& counts : {bands, frames}) {
    CHECK(counts.size() == 4);
    for (const auto& [width, count] : counts) {
      CHECK(width < 4);
      CHECK(count > 60);
    }
  }
  for (uint64_t seed = 0; seed < 50; ++seed)
    CHECK(masked(9, 50, {3, 1, 0, 0, 1}, seed) == std::pair<int64_t, int64_t>{0, 0});
}

TEST_CASE("a mask may cover all bands, begins anywhere, and leaves most of the time") {
  int all = 0;
  std::vector<int> at(6);
  for (uint64_t seed = 0; seed < 500; ++seed) {
    all += masked(3, 5, {1, 27, 0, 0, 1}, seed).second == 5;
    Frames frames{1, 6, std::vector<float>(6)};
    mask(frames, {1, 2, 0, 0, 1}, 1, {seed, 0});
    for (size_t m = 0; m < 6; ++m) at[m] += frames.values[m] == 1;
    CHECK(masked(50, 4, {0, 0, 1, 40, 0.2}, seed).first < 10);
  }
  CHECK(all > 375);  // 22 of 27
  CHECK(all < 435);
  for (const int count : at) CHECK(count > 20);  // 500 / 2 / 6 expected
  Frames frames{2, 2, {1, 2, 3, 4}};
  mask(frames, {.frequency_masks = 0, .time_masks = 0}, 0, {});
  CHECK(frames.values == std::vector<float>{1, 2, 3, 4});
  check_error("an option is negative", [&] { mask(frames, {.time_width = -1}, 0, {}); });
}

}  // namespace
}  // namespace tarsier::zoo
