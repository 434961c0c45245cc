#include "zoo/image_gpt/generate.h"

#include <algorithm>

namespace tarsier::zoo::image_gpt {

namespace {

/// Writes a block of the given kind into a picture.
void put(const ImageGpt& model, int64_t t, int64_t kind, int64_t* picture) {
  const int64_t p = model.config.patch, wide = model.config.image_size.w;
  int64_t* corner = picture + t / model.grid.columns() * p * wide + t % model.grid.columns() * p;
  for (int64_t i = 0; i < p * p; ++i, kind /= model.config.levels)
    corner[i / p * wide + i % p] = kind % model.config.levels;
}

}  // namespace

Tensor finished(ImageGpt& model, const Tensor& pixels, int64_t given, const gpt::Sampling& sampling,
                int64_t first) {
  const NoGrad no_grad;
  const int64_t T = model.kinds(pixels).size(1), area = pixels.size(1) * pixels.size(2);
  check(T == model.grid.size(), "image-gpt", "pixels of shape ", pixels.shape(),
        ": a whole picture is expected");
  const std::vector<int64_t> values = pixels.to_vector<int64_t>();
  for (const int64_t level : values)
    check(level >= 0 && level < model.config.levels, "image-gpt", "a pixel of level ", level,
          ": the model knows 0 to ", model.config.levels - 1);
  const bool was_training = model.is_training();
  model.eval();
  Tensor out = clone(pixels);
  auto* const all = out.data<int64_t>();
  Cache cache;
  for (int64_t t = 0; t < T; ++t) {
    const Tensor logits = model.next(out, t, cache);
    for (int64_t b = 0; t >= given && b < pixels.size(0); ++b) {
      const double u =
          uniform<double>({sampling.seed, 0}, static_cast<uint64_t>((first + b) * T + t));
      put(model, t, gpt::sample_index(select(logits, 0, b).to_vector(), sampling, u),
          all + b * area);
    }
  }
  model.train(was_training);
  return out;
}

Tensor new_drawings(ImageGpt& model, int64_t count, const gpt::Sampling& sampling) {
  const auto [h, w] = model.config.image_size;
  return finished(model, zeros({count, h, w}, i64), 0, sampling);
}

}  // namespace tarsier::zoo::image_gpt
