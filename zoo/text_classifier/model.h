#pragma once
// Text classifier: an encoder reads a text in both directions at once, and what it made of all its
// words is one vector, from which a linear map tells the class.
//
//   token indices (B, T), and which of them are padding (B, T)
//     → token embedding + pair embedding + position → dropout      (B, T, C)
//     → encoder: attention between all tokens, then an MLP for each      (B, T, C)
//     → pooling: the mean over the tokens that are no padding, or the first one's vector   (B, C)
//     → dropout → head: logits                    (B, classes)
//
// The pair embedding, which may be left out, is a vector for a token and the one before it: "not
// funny" need not be put together from "not" and "funny" by attention, which few texts teach.
//
// Sources: Vaswani et al. 2017, "Attention is all you need"; the [CLS] token: Devlin et al. 2019,
// "BERT"; what pairs of words are worth: Wang and Manning 2012, "Baselines and bigrams: simple,
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

/// What stands for the whole text. With class_token every text must begin with a token that is
/// always the same.
enum class Pooling { mean, class_token };

struct Config {
  int64_t vocab_size = 10'000;  ///< V
  int64_t classes = 2;
  int64_t max_length = 256;  ///< the longest T, for learned positions
  int64_t width = 128;       ///< C
  int64_t layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 256;  ///< inside of the MLP
  int64_t pairs = 0;        ///< that have an embedding; 0: none
  double dropout = 0.3;
  /// Of what the tables of tokens and pairs give at the start. Where it is small, words say little
  /// before they were learned.
  double embedding_deviation = 1;
  /// What the tables' rows are multiplied by: a step of the optimiser moves words as much further.
  double embedding_scale = 11;
  nn::PositionKind position = nn::PositionKind::sinusoidal;
  Pooling pooling = Pooling::mean;
};

struct TextClassifier : nn::Layer<TextClassifier> {
  const Config config;
  nn::Embedding embedding;
  std::unique_ptr<nn::Embedding> pair_embedding;  ///< row 0: of all other pairs
  Tensor pair_keys;  ///< (pairs) i64: before·V + token of row 1, 2, …, rising; −1 where none is
  std::unique_ptr<nn::InputPositions> positions;
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< pre-norm, with a layer norm at the end
  nn::Linear head;

  /// Starts with tables N(0, d²), d = embedding_deviation / embedding_scale, the other matrices
  /// Xavier-uniform, biases 0.
  /// Throws Error("text_classifier") where the sizes do not fit together.
  explicit TextClassifier(const Config& config, Generator& generator = default_generator());

  /// The longest T: kNoLimit, but max_length with learned positions.
  int64_t longest() const;

  /// Logits of the classes: index (B, T) i64, padding (B, T) bool, true where a text has ended →
  /// (B, classes). Throws Error("text_classifier") where T is more than longest().
  Tensor forward(const Arg& index, const Tensor& padding);

  /// Chooses the most frequent pairs of tokens in `texts`, of those that occur twice or more, as
  /// the ones that have an embedding. Without this call none has. Once, before training.
  void choose_pairs(const std::vector<std::vector<int32_t>>& texts);

  /// Adds to the embedding of every token, and of every pair, what is told by how often it stands
  /// in texts of each class:
  ///   scale · Σ_c r_c·u_c,
  ///   r_c = log(p_c / p_¬c), p_c = (2 + its number in class c) / the sum of that over all tokens,
  /// p_¬c the same of all other classes; u_c a vector N(0, 1) that stands for the class. Training
  /// then begins near what naive Bayes knows, and learns what words mean together.
  /// Source: Wang and Manning 2012, whose NBSVM multiplies the inputs of a linear classifier by r.
  void start_from_counts(const std::vector<std::vector<int32_t>>& texts,
                         const std::vector<int64_t>& labels, double scale, Generator& generator);

  /// Where the last layer looks, on average over the heads: what the first token, or with mean
  /// pooling the mean over the text, gives to each token, (B, T). Sums to 1.
  Tensor attention(const Arg& index, const Tensor& padding);

 private:
  Tensor embedded(const Arg& index);
  std::vector<int64_t> pair_rows(const std::vector<int64_t>& tokens, size_t length) const;
  /// The mean of x (B, T, …) over the tokens of each text.
  static Tensor text_mean(const Tensor& x, const Tensor& padding);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo::text_classifier
