#pragma once
// CLIP: a picture and a text become vectors in one space, near each other if they belong together.
//
//   pictures (B, 3, height, width) → Vision Transformer → head → u_i (B, D), of length 1
//   texts (B, T) → embedding·√C + position → dropout → encoder → mean over the words → head
//     → v_j (B, D), of length 1
//   logits_ij = e^s · u_i·v_j,   s the logarithm of the scale, which is learnt
//
// Loss: of each picture the cross-entropy of its row, of each text that of its column; the mean of
// both. So the other pairs of the batch serve as wrong answers. Pairs with the same text, or the
// same picture, are right answers of each other: the target is shared among them evenly.
//
// s starts at ln(1 / 0.07), and is held in [0, ln 100] after each step, as OpenCLIP does.
//
// Source: Radford et al. 2021, "Learning transferable visual models from natural language
// supervision".
//
// B batch, T time (words), C width, D width of the common space.

#include <cstdint>
#include <memory>
#include <vector>

#include "../../nn/nn.h"
#include "../vit/model.h"

namespace tarsier::zoo::clip {

struct Config {
  Pair image_size = 48;
  int64_t patch_size = 8;   ///< 2ᵏ, divides the image's sides
  int64_t vocab = 0;        ///< of texts
  int64_t width = 96;       ///< C, of both encoders
  int64_t layers = 2;       ///< of the encoder of pictures
  int64_t text_layers = 1;  ///< of the encoder of texts
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 192;  ///< inside the MLPs
  int64_t space = 64;       ///< D
  double dropout = 0.1;
  vit::Stem stem = vit::Stem::convolutions;
};

/// ln(1 / 0.07), and the bounds of s.
constexpr double kStartScale = 2.6592600369327783, kLeastScale = 0, kMostScale = 4.605170185988092;

struct Clip : nn::Layer<Clip> {
  const Config config;
  vit::VisionTransformer vision;  ///< mean pooling; its head leads into the common space
  nn::Embedding embedding;
  std::unique_ptr<nn::InputPositions> positions;  ///< sinusoidal
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< of texts; pre-norm, with a layer norm at the end
  nn::Linear head;                 ///< of texts
  Tensor logit_scale;              ///< (): s

  /// Starts as the Vision Transformer and the translator do; s as above. Throws Error("vit") if the
  /// sizes do not fit together.
  explicit Clip(const Config& config, Generator& generator = default_generator());

  /// Pictures and texts in the common space, (B, …) → (B, D), rows of length 1. `padding` (B, T)
  /// bool is true where a text has ended; or undefined.
  Tensor see(const Arg& images);
  Tensor read(const Arg& texts, const Tensor& padding);

  /// logits (pictures, texts) of rows of length 1: e^s · u vᵀ.
  Tensor logits(const Tensor& pictures, const Tensor& texts);
  /// The loss of a batch: images (B, 3, height, width), texts (B, T), padding, and `same` (B, B),
  /// 1 where picture i and text j belong together, else 0.
  Tensor forward(const Arg& images, const Tensor& texts, const Tensor& padding, const Tensor& same);

  /// Puts s back into its bounds. To be called after each step of an optimiser.
  void clamp_scale();
};

/// The mean of both cross-entropies, of rows and of columns: logits and `same` (B, B) as above.
Tensor contrastive_loss(const Tensor& logits, const Tensor& same);

}  // namespace tarsier::zoo::clip
