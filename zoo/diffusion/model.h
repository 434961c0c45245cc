#pragma once
// Diffusion Transformer: in which direction does a picture of noise become a picture?
//
//   pictures x (B, channels, height, width), times t (B), classes (B) i64
//     → patches: a vector for each of N                                       (B, N, C)
//     → + position: sines and cosines of row and column
//     → layers: attention between all patches, then an MLP for each, both steered by the condition
//     → layer norm, steered as well → patches of pixels → velocity v          (B, channels, h, w)
//
//   condition c = mlp(sines and cosines of t) + the class's vector            (B, C)
//
// Steering is adaLN-zero: from c each layer computes, for each of its two branches f, a shift, a
// scale and a gate:
//   x + gate · f(norm(x) · (1 + scale) + shift)
// The maps that compute them start at zero, and so does the last map to pixels: at first each layer
// is the identity, and the velocity is 0. One more class stands for "any": training replaces some
// classes by it, which makes classifier-free guidance possible (generate.h).
//
// Sources: Peebles & Xie 2023, "Scalable diffusion models with Transformers"; what v is trained for:
// flow.h.
//
// B batch, N patches, C width, H heads.

#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::diffusion {

/// The defaults are for digits of 28 × 28 pixels.
struct Config {
  Pair image_size = 28;
  int64_t channels = 1;
  int64_t classes = 10;
  int64_t patch = 4;  ///< pixels; divides both sides
  /// Pixels around a patch that it reads as well, and that it may change: patches overlap. 0: none,
  /// as in the paper.
  int64_t reach = 0;
  int64_t width = 96;  ///< C; a multiple of 4
  int64_t layers = 4;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 384;  ///< inside the MLP

  int64_t rows() const { return image_size.h / patch; }
  int64_t columns() const { return image_size.w / patch; }
  /// The number that stands for "any class".
  int64_t any_class() const { return classes; }
};

/// The condition: (B), (B) i64 → (B, C).
///   mlp(cos(1000·t·ω), sin(1000·t·ω)) + class vector,   ω_i = 10000^{−2i/C},   mlp(e) = U·silu(W·e)
struct Condition : nn::Layer<Condition> {
  nn::Linear linear1, linear2;
  nn::Embedding classes;  ///< (classes + 1, C)

  explicit Condition(const Config& config);
  Tensor forward(const Arg& times, const Tensor& labels);
};

/// x + gate₁ · attention(m₁(x)), then x + gate₂ · mlp(m₂(x)),
///   m_i(x) = norm(x) · (1 + scale_i) + shift_i,   mlp(x) = U·gelu(W·x);
/// shift, scale and gate of both branches are a linear map of silu(c), which starts at 0.
struct Block : nn::Layer<Block> {
  nn::Linear modulation;  ///< (6C, C)
  nn::MultiheadAttention attn;
  nn::Linear linear1, linear2;

  explicit Block(const Config& config);
  /// x (B, N, C), c (B, C) → (B, N, C).
  Tensor forward(const Arg& x, const Arg& c);
};

struct DiffusionTransformer : nn::Layer<DiffusionTransformer> {
  const Config config;
  nn::Conv2d patches;  ///< a window of patch + 2 · reach pixels for each patch
  Tensor positions;    ///< (N, C), not trained
  Condition condition;
  nn::ModuleList<Block> layers;
  nn::Linear modulation;       ///< (2C, C): shift and scale of the last norm
  nn::ConvTranspose2d pixels;  ///< from each patch's vector to its window

  /// Starts with matrices Xavier-uniform, embeddings and the mlp of the condition N(0, 0.02²), zeros
  /// for biases, all modulations and the map to pixels.
  /// Throws Error("diffusion") if the sizes do not fit together.
  explicit DiffusionTransformer(const Config& config, Generator& generator = default_generator());

  /// The velocity: (B, channels, height, width), times (B), labels (B) i64 → as the pictures.
  /// Throws Error("diffusion") for other sizes, and for labels that are neither a class nor
  /// any_class().
  Tensor forward(const Arg& pictures, const Tensor& times, const Tensor& labels);
};

}  // namespace tarsier::zoo::diffusion
