#include "zoo/diffusion/examples.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "zoo/data/sampler.h"
#include "zoo/diffusion/flow.h"
#include "zoo/diffusion/generate.h"
#include "zoo/diffusion/ode.h"

namespace tarsier::zoo::diffusion {

namespace {

/// The streams of random numbers that change the pictures, and that draw noise, times and classes;
/// a batch takes a few of the latter.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;
constexpr uint64_t kNoiseStream = uint64_t{1} << 62;
constexpr uint64_t kStreamsOfBatch = 8;
/// Measures do not depend on the run's seed.
constexpr uint64_t kMeasureSeed = 2023;

Generator generator_of(uint64_t seed, int64_t batch) {
  Generator generator;
  generator.set_state({seed, kNoiseStream + static_cast<uint64_t>(batch) * kStreamsOfBatch});
  return generator;
}

/// The numbers begin, …, at most `most` of them, below `end`.
std::vector<int64_t> numbers_from(int64_t begin, int64_t most, int64_t end) {
  std::vector<int64_t> numbers(static_cast<size_t>(std::min(most, end - begin)));
  std::iota(numbers.begin(), numbers.end(), begin);
  return numbers;
}

/// Times of images: multiples of the golden ratio, without their whole parts. Any stretch of them
/// is spread evenly.
Tensor even_times(const std::vector<int64_t>& images) {
  std::vector<float> times;
  for (const int64_t i : images) {
    const double turns = (static_cast<double>(i) + 0.5) * std::numbers::phi;
    times.push_back(static_cast<float>(turns - std::floor(turns)));
  }
  return from_vector(times, {static_cast<int64_t>(times.size())});
}

}  // namespace

Tensor lowest_of(const Images& images, const std::vector<int64_t>& chosen,
                 const Augmentation& augmentation, RandomKey key, int64_t step) {
  const std::vector<double> middle(static_cast<size_t>(images.channels), kLevels / 255);
  return image_batch(images, chosen, {middle, middle}, augmentation, key, step);
}

Tensor spread_pictures(const Images& images, const std::vector<int64_t>& chosen,
                       Generator& generator, const Augmentation& augmentation, RandomKey key,
                       int64_t step) {
  const Tensor lowest = lowest_of(images, chosen, augmentation, key, step);
  return lowest + rand(lowest.shape(), f32, generator) / kLevels;
}

Batch training_batch(const Config& config, const Images& images, const std::vector<int64_t>& chosen,
                     const Drawing& drawing, uint64_t seed, int64_t number) {
  Generator generator = generator_of(seed, number);
  const auto count = static_cast<int64_t>(chosen.size());
  const Tensor pictures = spread_pictures(images, chosen, generator, drawing.augmentation,
                                          {seed, kAugmentStream}, number);
  const Tensor noise = randn(pictures.shape(), f32, generator);
  const Tensor times = random_times(count, drawing.time_spread, generator);
  const Tensor shown = rand({count}, f32, generator) >= drawing.class_dropout;
  const Tensor any = full({count}, static_cast<double>(config.any_class()), i64);
  const Tensor labels = where(shown, label_batch(images.labels, chosen), any);
  return {{{"pictures", pictures}, {"noise", noise}, {"times", times}, {"labels", labels}}, count};
}

Tensor flow_loss(DiffusionTransformer& model, const Batch& batch) {
  const Tensor &noise = batch["noise"], &pictures = batch["pictures"], &times = batch["times"];
  const Tensor v = model(on_line(noise, pictures, times), times, batch["labels"]);
  return mean(square(v - (pictures - noise)));
}

double mean_loss(DiffusionTransformer& model, const Images& images) {
  const NoGrad no_grad;
  double sum = 0;
  for (int64_t begin = 0; begin < images.size(); begin += 128) {
    const std::vector<int64_t> some = numbers_from(begin, 128, images.size());
    Generator generator = generator_of(kMeasureSeed, begin);
    const Tensor pictures = spread_pictures(images, some, generator);
    const Batch batch{{{"pictures", pictures},
                       {"noise", randn(pictures.shape(), f32, generator)},
                       {"times", even_times(some)},
                       {"labels", label_batch(images.labels, some)}},
                      static_cast<int64_t>(some.size())};
    sum += flow_loss(model, batch).item() * batch.weight;
  }
  return sum / static_cast<double>(images.size());
}

Bits bits_per_dimension(DiffusionTransformer& model, const Images& images, int64_t count,
                        int64_t steps) {
  count = std::min(count, images.size());
  const auto d = static_cast<double>(images.image_size());
  double sum = 0, squares = 0;
  for (int64_t begin = 0; begin < count; begin += 50) {
    const std::vector<int64_t> some = numbers_from(begin, 50, count);
    Generator generator = generator_of(kMeasureSeed, begin);
    const Tensor x = spread_pictures(images, some, generator);
    const Field field = guided_field(model, label_batch(images.labels, some), 1);
    const RandomKey signs{kMeasureSeed, static_cast<uint64_t>(begin)};
    for (const double nats : log_density(field, x, steps, signs).to_vector()) {
      const double bits = (std::log(kLevels) - nats / d) / std::numbers::ln2;
      sum += bits;
      squares += bits * bits;
    }
  }
  const auto n = static_cast<double>(count);
  const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
  return {mean, count > 1 ? std::sqrt(variance / (n - 1)) : 0};
}

}  // namespace tarsier::zoo::diffusion
