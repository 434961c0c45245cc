#pragma once
// Four models of equal size that read a sequence in four ways.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::compare {

/// The whole models: embedding → body → a linear map to the answers, for the last K tokens:
/// (B, T) i64 → (B, K, answers). What the body says of a token depends on that and earlier ones.
class SequenceModel : public nn::Layer<SequenceModel> {
 public:
  explicit SequenceModel(int64_t C);
  Tensor forward(const Arg& tokens, int64_t questions);

 protected:
  /// (B, T, C) → (B, T, C).
  virtual Tensor body(const Tensor& x) = 0;

 private:
  nn::Embedding embedding_;
  nn::LayerNorm norm_;
  nn::Linear head_;
};

/// One kind of body.
struct ModelKind {
  std::string name;     ///< for --models
  std::string summary;  ///< what is in the body
  /// A new model of C channels, a multiple of 4, from the default generator.
  std::unique_ptr<SequenceModel> (*make)(int64_t C);
};

/// Each body has about 24·C² parameters:
///   attention    two blocks of causal self-attention in four heads, with rotary positions, and a
///                feed-forward layer: 2 · (4·C² + 8·C²)
///   lstm         an LSTM of hidden size 2·C, whose outputs are mapped to C channels: 26·C². The bias
///                of the forget gates starts at 1. Source: Jozefowicz et al. 2015, "An empirical
///                exploration of recurrent network architectures"
///   gru          a GRU of hidden size 2.3·C, likewise
///   convolution  eight causal convolutions of kernel 3 with dilations 1, 2, 4, … 128, each added
///                to its input: 8 · 3·C². An output sees 511 tokens; with dilation 1 it would be 17.
///                Source: Bai et al. 2018, "An empirical evaluation of generic convolutional and
///                recurrent networks for sequence modeling"
const std::vector<ModelKind>& model_kinds();

}  // namespace tarsier::zoo::compare
