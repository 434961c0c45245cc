#pragma once
// Recurrent networks over whole sequences: LSTM and GRU.

#include <cstdint>
#include <string>
#include <vector>

#include "../module.h"
#include "rnn_cell.h"
#include "rnn_steps.h"

namespace tarsier::nn {

struct RNNOptions {
  int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< (B, T, C) instead of (T, B, C), for x and output
  double dropout = 0;        ///< on the outputs of all layers but the last, in training
  bool bidirectional = false;
};

/// What an LSTM is called with, besides x.
struct LSTMCall {
  Tensor h_0 = {}, c_0 = {};  ///< (L·D, B, H) both, or undefined: 0
  /// (B) i64, from 1 to T: how many steps of each sequence are not padding.
  Tensor lengths = {};
};
struct LSTMResult {
  Tensor output;    ///< (T, B, D·H): h of the last layer at every step
  Tensor h_n, c_n;  ///< (L·D, B, H): the states after the last step
};

/// What a GRU is called with, besides x.
struct GRUCall {
  Tensor h_0 = {};      ///< (L·D, B, H), or undefined: 0
  Tensor lengths = {};  ///< as for LSTM
};
struct GRUResult {
  Tensor output;  ///< (T, B, D·H)
  Tensor h_n;     ///< (L·D, B, H)
};

/// What LSTM and GRU share: L layers, each with a cell for D = 1 or 2 directions, and the walk.
class RNNBase : public Layer<RNNBase> {
 public:
  const int64_t input_size, hidden_size;
  const RNNOptions options;
  /// Of layer l forwards, and backwards if bidirectional: number l·D and l·D + 1.
  std::vector<RNNWeights> weights;

  std::string extra_repr() const override;

 protected:
  using State = std::vector<Tensor>;  // h, and c of an LSTM
  struct Kind;
  struct Result {
    Tensor output;
    State last;
  };

  RNNBase(const Kind& kind, int64_t input_size, int64_t hidden_size, const RNNOptions& options);
  Result run(const Arg& x, const State& first, const Tensor& lengths);

  static const Kind kLstm, kGru;

 private:
  void check_call(const Tensor& x, const State& first, const Tensor& lengths) const;
  State first_states(const Tensor& x, const State& first) const;
  Tensor run_direction(const Tensor& x, const RNNSteps& steps, bool reverse, const RNNWeights& w,
                       State& state) const;

  int64_t directions() const { return options.bidirectional ? 2 : 1; }

  const Kind& kind_;
};

/// LSTM cells (LSTMCell has the formulas) along the sequences, in L = num_layers layers, the first
/// on x and each other one on the outputs of the layer before it. With `bidirectional` (D = 2) each
/// layer has a second cell that goes from the last step to the first, and outputs [forward,
/// backward].
///   const auto [output, h_n, c_n] = lstm(x);
///   lstm(x, {.h_0 = h_n, .c_0 = c_n})  // goes on where that ended
///   lstm(x, {.lengths = lengths})
/// x (T, B, input_size), or (B, T, input_size) with batch_first; a single sequence has no B, neither
/// here nor in the results.
///
/// Padding: with `lengths`, the steps of sequence b from lengths[b] on are never read, whatever
/// their values. The output is 0 there, h_n and c_n are the states after each sequence's own last
/// step, and backwards each starts there. The same numbers as pack_padded_sequence →
/// pad_packed_sequence(total_length = T) in PyTorch; the sequences may have any order.
///
/// Weights and biases start uniform in ±1/√H. With one layer, dropout does nothing.
/// Throws Error("lstm") for sizes, dtypes and lengths that do not fit.
/// Source: Hochreiter & Schmidhuber 1997, "Long short-term memory".
/// As https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html, with its keys (weight_ih_l0,
/// weight_hh_l0_reverse, …), without proj_size.
class LSTM : public RNNBase {
 public:
  LSTM(int64_t input_size, int64_t hidden_size, const RNNOptions& options = {});

  LSTMResult operator()(const Arg& x, const LSTMCall& call = {});
  LSTMResult forward(const Arg& x, const LSTMCall& call = {});

  std::string type_name() const override { return "LSTM"; }
};

/// GRU cells (GRUCell has the formulas) along the sequences. Layers, directions, shapes, padding and
/// initial values as for LSTM.
///   const auto [output, h_n] = gru(x, {.lengths = lengths});
/// Throws Error("gru") for sizes, dtypes and lengths that do not fit.
/// Source: Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder for
/// statistical machine translation".
/// As https://pytorch.org/docs/stable/generated/torch.nn.GRU.html, with its keys.
class GRU : public RNNBase {
 public:
  GRU(int64_t input_size, int64_t hidden_size, const RNNOptions& options = {});

  GRUResult operator()(const Arg& x, const GRUCall& call = {});
  GRUResult forward(const Arg& x, const GRUCall& call = {});

  std::string type_name() const override { return "GRU"; }
};

}  // namespace tarsier::nn
