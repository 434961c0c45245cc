#pragma once
// Text classifier: an encoder reads a text in both directions at once, and what it made of all its
// words is one vector, from which a linear map tells the class.
//
//   token indices (B, T), and which of them are padding (B, T)
//     → token embedding + position → dropout      (B, T, C)
//     → encoder: attention between all tokens, then an MLP for each      (B, T, C)
//     → pooling: the mean over the tokens that are no padding, or the first one's vector   (B, C)
//     → dropout → head: logits                    (B, classes)
//
// Sources: Vaswani et al. 2017, "Attention is all you need"; the [CLS] token: Devlin et al. 2019,
// "BERT".
//
// B batch, T time (tokens), C width, V vocabulary.

#include <cstdint>
#include <memory>
#include <optional>

#include "nn/nn.h"

namespace tarsier::zoo {

/// What stands for the whole text. With class_token every text must begin with a token that is
/// always the same.
enum class TextPooling { mean, class_token };

struct TextClassifierConfig {
  int64_t vocab_size = 10'000;  ///< V
  int64_t classes = 2;
  int64_t max_length = 256;  ///< the longest T
  int64_t width = 128;       ///< C
  int64_t layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 256;  ///< inside of the MLP
  double dropout = 0.3;
  nn::PositionKind position = nn::PositionKind::sinusoidal;
  TextPooling pooling = TextPooling::mean;
};

struct TextClassifier : nn::Layer<TextClassifier> {
  const TextClassifierConfig config;
  nn::Embedding embedding;
  std::unique_ptr<nn::InputPositions> positions;
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< pre-norm, with a layer norm at the end
  nn::Linear head;

  /// Starts with embeddings N(0, 1/C), the other matrices Xavier-uniform, biases 0.
  /// Throws Error("text_classifier") where the sizes do not fit together.
  explicit TextClassifier(const TextClassifierConfig& config,
                          Generator& generator = default_generator());

  /// Logits of the classes: index (B, T) i64, padding (B, T) bool, true where a text has ended →
  /// (B, classes). Throws Error("text_classifier") where T is more than max_length.
  Tensor forward(const Arg& index, const Tensor& padding);

  /// Where the last layer looks, on average over the heads: what the first token, or with mean
  /// pooling the mean over the text, gives to each token, (B, T). Sums to 1.
  Tensor attention(const Arg& index, const Tensor& padding);

 private:
  Tensor embedded(const Arg& index);
  /// The mean of x (B, T, …) over the tokens of each text.
  static Tensor text_mean(const Tensor& x, const Tensor& padding);
  void initialize(Generator& generator);
};

}  // namespace tarsier::zoo
