#include "zoo/diffusion/generate.h"

#include <algorithm>
#include <cmath>

#include "zoo/diffusion/flow.h"

namespace tarsier::zoo::diffusion {

namespace {

constexpr int64_t kChunk = 50;  // pictures drawn at once

/// What `model` makes of the noise of pictures first, first + 1, … if it begins at time `from` with
/// start(noise). In eval().
Tensor drawn(DiffusionTransformer& model, const std::vector<int64_t>& labels,
             const Sampling& sampling, double from,
             const std::function<Tensor(const Tensor& noise)>& start,
             const std::function<void(const Tensor&, double)>& seen) {
  const bool was_training = model.is_training();
  model.eval();
  std::vector<Tensor> out;
  const auto count = static_cast<int64_t>(labels.size());
  for (int64_t first = 0; first < count; first += kChunk) {
    const int64_t end = std::min(count, first + kChunk);
    const Tensor some = from_vector(
        std::vector<int64_t>(labels.begin() + first, labels.begin() + end), {end - first});
    const Tensor noise = noise_of(model.config, end - first, sampling.seed, first);
    const Field field = guided_field(model, some, sampling.guidance);
    out.push_back(solved(field, start(noise), from, 1, sampling.steps, sampling.method, seen));
  }
  model.train(was_training);
  return cat(out, 0);
}

}  // namespace

Field guided_field(DiffusionTransformer& model, const Tensor& labels, double guidance) {
  check(std::isfinite(guidance) && guidance >= 0, "diffusion", "a guidance of ", guidance,
        ": give a number from 0 up; 1 is none, 2 to 4 are usual");
  return [&model, labels, guidance](const Tensor& x, double t) {
    const int64_t B = x.size(0);
    const Tensor any = full({B}, static_cast<double>(model.config.any_class()), i64);
    const auto times = [&](int64_t count) { return full({count}, t, x.dtype()); };
    if (guidance == 1) return model(x, times(B), labels);
    if (guidance == 0) return model(x, times(B), any);
    const Tensor both = model(cat({x, x}), times(2 * B), cat({any, labels}));
    return lerp(slice(both, 0, 0, B), slice(both, 0, B), guidance);
  };
}

Tensor noise_of(const Config& config, int64_t count, uint64_t seed, int64_t first) {
  const auto [h, w] = config.image_size;
  std::vector<Tensor> all;
  for (int64_t i = first; i < first + count; ++i) {
    Generator generator;
    generator.set_state({seed, static_cast<uint64_t>(i)});
    all.push_back(randn({config.channels, h, w}, f32, generator));
  }
  return stack(all);
}

Tensor new_pictures(DiffusionTransformer& model, const std::vector<int64_t>& labels,
                    const Sampling& sampling,
                    const std::function<void(const Tensor&, double)>& seen) {
  return drawn(
      model, labels, sampling, 0, [](const Tensor& noise) { return noise; }, seen);
}

Tensor variations(DiffusionTransformer& model, const Tensor& picture,
                  const std::vector<int64_t>& labels, double strength, const Sampling& sampling) {
  check(strength >= 0 && strength <= 1, "diffusion", "a strength of ", strength,
        ": give a number from 0 to 1");
  const double from = 1 - strength;
  const auto mixed = [&](const Tensor& noise) {
    return on_line(noise, expand(picture, noise.shape()), full({noise.size(0)}, from));
  };
  return drawn(model, labels, sampling, from, mixed, nullptr);
}

}  // namespace tarsier::zoo::diffusion
