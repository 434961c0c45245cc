#pragma once
// Vision Transformer: an image is cut into patches, which are read like the words of a text.
//
//   images (B, channels, height, width)
//     → stem: a vector for each of N patches      (B, N, C)
//     → a learned vector in front of them, the class token      (B, 1 + N, C)
//     → + position embedding → dropout
//     → encoder: `layers` times attention between all positions, then an MLP for each; layer norm
//     → the class token's vector                  (B, C)
//     → head: logits                              (B, classes)
//
// With mean pooling there is no class token, and the mean over all patches goes to the head. With
// residual stages in the stem there is no position embedding: the encoder's attention adds to its
// scores what it learned for each displacement of two patches.
// Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words".
//
// B batch, N patches, C width of the stream between the layers.

#include <cstdint>
#include <optional>

#include "../../nn/layers/relative_position_bias.h"
#include "../../nn/nn.h"

namespace tarsier::zoo::vit {

/// How an image becomes patches.
enum class Stem {
  patches,  ///< cut into squares that do not overlap, each through one linear map
  /// Convolutions 3×3 with stride 2 down to one pixel per patch, each with twice the channels,
  /// batch norm and ReLU; then 1×1. Learns faster, and better from few images.
  /// Source: Xiao et al. 2021, "Early convolutions help Transformers see better".
  convolutions,
  /// Convolution and attention as stages of one network: a convolution 3×3 with stride 2 and batch
  /// norm, then residual blocks, each with half the size and twice the channels, one more of the
  /// last size, and attention that knows how far apart two patches are. Needs mean pooling.
  /// Sources: Srinivas et al. 2021, "Bottleneck Transformers for visual recognition"; Dai et al.
  /// 2021, "CoAtNet".
  stages,
};

/// The input of the head.
enum class Pooling { class_token, mean };

/// The defaults are for digits of 28 × 28 pixels.
struct Config {
  Pair image_size = 28;
  Pair patch_size = 4;  ///< divides image_size; a square, 2ᵏ, unless Stem::patches
  int64_t channels = 1;
  int64_t classes = 10;  ///< 0: no head; forward() gives what it would read
  int64_t width = 64;    ///< C
  int64_t layers = 4;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 128;  ///< inside the MLP
  double dropout = 0;
  Stem stem = Stem::patches;
  Pooling pooling = Pooling::class_token;
  nn::Activation activation = "gelu";
  double layer_norm_eps = 1e-6;

  int64_t rows() const { return image_size.h / patch_size.h; }
  int64_t columns() const { return image_size.w / patch_size.w; }
  int64_t patches() const { return rows() * columns(); }  ///< N
  /// The positions in the encoder: N, and the class token.
  int64_t positions() const { return patches() + (pooling == Pooling::class_token ? 1 : 0); }
};

struct VisionTransformer : nn::Layer<VisionTransformer> {
  const Config config;
  nn::Sequential stem;        ///< (B, channels, height, width) → (B, C, rows, columns)
  Tensor class_token;         ///< (1, 1, C), or undefined with mean pooling
  Tensor position_embedding;  ///< (1, positions, C), or undefined with Stem::stages
  /// What attention adds for the displacement of two patches; only with Stem::stages.
  std::optional<nn::RelativePositionBias> relative;
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< pre-norm, with a layer norm at the end
  nn::Linear head;                 ///< no part of the model for 0 classes

  /// Starts with matrices Xavier-uniform, biases and class token 0, position embedding N(0, 0.02²).
  /// Throws Error("vit") if the sizes do not fit together.
  explicit VisionTransformer(const Config& config, Generator& generator = default_generator());

  /// Logits of the classes: (B, channels, height, width) → (B, classes), or (B, C) for 0 classes.
  /// Throws Error("vit") for images of another size.
  Tensor forward(const Arg& images) {
    const Tensor x = features(images);
    return config.classes > 0 ? head(x) : x;
  }

  /// What the encoder makes of each position: (B, channels, height, width) → (B, positions, C).
  Tensor encoded(const Arg& images) {
    const Tensor x = embedded(images);
    return encoder(x, masks(x));
  }

  /// The attention of the last layer, averaged over the heads: from the class token, or with mean
  /// pooling averaged over all patches, to each patch, (B, channels, height, width) → (B, N). Sums
  /// to 1; with a class token, to 1 minus its attention to itself.
  Tensor attention(const Arg& images);

 private:
  Tensor embedded(const Arg& images);
  nn::EncoderMasks masks(const Tensor& x);
  Tensor features(const Arg& images);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo::vit
