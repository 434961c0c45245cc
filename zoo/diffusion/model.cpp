#include "zoo/diffusion/model.h"

#include <cmath>

#include "nn/init.h"
#include "nn/layers/position.h"

namespace tarsier::zoo::diffusion {

namespace {

constexpr double kNormEps = 1e-6;

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  const auto [h, w] = config.image_size;
  const int64_t p = config.patch;
  for (const int64_t size : {h, w, p, config.channels, config.classes, config.width, config.layers,
                             config.heads, config.mlp_width})
    check(size > 0, "diffusion", "a size is ", size, ": all must be positive");
  check(h % p == 0 && w % p == 0, "diffusion", "patches of ", p, " × ", p,
        " pixels do not fill a picture of ", h, " × ", w, ": patch must divide its sides");
  check(config.reach >= 0, "diffusion", "reach=", config.reach, ": give 0 or more pixels");
  check(config.width % config.heads == 0, "diffusion", "heads=", config.heads,
        " does not divide width=", config.width, ": every head gets an equal share of the width");
  check(config.width % 4 == 0, "diffusion", "width=", config.width,
        ": it must be a multiple of 4, for sines and cosines of rows and of columns");
  return config;
}

/// Sines and cosines of the row in the first half, of the column in the second: (N, C).
Tensor grid_positions(const Config& config) {
  const int64_t half = config.width / 2, rows = config.rows(), columns = config.columns();
  const Tensor down = unsqueeze(nn::sinusoidal_positions(rows, half), 1),
               right = unsqueeze(nn::sinusoidal_positions(columns, half), 0);
  return flatten(
      cat({expand(down, {rows, columns, half}), expand(right, {rows, columns, half})}, 2), 0, 1);
}

/// norm(x) · (1 + scale) + shift, x (B, N, C), shift and scale (B, C).
Tensor modulated(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  return layer_norm(x, {}, {}, kNormEps) * (1 + unsqueeze(scale, 1)) + unsqueeze(shift, 1);
}

}  // namespace

// --------------------------------------------------------------------------------------- condition

Condition::Condition(const Config& config)
    : linear1(config.width, config.width),
      linear2(config.width, config.width),
      classes(config.classes + 1, config.width) {
  register_module("linear1", linear1);
  register_module("linear2", linear2);
  register_module("classes", classes);
}

Tensor Condition::forward(const Arg& times, const Tensor& labels) {
  const int64_t half = linear1.in_features() / 2;
  const double slower = -std::log(10000.0) / static_cast<double>(half);
  const Tensor frequencies = exp(arange(half, times.dtype()) * slower);
  const Tensor angles = unsqueeze(times * 1000, 1) * frequencies;  // (B, C/2)
  return linear2(silu(linear1(cat({cos(angles), sin(angles)}, 1)))) + classes(labels);
}

// ------------------------------------------------------------------------------------------- block

Block::Block(const Config& config)
    : modulation(config.width, 6 * config.width),
      attn(config.width, config.heads, {.batch_first = true}),
      linear1(config.width, config.mlp_width),
      linear2(config.mlp_width, config.width) {
  register_module("modulation", modulation);
  register_module("attn", attn);
  register_module("linear1", linear1);
  register_module("linear2", linear2);
}

Tensor Block::forward(const Arg& x, const Arg& c) {
  const std::vector<Tensor> m = chunk(modulation(silu(c)), 6, 1);  // each (B, C)
  const Tensor seen = modulated(x, m[0], m[1]);
  const Tensor y = x + unsqueeze(m[2], 1) * attn(seen, seen, seen);
  return y + unsqueeze(m[5], 1) * linear2(gelu(linear1(modulated(y, m[3], m[4])), "tanh"));
}

// ------------------------------------------------------------------------------------------- model

DiffusionTransformer::DiffusionTransformer(const Config& config, Generator& generator)
    : config(checked(config)),
      patches(config.channels, config.width, config.patch + 2 * config.reach,
              {.stride = config.patch, .padding = Pair(config.reach)}),
      condition(config),
      layers(config.layers, config),
      modulation(config.width, 2 * config.width),
      pixels(config.width, config.channels, config.patch + 2 * config.reach,
             {.stride = config.patch, .padding = config.reach}) {
  register_module("patches", patches);
  register_buffer("positions", positions, grid_positions(config));
  register_module("condition", condition);
  register_module("layers", layers);
  register_module("modulation", modulation);
  register_module("pixels", pixels);
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias") || name.find("modulation") != name.npos ||
        name.starts_with("pixels"))
      nn::zeros_(parameter);
    else if (name.starts_with("condition"))
      nn::normal_(parameter, 0, 0.02, generator);
    else
      nn::xavier_uniform_(parameter, 1, generator);
  }
}

Tensor DiffusionTransformer::forward(const Arg& pictures, const Tensor& times,
                                     const Tensor& labels) {
  const auto [h, w] = config.image_size;
  check(pictures.dim() == 4 && pictures.size(1) == config.channels && pictures.size(2) == h &&
            pictures.size(3) == w,
        "diffusion", "pictures of shape ", pictures.shape(), ": expected (batch, ", config.channels,
        ", ", h, ", ", w, ")");
  const int64_t B = pictures.size(0), C = config.width;
  check(times.shape() == Shape{B} && labels.shape() == Shape{B}, "diffusion", "times of shape ",
        times.shape(), " and labels of shape ", labels.shape(), " for ", B,
        " pictures: one of each is expected for every picture");
  const Tensor c = condition(times, labels);
  Tensor x = transpose(flatten(patches(pictures), 2), 1, 2) + positions;  // (B, N, C)
  for (Block& block : layers) x = block(x, c);
  const std::vector<Tensor> m = chunk(modulation(silu(c)), 2, 1);
  x = transpose(modulated(x, m[0], m[1]), 1, 2);  // (B, C, N)
  return pixels(reshape(x, {B, C, config.rows(), config.columns()}));
}

}  // namespace tarsier::zoo::diffusion
