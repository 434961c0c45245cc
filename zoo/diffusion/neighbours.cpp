#include "zoo/diffusion/neighbours.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"

namespace tarsier::zoo::diffusion {

namespace {

/// Images begin … end − 1 as rows of numbers from 0 to 1: (end − begin, pixels).
Tensor rows_of(const Images& images, int64_t begin, int64_t end) {
  const std::vector<float> bytes(images.image(begin),
                                 images.image(begin) + (end - begin) * images.image_size());
  return from_vector(bytes, {end - begin, images.image_size()}) / 255.0;
}

double distance(const uint8_t* a, const uint8_t* b, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum) / 255;
}

}  // namespace

std::vector<Neighbour> nearest(const Images& pictures, const Images& among) {
  check(among.size() > 0 && among.channels == pictures.channels &&
            among.height == pictures.height && among.width == pictures.width,
        "diffusion", among.size(), " pictures of ", among.width, " × ", among.height, " with ",
        among.channels, " channels to compare with pictures of ", pictures.width, " × ",
        pictures.height, " with ", pictures.channels, ": some of the same size are needed");
  const NoGrad no_grad;
  constexpr int64_t kChunk = 1000;
  // Of a − b only what depends on b is needed to find the nearest: |b|² − 2ab.
  const Tensor from = rows_of(pictures, 0, pictures.size());
  std::vector<double> least(static_cast<size_t>(pictures.size()), INFINITY);
  std::vector<Neighbour> out(least.size());
  for (int64_t begin = 0; begin < among.size(); begin += kChunk) {
    const Tensor to = rows_of(among, begin, std::min(among.size(), begin + kChunk));
    const auto [values, indices] =
        min(sum(square(to), 1) - matmul(from, transpose(to, 0, 1)) * 2, 1);
    const std::vector<double> value = values.to_vector();
    const std::vector<int64_t> index = indices.to_vector<int64_t>();
    for (size_t i = 0; i < out.size(); ++i)
      if (value[i] < least[i]) least[i] = value[i], out[i].index = begin + index[i];
  }
  for (size_t i = 0; i < out.size(); ++i)
    out[i].distance = distance(pictures.image(static_cast<int64_t>(i)), among.image(out[i].index),
                               among.image_size());
  return out;
}

double mean_distance(const std::vector<Neighbour>& neighbours) {
  double sum = 0;
  for (const Neighbour& one : neighbours) sum += one.distance;
  return sum / static_cast<double>(neighbours.size());
}

}  // namespace tarsier::zoo::diffusion
