#pragma once
// SASRec: what will a user take next? A causal Transformer reads the items that the user took, in
// order of time, and gives every item of the catalogue a score.
//
//   item indices (B, T)
//     → item embedding · scale + position → dropout            (B, T, C)
//     → encoder: every position attends to itself and earlier ones, then an MLP   (B, T, C)
//     → dot product with the embedding of every item           (N, V)
//     → + what pairs of items tell (pairs.h)                   (N, V)
//
// As in a language model, each position of a history predicts the item after it, and one matrix
// serves as embedding and as output (tied). The loss is the cross-entropy over all V items; that of
// the paper tells the next item from a single drawn one, and ranks far worse. The softmax costs
// more than the rest, so it is computed for the N real positions only, not for padding.
//
// Sources: Kang and McAuley 2018, "Self-attentive sequential recommendation"; the loss: Klenitskiy
// and Vasilev 2023, "Turning dross into gold loss: is BERT4Rec really better than SASRec?".
//
// B batch, T time (items of a history), C width, V items, N positions that predict.

#include <cstdint>
#include <memory>

#include "../../nn/nn.h"
#include "pairs.h"

namespace tarsier::zoo::recommend {

struct Config {
  int64_t items = 100;      ///< V
  int64_t max_length = 50;  ///< T at most: how far back the model looks
  int64_t width = 64;       ///< C
  int64_t layers = 2;
  int64_t heads = 2;        ///< divides the width
  int64_t mlp_width = 256;  ///< inside the MLP
  double dropout = 0.3;
  double embedding_deviation = 0.02;  ///< of embeddings and positions at the start
  /// The embeddings are multiplied by it where they are read, not where they score.
  double embedding_scale = 8;
  int64_t pairs = 32;  ///< the pairs that are remembered of each item; 0: a plain SASRec
};

struct SasRec : nn::Layer<SasRec> {
  const Config config;
  nn::Embedding embedding;
  nn::LearnedPositions positions;
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;     ///< pre-norm, with a layer norm at the end
  std::unique_ptr<PairMemory> pairs;  ///< null for a plain SASRec

  /// Starts with embeddings and positions N(0, embedding_deviation²), the other matrices
  /// Xavier-uniform, biases 0. Throws Error("recommend") if the sizes do not fit together.
  explicit SasRec(const Config& config, Generator& generator = default_generator());

  /// Scores of the next item after N positions: index (B, T) i64, places (N) i64, the numbers
  /// b·T + t of the positions → (N, V). `evidence` is pairs->evidence() of the histories that end
  /// at these positions; a plain SASRec takes none. Since no position sees later ones, what pads
  /// the end of a row changes nothing.
  /// Throws Error("recommend") if T is more than max_length.
  Tensor forward(const Arg& index, const Tensor& places, const Evidence& evidence = {});

  /// How much the last layer attends from each position to each, the mean over heads: (B, T, T).
  Tensor attention(const Arg& index);

 private:
  /// The input of the encoder: (B, T, C).
  Tensor embedded(const Arg& index);
};

}  // namespace tarsier::zoo::recommend
