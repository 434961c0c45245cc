#include "zoo/compare/models.h"

#include <type_traits>

#include "zoo/compare/tasks.h"

namespace tarsier::zoo::compare {
namespace {

constexpr int64_t kHeads = 4;

/// x + attn(ln(x)), then x + mlp(ln(x)).
struct Block : nn::Layer<Block> {
  nn::LayerNorm ln_1, ln_2;
  nn::GroupedQueryAttention attn;
  nn::Linear up, down;

  explicit Block(int64_t C)
      : ln_1(C),
        ln_2(C),
        attn(C, kHeads, kHeads, {.position = nn::PositionKind::rotary}),
        up(C, 4 * C),
        down(4 * C, C) {
    register_module("ln_1", ln_1);
    register_module("attn", attn);
    register_module("ln_2", ln_2);
    register_module("up", up);
    register_module("down", down);
  }

  Tensor forward(const Arg& x) {
    const Tensor y = x + attn(ln_1(x), {.is_causal = true});
    return y + down(gelu(up(ln_2(y))));
  }
};

struct AttentionModel : SequenceModel {
  Block first, second;

  explicit AttentionModel(int64_t C) : SequenceModel(C), first(C), second(C) {
    register_module("first", first);
    register_module("second", second);
  }
  Tensor body(const Tensor& x) override { return second(first(x)); }
};

/// One recurrent layer of hidden size H, and a map back to C channels.
template <class Recurrent>
struct RecurrentModel : SequenceModel {
  Recurrent recurrent;
  nn::Linear out;

  RecurrentModel(int64_t C, int64_t H)
      : SequenceModel(C), recurrent(C, H, {.batch_first = true}), out(H, C) {
    register_module("recurrent", recurrent);
    register_module("out", out);
    if constexpr (std::is_same_v<Recurrent, nn::LSTM>)  // the second of its four gates is forget
      nn::constant_(slice(recurrent.weights[0].bias_ih, 0, H, 2 * H), 1);
  }
  Tensor body(const Tensor& x) override { return out(recurrent(x).output); }
};

struct ConvolutionModel : SequenceModel {
  static constexpr int64_t kLayers = 8, kKernel = 3;
  nn::ModuleList<nn::Conv1d> layers;

  explicit ConvolutionModel(int64_t C) : SequenceModel(C) {
    for (int64_t i = 0; i < kLayers; ++i)
      layers.emplace_back(C, C, kKernel, Conv1dOptions{.dilation = int64_t{1} << i});
    register_module("layers", layers);
  }
  Tensor body(const Tensor& x) override {
    Tensor y = transpose(x, 1, 2);  // (B, C, T)
    for (int64_t i = 0; i < kLayers; ++i) {
      const int64_t before = (kKernel - 1) << i;  // zeros, so that no output sees later tokens
      y = y + relu(layers[static_cast<size_t>(i)](pad(y, {before, 0})));
    }
    return transpose(y, 1, 2);
  }
};

}  // namespace

SequenceModel::SequenceModel(int64_t C) : embedding_(kTokens, C), norm_(C), head_(C, kAnswers) {
  register_module("embedding", embedding_);
  register_module("norm", norm_);
  register_module("head", head_);
}

Tensor SequenceModel::forward(const Arg& tokens, int64_t questions) {
  const Tensor x = body(embedding_(tokens));
  return head_(norm_(narrow(x, 1, x.size(1) - questions, questions)));
}

const std::vector<ModelKind>& model_kinds() {
  using Made = std::unique_ptr<SequenceModel>;
  static const std::vector<ModelKind> all = {
      {"attention", "two blocks of causal self-attention",
       [](int64_t C) -> Made { return std::make_unique<AttentionModel>(C); }},
      {"lstm", "one LSTM layer",
       [](int64_t C) -> Made { return std::make_unique<RecurrentModel<nn::LSTM>>(C, 2 * C); }},
      {"gru", "one GRU layer",
       [](int64_t C) -> Made { return std::make_unique<RecurrentModel<nn::GRU>>(C, C * 23 / 10); }},
      {"convolution", "eight causal convolutions, dilated 1 to 128",
       [](int64_t C) -> Made { return std::make_unique<ConvolutionModel>(C); }}};
  return all;
}

}  // namespace tarsier::zoo::compare
