#pragma once
// Speech recognition: an encoder reads the spectrogram of a recording, and says at every moment
// which token is being spoken, or none.
//
//   log-mel spectrogram (B, T, M), and how many frames of it count (B)
//     → stem: two convolutions 3×3 with stride 2 over time and frequency, each followed by ReLU:
//       a quarter of the frames                          (B, K, T', M')
//     → the K channels of all M' bands, one linear map   (B, T', C) → dropout
//     → encoder: `layers` times attention, then an MLP for each; layer norm
//     → head → log softmax: log p of every token, and of the blank    (B, T', V)
//
// Attention knows how far two moments are from each other by ALiBi, a penalty that grows with the
// distance: recordings may be longer than those of the training, and a word sounds the same
// wherever it is said. (The stem's zeros at both ends are all that tells the absolute position.)
// The loss is CTC's (nn::CTCLoss): the sum over all ways to stretch the text over the T' moments.
//
// Sources: CTC: Graves et al. 2006, "Connectionist temporal classification"; the stem: Dong et al.
// 2018, "Speech-Transformer"; ALiBi: Press et al. 2022.
//
// B batch, T frames, T' = ⌈⌈T/2⌉/2⌉ moments, M bands, C width, V tokens.

#include <cstdint>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::speech {

/// The token that says nothing: CTC's blank.
constexpr int64_t kBlank = 0;

struct Config {
  int64_t tokens = 14;    ///< V, the blank included
  int64_t mels = 40;      ///< M
  int64_t channels = 16;  ///< K, of the stem
  int64_t width = 128;    ///< C
  int64_t layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 256;  ///< inside the MLP
  double dropout = 0.1;
};

/// T' for T frames.
constexpr int64_t moments_of(int64_t frames) { return ((frames + 1) / 2 + 1) / 2; }

struct SpeechRecognizer : nn::Layer<SpeechRecognizer> {
  const Config config;
  nn::Conv2d conv1;  ///< (B, 1, T, M) → (B, K, ⌈T/2⌉, ⌈M/2⌉)
  nn::Conv2d conv2;  ///< → (B, K, T', M')
  nn::Linear merge;  ///< (B, T', K·M') → (B, T', C)
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< pre-norm, with a layer norm at the end
  nn::Linear head;

  /// Starts with matrices Xavier-uniform, biases 0, convolutions as nn::Conv2d.
  /// Throws Error("speech") if the sizes do not fit together.
  explicit SpeechRecognizer(const Config& config, Generator& generator = default_generator());

  /// log p of the tokens: frames (B, T, M), of which the first lengths[b] count (B) i64 → (B, T', V).
  /// What follows a recording's ⌈⌈length/2⌉/2⌉ moments means nothing, and what follows its frames
  /// has no influence. Throws Error("speech") for other shapes.
  Tensor forward(const Arg& frames, const Tensor& lengths);

  /// The attention of every layer and head, (B, H, T', T').
  std::vector<Tensor> attention(const Arg& frames, const Tensor& lengths);

 private:
  struct Input {
    Tensor x;  ///< (B, T', C)
    nn::EncoderMasks masks;
  };
  Input embedded(const Arg& frames, const Tensor& lengths);
  void initialize(Generator& generator);
};

/// moments_of() each entry.
Tensor moments_of(const Tensor& lengths);

}  // namespace tarsier::zoo::speech
