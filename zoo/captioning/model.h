#pragma once
// A Transformer that says what it sees: it reads a picture and writes a caption.
//
//   picture (B, 3, height, width) → Vision Transformer → memory (B, N, C): a vector per patch
//   caption so far (B, T) → embedding·√C + position → dropout → decoder, which looks at its own
//   earlier words and at the patches → (B, T, C) → generator → logits of the next word (B, T, V)
//
// The encoder is the zoo's Vision Transformer without its head, the decoder that of the translator:
// a caption is a translation of a picture.
//
// Sources: Dosovitskiy et al. 2021, "An image is worth 16x16 words"; Vaswani et al. 2017, "Attention
// is all you need"; both together: Liu et al. 2021, "CPTR: full Transformer network for image
// captioning".
//
// B batch, N patches, T time (words of the caption), C width, V vocabulary.

#include <cstdint>
#include <memory>

#include "../../nn/nn.h"
#include "../vit/model.h"

namespace tarsier::zoo::captioning {

struct Config {
  Pair image_size = 48;
  int64_t patch_size = 8;  ///< 2ᵏ, divides the image's sides
  int64_t vocab = 0;       ///< V
  int64_t width = 96;      ///< C
  int64_t layers = 2;      ///< of the encoder
  int64_t decoder_layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 192;  ///< inside the MLPs
  double dropout = 0.1;
  vit::Stem stem = vit::Stem::convolutions;

  /// N as rows and columns.
  Pair grid() const { return {image_size.h / patch_size, image_size.w / patch_size}; }
};

struct Captioner : nn::Layer<Captioner> {
  const Config config;
  vit::VisionTransformer vision;                  ///< no class token, no head
  nn::Embedding embedding;                        ///< of words; also the generator's matrix
  std::unique_ptr<nn::InputPositions> positions;  ///< sinusoidal
  nn::Dropout dropout;
  nn::TransformerDecoder decoder;  ///< pre-norm, with a layer norm at the end
  nn::Linear generator;

  /// Starts with embeddings N(0, 1/C), the decoder's matrices Xavier-uniform, biases 0, and the
  /// encoder as a Vision Transformer. Throws Error("vit") if the sizes do not fit together.
  explicit Captioner(const Config& config, Generator& generator = default_generator());

  /// Logits of the word after each of `target`: images (B, 3, height, width), target (B, T) i64 →
  /// (B, T, V).
  Tensor forward(const Arg& images, const Tensor& target) {
    return generator(decode(target, see(images)));
  }

  /// The memory that the decoder attends to: (B, 3, height, width) → (B, N, C).
  Tensor see(const Arg& images) { return vision.encoded(images); }
  /// (B, T) → (B, T, C). With a cache, `target` holds only the new words.
  Tensor decode(const Arg& target, const Tensor& memory, nn::DecoderCache* cache = nullptr);
  /// The attention of each word of the target to the patches, in the last layer, averaged over the
  /// heads: (B, T, N).
  Tensor cross_attention(const Arg& images, const Tensor& target);

 private:
  Tensor embedded(const Arg& target, int64_t offset);
};

}  // namespace tarsier::zoo::captioning
