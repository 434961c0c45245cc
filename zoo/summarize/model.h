#pragma once
// A Transformer that sums up: it reads a document and writes a summary, from its vocabulary or with
// words of the document.
//
//   document (B, S) → encoder → memory m (B, S, C)
//   summary so far (B, T) → decoder, which attends to m → h (B, T, C)
//   pointer: one more cross-attention, with one head
//     log a = log_softmax(query(h) · key(m)ᵀ / √C + Σ_i w_i · e_i)   (B, T, S)   where to copy from
//     c = a · m                                          (B, T, C)   what stands there
//   z = generator(h + merge(c))                          (B, T, V)   what to generate
//   u = gate([h; c]) + Σ_i v_i · max_s e_i               (B, T)      whether to generate
//   e: which places continue the phrase just written, and which words were written already
//   p = mixture of both (copying.h)
//
// Encoder, decoder and generator are the translator's. Document and summary are in one language, so
// one matrix serves as embedding of both, and as output.
//
// Sources: Vaswani et al. 2017, "Attention is all you need"; the pointer: See et al. 2017, "Get to
// the point: summarization with pointer-generator networks".
//
// B batch, S and T time (words of document and summary), C width, V vocabulary.

#include <cstdint>

#include "../../nn/nn.h"
#include "../transformer/model.h"

namespace tarsier::zoo::summarize {

struct Config {
  int64_t vocab = 0;        ///< V
  int64_t max_length = 64;  ///< S and T at most, for learned positions
  int64_t width = 128;      ///< C
  int64_t layers = 2;       ///< of the encoder, and of the decoder
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 512;  ///< inside the MLPs
  double dropout = 0.1;
  nn::PositionKind position = nn::PositionKind::sinusoidal;
};

/// A document as the decoder attends to it.
struct Reading {
  Tensor source;   ///< (B, S) i64, with the numbers of its own words (documents.h)
  Tensor padding;  ///< (B, S) bool, or undefined
  Tensor memory;   ///< (B, S, C)
  Tensor keys;     ///< (B, S, C): key(memory)
};

/// What the decoder says about the words that follow.
struct Decoded {
  Tensor hidden;         ///< (B, T, C): h + merge(c), the input of the generator
  Tensor gate_logit;     ///< (B, T): u
  Tensor log_attention;  ///< (B, T, S): log a
};

struct Summarizer : nn::Layer<Summarizer> {
  const Config config;
  transformer::Translator body;
  nn::Linear query, key, merge, gate;
  Tensor evidence_pointer, evidence_gate;  ///< (3): w and v

  /// Starts as the translator; the other matrices Xavier-uniform, biases, w and v 0. Throws
  /// Error("translator") if the sizes do not fit together.
  explicit Summarizer(const Config& config, Generator& generator = default_generator());

  /// Reads documents: source (B, S) i64, padding (B, S) bool or undefined.
  Reading read(const Tensor& source, const Tensor& padding = {});
  /// After each of `target` (B, T) i64. With a cache, only for those that it does not have yet.
  Decoded decode(const Tensor& target, const Reading& reading, nn::DecoderCache* cache = nullptr);

  /// −log p and coverage of N words, those at `places` of (B, T): (N) each.
  struct Cost {
    Tensor surprise, coverage;
  };
  /// source (B, S) and padding (B, S) of documents, target (B, T), next (B, T) the words to predict,
  /// places (N) i64, the numbers b·T + t of those that are not padding.
  Cost forward(const Tensor& source, const Tensor& padding, const Tensor& target,
               const Tensor& next, const Tensor& places);

 private:
  /// Words that the vocabulary lacks become kUnknown.
  Tensor in_vocabulary(const Tensor& ids) const;
};

}  // namespace tarsier::zoo::summarize
