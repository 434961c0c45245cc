#include "zoo/audio/spoken_digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kRate = 8000;

/// A sound of a word: three formants in Hz, how much of the source are pulses and how much is
/// noise, and how long it lasts, relative to a vowel.
struct Phone {
  std::array<double, 3> formants;
  double voice, noise, length;
};

// The sounds of English digits. A glide such as "ai" is two phones.
constexpr Phone kZ{{280, 1700, 2600}, 0.4, 0.35, 0.6}, kEE{{290, 2250, 3000}, 1, 0, 0.9},
    kR{{330, 1150, 1550}, 0.8, 0, 0.6}, kOH{{500, 880, 2500}, 1, 0, 1},
    kOO{{320, 850, 2300}, 0.9, 0, 0.8}, kW{{300, 650, 2300}, 0.8, 0, 0.6},
    kUH{{640, 1190, 2400}, 1, 0, 1}, kN{{280, 1500, 2500}, 0.35, 0, 0.8},
    kT{{400, 2000, 3300}, 0, 0.5, 0.3}, kTh{{400, 1500, 2900}, 0, 0.12, 0.6},
    kF{{500, 1300, 3000}, 0, 0.12, 0.8}, kV{{300, 1200, 2400}, 0.4, 0.1, 0.6},
    kA{{730, 1150, 2500}, 1, 0, 0.9}, kI{{390, 1990, 2600}, 1, 0, 0.8},
    kS{{500, 2400, 3700}, 0, 0.5, 1}, kK{{350, 1900, 2500}, 0, 0.35, 0.3},
    kE{{530, 1850, 2500}, 1, 0, 0.9}, kOr{{480, 800, 2300}, 1, 0, 1},
    kPause{{400, 1500, 2500}, 0, 0, 0.4};

const std::array<std::vector<Phone>, 10> kWords = {{
    {kZ, kI, kR, kOH},         // zero
    {kW, kUH, kN},             // one
    {kT, kOO, kOO},            // two
    {kTh, kR, kEE},            // three
    {kF, kOr, kR},             // four
    {kF, kA, kI, kV},          // five
    {kS, kI, kPause, kK, kS},  // six
    {kS, kE, kV, kUH, kN},     // seven
    {kE, kI, kPause, kT},      // eight
    {kN, kA, kI, kN},          // nine
}};

/// y_n = g·x_n + b·y_{n−1} + c·y_{n−2}: rings at a frequency that may change at every sample.
class Resonator {
 public:
  double operator()(double x, double hertz, double bandwidth) {
    const double r = std::exp(-std::numbers::pi * bandwidth / kRate),
                 b = 2 * r * std::cos(2 * std::numbers::pi * hertz / kRate), c = -r * r;
    const double y = (1 - b - c) * x + b * before_ + c * earlier_;
    earlier_ = before_;
    return before_ = y;
  }

 private:
  double before_ = 0, earlier_ = 0;
};

/// How somebody says a word once.
struct Voice {
  double pitch, fall, size, tempo, loudness, noise;
};

/// The phones with lengths and formants as this voice says them, and their ends in samples.
struct Score {
  std::vector<Phone> phones;
  std::vector<double> ends;
};

/// At `at`, the middle of phone i being its target: linear from one middle to the next.
Phone between(const Score& score, double at) {
  size_t i = 0;
  const auto middle = [&](size_t k) {
    return (score.ends[k] + (k == 0 ? 0 : score.ends[k - 1])) / 2;
  };
  while (i + 1 < score.phones.size() && middle(i + 1) <= at) ++i;
  if (at <= middle(0) || i + 1 == score.phones.size()) return score.phones[at <= middle(0) ? 0 : i];
  const double share = (at - middle(i)) / (middle(i + 1) - middle(i));
  const auto mix = [&](double a, double b) { return a + share * (b - a); };
  const Phone &a = score.phones[i], &b = score.phones[i + 1];
  Phone out = a;
  for (size_t f = 0; f < 3; ++f) out.formants[f] = mix(a.formants[f], b.formants[f]);
  out.voice = mix(a.voice, b.voice);
  out.noise = mix(a.noise, b.noise);
  return out;
}

}  // namespace

const std::vector<std::string>& digit_words() {
  static const std::vector<std::string> words = {"zero", "one", "two",   "three", "four",
                                                 "five", "six", "seven", "eight", "nine"};
  return words;
}

Sound speak_digit(int digit, RandomKey key, uint64_t index) {
  check(digit >= 0 && digit <= 9, "data", "there is no digit ", digit, ": expected 0 to 9");
  uint64_t drawn = index << 20;  // no word needs a million numbers
  const auto draw = [&](double low, double high) {
    return low + (high - low) * uniform<double>(key, drawn++);
  };
  const Voice voice{draw(85, 240),   draw(0.7, 1),    draw(0.85, 1.2),
                    draw(0.75, 1.3), draw(0.05, 0.4), draw(0.0005, 0.004)};
  Score score;
  double end = 0;
  for (Phone phone : kWords[static_cast<size_t>(digit)]) {
    for (double& hertz : phone.formants) hertz *= draw(0.94, 1.06) / voice.size;
    end += phone.length * 0.13 * kRate * draw(0.8, 1.2) / voice.tempo;
    score.phones.push_back(phone);
    score.ends.push_back(end);
  }
  Sound out{kRate, {}};
  std::array<Resonator, 3> resonators;
  constexpr std::array<double, 3> kBandwidths = {70, 100, 150};
  double phase = 0, loudest = 0;
  std::vector<double> samples;
  for (double n = 0; n < end; ++n) {
    const Phone phone = between(score, n);
    phase += voice.pitch * (1 + (voice.fall - 1) * n / end) / kRate;
    const double pulse = phase >= 1 ? 1 : 0;
    phase -= std::floor(phase);
    // Pulses are rare, so each is as strong as all the noise between two of them.
    double y = 6 * phone.voice * pulse + phone.noise * draw(-1, 1);
    for (size_t f = 0; f < 3; ++f)
      y = resonators[f](y, std::min(phone.formants[f], 3800.0), kBandwidths[f]);
    const double fade = std::min({1.0, n / 80, (end - n) / 240});
    samples.push_back(y * fade);
    loudest = std::max(loudest, std::abs(samples.back()));
  }
  for (const double y : samples)
    out.samples.push_back(
        static_cast<float>(voice.loudness * y / loudest + voice.noise * draw(-1, 1)));
  return out;
}

}  // namespace tarsier::zoo
