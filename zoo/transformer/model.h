#pragma once
// The encoder-decoder Transformer: reads a text in one language, writes it in another.
//
//   source (B, S) → embedding·√C + position → dropout → encoder → memory (B, S, C)
//   target (B, T) → embedding·√C + position → dropout → decoder, which looks at its own earlier
//   tokens and at the memory → (B, T, C) → generator → logits of the next token (B, T, V)
//
// Source: Vaswani et al. 2017, "Attention is all you need".
//
// B batch, S and T time (tokens of source and target), C width, V vocabulary.

#include <cstdint>
#include <memory>

#include "../../nn/nn.h"
#include "../data/cut.h"

namespace tarsier::zoo::transformer {

struct Config {
  int64_t source_vocab = 0, target_vocab = 0;
  int64_t max_length = 100;  ///< the longest S and T, for learned positions
  int64_t width = 256;       ///< C
  int64_t layers = 3;        ///< of the encoder, and of the decoder
  int64_t heads = 8;         ///< divides the width
  int64_t mlp_width = 512;   ///< inside the MLPs
  double dropout = 0.1;
  bool norm_first = true;  ///< pre-norm; false: post-norm, as in the paper
  nn::PositionKind position = nn::PositionKind::sinusoidal;
  bool tie_embeddings = true;  ///< the generator's matrix is the target's embedding
  /// One embedding for source and target, whose vocabularies must be the same.
  bool share_embeddings = false;
};

struct Translator : nn::Layer<Translator> {
  const Config config;
  nn::Embedding source_embedding, target_embedding;
  std::unique_ptr<nn::InputPositions> source_positions, target_positions;
  nn::Dropout dropout;
  nn::Transformer transformer;
  nn::Linear generator;

  /// Starts with embeddings N(0, 1/C), the other matrices Xavier-uniform, biases 0.
  /// Throws Error("translator") if the sizes do not fit together.
  explicit Translator(const Config& config, Generator& generator = default_generator());

  /// The longest S and T: max_length with learned positions, otherwise kNoLimit.
  int64_t longest() const;

  /// Logits of the token after each of `target`: source (B, S) i64, source_padding (B, S) bool,
  /// target (B, T) i64 → (B, T, V).
  Tensor forward(const Arg& source, const Tensor& source_padding, const Tensor& target) {
    return generator(decode(target, encode(source, source_padding), source_padding));
  }

  /// The memory that the decoder attends to: (B, S) → (B, S, C).
  Tensor encode(const Arg& source, const Tensor& padding);
  /// (B, T) → (B, T, C). With a cache, `target` holds only the new tokens.
  Tensor decode(const Arg& target, const Tensor& memory, const Tensor& memory_padding,
                nn::DecoderCache* cache = nullptr);
  /// The attention of each target token to the source, in the last layer, averaged over the heads:
  /// (B, T, S).
  Tensor cross_attention(const Arg& source, const Tensor& padding, const Tensor& target);

 private:
  Tensor embedded(const Arg& index, nn::Embedding& embedding, nn::InputPositions& positions,
                  int64_t offset);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo::transformer
