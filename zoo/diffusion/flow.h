#pragma once
// Flow matching: pictures and noise at the two ends of straight lines.
//
// A picture x₁ and noise x₀ ~ N(0, 1) are joined by a line, on which a point moves from t = 0 to 1:
//   x_t = (1 − t) · x₀ + t · x₁,   dx_t/dt = x₁ − x₀
// The model learns the velocity at a point, mean((model(x_t, t) − (x₁ − x₀))²). Through one point
// run many lines, and what is learned is the mean of their velocities. A cloud of noise that moves
// with these means becomes, at t = 1, distributed as the pictures are.
// Sources: Lipman et al. 2023, "Flow matching for generative modeling"; Liu et al. 2023, "Flow
// straight and fast"; times: Esser et al. 2024, "Scaling rectified flow Transformers".

#include <cstdint>
#include <vector>

#include "../../autograd/ops.h"
#include "../picture/picture.h"

namespace tarsier::zoo::diffusion {

/// Pictures in the model's numbers: byte v is the interval [v, v + 1) / 128 − 1 of [−1, 1).
constexpr double kLevels = 128;

/// Times (count) in (0, 1): 1 / (1 + e^{−s·z}), z ~ N(0, 1) (logit-normal), which are mostly in the
/// middle, where there is most to learn. Spread s; for 0 uniform ones.
Tensor random_times(int64_t count, double spread, Generator& generator);

/// The point at time t of the line from noise to pictures, both (B, …), t (B).
Tensor on_line(const Tensor& noise, const Tensor& pictures, const Tensor& times);

/// (B, channels, height, width) as pictures; numbers outside [−1, 1) become black or white.
std::vector<Picture> pictures_of(const Tensor& x);

}  // namespace tarsier::zoo::diffusion
