#include "zoo/speech/features.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "autograd/ops.h"
#include "zoo/audio/resample.h"
#include "zoo/data/sampler.h"

namespace tarsier::zoo::speech {

namespace {

MelOptions options_for(int64_t rate, int64_t mels) {
  check(rate >= 1000, "speech", "sound of ", rate, " samples a second: expected 1,000 or more");
  const auto frame = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rate / 40)));
  return {.rate = rate, .n_fft = frame, .hop = rate / 100, .mels = mels};
}

}  // namespace

Features::Features(int64_t rate, int64_t mels)
    : log_mel_(options_for(rate, mels)),
      mean_(static_cast<size_t>(mels), 0),
      deviation_(static_cast<size_t>(mels), 1) {}

void Features::learn(const std::vector<std::vector<float>>& sounds) {
  std::vector<double> sum(mean_.size()), squares(mean_.size());
  double count = 0;
  for (const std::vector<float>& samples : sounds) {
    const Frames frames = log_mel_(samples);
    for (size_t i = 0; i < frames.values.size(); ++i) {
      const double value = frames.values[i];
      sum[i % sum.size()] += value;
      squares[i % sum.size()] += value * value;
    }
    count += static_cast<double>(frames.count);
  }
  check(count > 0, "speech", "there are no recordings to measure");
  // Rounded, so that the order of the recordings does not matter.
  const auto rounded = [](double x) { return std::round(1e4 * x) / 1e4; };
  for (size_t m = 0; m < sum.size(); ++m) {
    const double mean = sum[m] / count;
    mean_[m] = rounded(mean);
    // At least 0.01: a band may never change, as of silence.
    deviation_[m] = rounded(std::sqrt(std::max(1e-4, squares[m] / count - mean * mean)));
  }
}

Features Features::from_json(const Json& json) {
  const auto numbers = [&](const char* name) {
    std::vector<double> out;
    for (const Json& value : json[name].as_array()) out.push_back(value.as_double());
    return out;
  };
  const std::vector<double> mean = numbers("mean"), deviation = numbers("deviation");
  check(!mean.empty() && mean.size() == deviation.size(), "speech", mean.size(), " means and ",
        deviation.size(), " deviations of bands: expected as many, and at least one");
  Features out(json["rate"].as_int(), static_cast<int64_t>(mean.size()));
  for (const double x : deviation)
    check(x > 0, "speech", "the deviation of a band is ", x, ": it must be above 0");
  out.mean_ = mean, out.deviation_ = deviation;
  return out;
}

Json Features::to_json() const {
  return Json::Object{{"rate", rate()},
                      {"mean", Json::Array(mean_.begin(), mean_.end())},
                      {"deviation", Json::Array(deviation_.begin(), deviation_.end())}};
}

double Features::seconds_of(int64_t frames) const {
  return static_cast<double>(frames * log_mel_.options().hop) / static_cast<double>(rate());
}

Frames Features::operator()(const std::vector<float>& samples) const {
  Frames out = log_mel_(samples);
  for (size_t i = 0; i < out.values.size(); ++i) {
    const size_t m = i % mean_.size();
    out.values[i] = static_cast<float>((out.values[i] - mean_[m]) / deviation_[m]);
  }
  return out;
}

Frames Features::operator()(const Sound& sound) const {
  return (*this)(resampled(sound, rate()).samples);
}

Batch batch_of(const std::vector<Frames>& frames) {
  check(!frames.empty(), "speech", "a batch of no recordings");
  const auto count = static_cast<int64_t>(frames.size());
  const int64_t width = frames[0].width;
  std::vector<int64_t> lengths;
  for (const Frames& one : frames) lengths.push_back(one.count);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const Tensor all = zeros({count, longest, width});
  for (int64_t b = 0; b < count; ++b) {
    const std::vector<float>& values = frames[static_cast<size_t>(b)].values;
    std::copy(values.begin(), values.end(), all.data<float>() + b * longest * width);
  }
  return {{{"frames", all}, {"lengths", from_vector(lengths, {count})}}, count};
}

Batch batch_of(const std::vector<Frames>& frames, const std::vector<std::vector<int32_t>>& tokens) {
  Batch out = batch_of(frames);
  std::vector<int64_t> lengths;
  for (const std::vector<int32_t>& text : tokens)
    lengths.push_back(static_cast<int64_t>(text.size()));
  out.tensors.add("targets", pad_rows(tokens, 0));
  out.tensors.add("target_lengths", from_vector(lengths, {static_cast<int64_t>(lengths.size())}));
  return out;
}

int64_t moments_needed(const std::vector<int32_t>& tokens) {
  auto needed = static_cast<int64_t>(tokens.size());
  for (size_t i = 1; i < tokens.size(); ++i) needed += tokens[i] == tokens[i - 1];
  return needed;
}

namespace {

/// Where to cut: the middle of the quietest `width` samples in the second half.
int64_t quietest(const std::vector<float>& samples, int64_t width) {
  const auto size = static_cast<int64_t>(samples.size());
  const auto power = [&](int64_t n) {
    const double x = samples[static_cast<size_t>(n)];
    return x * x;
  };
  int64_t begin = size / 2, best = begin;
  double sum = 0;
  for (int64_t n = begin; n < begin + width; ++n) sum += power(n);
  for (double least = sum; begin + width < size; ++begin) {
    sum += power(begin + width) - power(begin);
    if (sum < least) least = sum, best = begin + 1;
  }
  return best + width / 2;
}

}  // namespace

void for_each_piece(int64_t size, int64_t most,
                    const std::function<Sound(int64_t begin, int64_t count)>& read,
                    const std::function<void(const Sound&)>& use) {
  check(most >= 100, "speech", "pieces of ", most, " samples: expected 100 or more");
  for (int64_t begin = 0; begin < size;) {
    Sound piece = read(begin, std::min(most, size - begin));
    if (size - begin > most)
      piece.samples.resize(static_cast<size_t>(quietest(piece.samples, most / 100)));
    use(piece);
    begin += static_cast<int64_t>(piece.samples.size());
  }
}

}  // namespace tarsier::zoo::speech
