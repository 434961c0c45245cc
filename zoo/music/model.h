#pragma once
// Music Transformer: predicts each note of a piece from those before it.
//
//   what is known before each note (B, T, F), F numbers of rows (facts.h)
//     → the sum of these rows of one table → dropout                        (B, T, C)
//     → layers: relative attention to earlier notes, then an MLP       (B, T, C)
//     → norm → logits of the notes                                         (B, T, V)
//
// Music repeats itself at distances, not at places: a note relates to the one a beat or a bar ago,
// wherever in the piece it is. So attention sees distances (nn/layers/relative_attention.h). It is
// the same with pitches: what matters is the step from the last note. So a logit has two parts, one
// for the note itself and one for its interval from the note that its voice had before:
//   logit[p] = head(x)[p] + interval_head(x)[p − previous].
// With interval 0, "hold the note", whatever it is, is learned once and not for every pitch.
//
// Sources: Huang et al. 2018, "Music transformer: generating music with long-term structure";
// Zhang and Sennrich 2019, "Root mean square layer normalization"; the squared ReLU: So et al.
// 2021, "Primer: searching for efficient Transformers for language modeling".
//
// B batch, T time (notes of all voices, interleaved), C width, V notes.

#include <memory>
#include <vector>

#include "../../nn/nn.h"
#include "facts.h"

namespace tarsier::zoo::music {

struct Config {
  int64_t voices = 4;
  int32_t low = 36, high = 81;  ///< MIDI pitches
  int64_t bar = 16;             ///< steps
  bool echo = false;            ///< whether a note is told its echo (facts.h)
  int64_t window = 256;         ///< the notes that attention sees; longer distances are not learned
  int64_t width = 128;          ///< C
  int64_t layers = 4;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 512;  ///< inside the MLP
  double dropout = 0.2;
};

/// The keys and values of the notes that a model has seen, one cache per layer.
using Cache = std::vector<nn::KVCache>;

/// x + attention(norm(x)), then x + mlp(norm(x)), mlp(x) = relu(x·W)²·U.
struct Block : nn::Layer<Block> {
  nn::RMSNorm norm1;
  nn::RelativeAttention attn;
  nn::RMSNorm norm2;
  nn::Linear linear1, linear2;
  nn::Dropout dropout;

  explicit Block(const Config& config);

  Tensor forward(const Arg& x, nn::KVCache* cache = nullptr) {
    const Tensor seen = x + dropout(attn(norm1(x), cache));
    return seen + dropout(linear2(dropout(square(relu(linear1(norm2(seen)))))));
  }
};

struct MusicTransformer : nn::Layer<MusicTransformer> {
  const Config config;
  const Facts facts;
  nn::Embedding table;
  nn::Dropout dropout;
  nn::ModuleList<Block> layers;
  nn::RMSNorm norm;
  nn::Linear head;           ///< for each note
  nn::Linear interval_head;  ///< for each interval from the note before, and one for rests
  Tensor intervals;          ///< (V + 1, V) i64: from which note to which is which interval

  /// Matrices start N(0, 0.02²), those that write to the stream smaller by √(2·layers).
  /// Throws Error("music") if the sizes do not fit together.
  explicit MusicTransformer(const Config& config, Generator& generator = default_generator());

  /// Logits: facts (B, T, F) i64 → (B, T, V). With a cache, the notes follow those in it.
  Tensor forward(const Arg& known, Cache* cache = nullptr);

  /// Mean cross-entropy in nats a note: targets (B, T) i64, −100 where none counts.
  Tensor loss(const Arg& known, const Tensor& targets) {
    return cross_entropy(flatten((*this)(known), 0, 1), flatten(targets));
  }

  /// The attention weights of each layer: facts (B, T, F) → (B, H, T, T). Only in eval().
  std::vector<Tensor> attention(const Arg& known);

 private:
  /// Which entry of interval_head() belongs to each note: facts (B, T, F) → (B, T, V) i64.
  Tensor intervals_from(const Tensor& known) const;
};

}  // namespace tarsier::zoo::music
