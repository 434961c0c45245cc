#pragma once
// Text classifier: an encoder reads a text in both directions at once, its outputs are pooled into
// one vector, and a linear map gives the class.
//
//   token indices (B, T), and which of them are padding (B, T)
//     → token embedding + pair embedding + position → (layer norm) → dropout     (B, T, C)
//     → encoder: attention between all tokens, then an MLP for each      (B, T, C)
//     → pooling: the mean over the tokens without padding, or the first one's vector   (B, C)
//     → dropout → head: logits                    (B, classes)
//
// The optional pair embedding is a vector for a token and the one before it: attention need not
// combine "not" and "funny" to "not funny", which few texts teach.
//
// With post_norm and learned positions the model up to the pooling is BERT's (bert/model.h), from
// which it can start.
//
// Sources: Vaswani et al. 2017, "Attention is all you need"; the [CLS] token: Devlin et al. 2019,
// "BERT"; the value of word pairs: Wang and Manning 2012, "Baselines and bigrams: simple,
// good sentiment and topic classification".
//
// B batch, T time (tokens), C width, V vocabulary.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../../nn/nn.h"
#include "../data/cut.h"

namespace tarsier::zoo::text_classifier {

/// What represents the whole text. With class_token every text must begin with a token that is
/// always the same.
enum class Pooling { mean, class_token };

struct Config {
  int64_t vocab_size = 10'000;  ///< V
  int64_t classes = 2;
  int64_t max_length = 256;  ///< the longest T, for learned positions
  int64_t width = 128;       ///< C
  int64_t layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 256;  ///< inside the MLP
  int64_t pairs = 0;        ///< the number of pairs with an embedding
  double dropout = 0.3;
  /// Of the rows of the tables of tokens and pairs at the start. If it is small, words mean little
  /// before they are learned.
  double embedding_deviation = 1;
  /// The rows of the tables are multiplied by it: a step of the optimiser moves words further.
  double embedding_scale = 11;
  nn::PositionKind position = nn::PositionKind::sinusoidal;
  /// Layer norms after the sums, as in BERT, and one before the first layer. Otherwise before the
  /// blocks, and one after the last layer, as in GPT-2.
  bool post_norm = false;
  Pooling pooling = Pooling::mean;
};

struct TextClassifier : nn::Layer<TextClassifier> {
  const Config config;
  nn::Embedding embedding;
  std::unique_ptr<nn::Embedding> pair_embedding;  ///< row 0: of all other pairs
  Tensor pair_keys;  ///< (pairs) i64: before·V + token of row 1, 2, …, rising; −1 where none is
  std::unique_ptr<nn::InputPositions> positions;
  std::unique_ptr<nn::LayerNorm> embedding_norm;  ///< with post_norm
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;
  nn::Linear head;

  /// Starts with tables N(0, d²), d = embedding_deviation / embedding_scale, the other matrices
  /// Xavier-uniform, biases 0.
  /// Throws Error("text_classifier") if the sizes do not fit together.
  explicit TextClassifier(const Config& config, Generator& generator = default_generator());

  /// The longest T: max_length with learned positions, otherwise kNoLimit.
  int64_t longest() const;

  /// Logits of the classes: index (B, T) i64, padding (B, T) bool, true at padding → (B, classes).
  /// Throws Error("text_classifier") if T is more than longest().
  Tensor forward(const Arg& index, const Tensor& padding);

  /// Chooses the pairs of tokens that have an embedding: the most frequent in `texts`, if they
  /// occur at least twice. Without this call none has. Call it once, before training.
  void choose_pairs(const std::vector<std::vector<int32_t>>& texts);

  /// Adds to the embedding of every token, and of every pair, what its frequency in texts of each
  /// class tells:
  ///   scale · Σ_c r_c·u_c,
  ///   r_c = log(p_c / p_¬c), p_c = (2 + its count in class c) / the sum of that over all tokens,
  /// p_¬c the same for all other classes; u_c a vector N(0, 1) for the class. So training starts
  /// near naive Bayes, and learns what words mean together.
  /// Source: Wang and Manning 2012, whose NBSVM multiplies the inputs of a linear classifier by r.
  void start_from_counts(const std::vector<std::vector<int32_t>>& texts,
                         const std::vector<int64_t>& labels, double scale, Generator& generator);

  /// The attention of the last layer, averaged over the heads: from the first token, or with mean
  /// pooling averaged over the text, to each token, (B, T). Sums to 1.
  Tensor attention(const Arg& index, const Tensor& padding);

 private:
  Tensor embedded(const Arg& index);
  std::vector<int64_t> pair_rows(const std::vector<int64_t>& tokens, size_t length) const;
  /// The mean of x (B, T, …) over the tokens of each text.
  static Tensor text_mean(const Tensor& x, const Tensor& padding);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo::text_classifier
