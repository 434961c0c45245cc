#include "zoo/diffusion/flow.h"

#include <algorithm>
#include <cmath>

namespace tarsier::zoo::diffusion {

Tensor random_times(int64_t count, double spread, Generator& generator) {
  if (spread == 0) return rand({count}, f32, generator);
  return sigmoid(randn({count}, f32, generator) * spread);
}

Tensor on_line(const Tensor& noise, const Tensor& pictures, const Tensor& times) {
  const Tensor t = reshape(times, {times.size(0), 1, 1, 1});
  return (1 - t) * noise + t * pictures;
}

std::vector<Picture> pictures_of(const Tensor& x) {
  const std::vector<float> all = to(contiguous(x), f32).to_vector<float>();
  const auto byte = [](float v) {
    return static_cast<uint8_t>(std::clamp(std::floor((v + 1) * kLevels), 0.0, 255.0));
  };
  std::vector<Picture> out;
  for (auto at = all.begin(); at != all.end();) {
    Picture picture{x.size(1), x.size(2), x.size(3), {}};
    for (int64_t i = 0; i < picture.numel(); ++i) picture.pixels.push_back(byte(*at++));
    out.push_back(std::move(picture));
  }
  return out;
}

}  // namespace tarsier::zoo::diffusion
