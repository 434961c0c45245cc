#pragma once
// One step of a recurrent network: the cells of LSTM and GRU.

#include <cstdint>
#include <string>

#include "../module.h"

namespace tarsier::nn {

/// The weights of one cell, of G gates: those of all gates stacked. G is 4 for LSTM, 3 for GRU.
struct RNNWeights {
  Tensor weight_ih;  ///< (G·H, input_size)
  Tensor weight_hh;  ///< (G·H, H)
  Tensor bias_ih;    ///< (G·H), or undefined
  Tensor bias_hh;    ///< (G·H), or undefined
};

/// The state of an LSTM: (B, H) of a cell, (L·D, B, H) of L layers with D directions.
struct LSTMState {
  Tensor h;  ///< the output of the last step
  Tensor c;  ///< the cell: the memory
};

/// What LSTMCell and GRUCell share: sizes and weights.
struct RNNCellBase : Layer<RNNCellBase> {
  const int64_t input_size, hidden_size;
  RNNWeights weights;

  std::string extra_repr() const override;

 protected:
  RNNCellBase(const char* op, int64_t gates, int64_t input_size, int64_t hidden_size,
              bool with_bias);
};

/// One step of an LSTM: what the input, forget and output gates i, f and o let through.
///   i, f, g, o = the four parts of weight_ih · x + bias_ih + weight_hh · h + bias_hh
///   c' = σ(f) · c + σ(i) · tanh(g),   h' = σ(o) · tanh(c')
/// x (B, input_size) or (input_size), h and c (B, H) or (H) → h' and c'. Undefined h and c are 0.
/// Weights and biases start uniform in ±1/√H.
///   nn::LSTMState state;
///   for (const Tensor& x : steps) state = cell(x, state);
/// Throws Error("lstm_cell") for sizes and dtypes that do not fit.
/// Source: Hochreiter & Schmidhuber 1997, "Long short-term memory"; the forget gate: Gers et al.
/// 2000, "Learning to forget".
/// As https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html, with its keys.
struct LSTMCell : RNNCellBase {
  LSTMCell(int64_t input_size, int64_t hidden_size, bool with_bias = true);

  LSTMState operator()(const Arg& x, const LSTMState& state = {});
  LSTMState forward(const Arg& x, const LSTMState& state = {});

  std::string type_name() const override { return "LSTMCell"; }
};

/// One step of a GRU, whose reset and update gates r and z mix the old state with a new one:
///   r = σ(W_r · x + U_r · h),   z = σ(W_z · x + U_z · h)
///   n = tanh(W_n · x + r · (U_n · h)),   h' = (1 − z) · n + z · h
/// with W the three parts of weight_ih, U those of weight_hh, each product with its bias.
/// x (B, input_size) or (input_size), h (B, H) or (H) → h'. An undefined h is 0.
/// Weights and biases start uniform in ±1/√H.
/// Throws Error("gru_cell") for sizes and dtypes that do not fit.
/// Source: Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder for
/// statistical machine translation"; there, r acts before U_n.
/// As https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html, with its keys.
struct GRUCell : RNNCellBase {
  GRUCell(int64_t input_size, int64_t hidden_size, bool with_bias = true);

  Tensor operator()(const Arg& x, const Tensor& h = {});
  Tensor forward(const Arg& x, const Tensor& h = {});

  std::string type_name() const override { return "GRUCell"; }
};

// ---- for cells and layers

/// New weights of a cell with `gates` gates, uniform in ±1/√hidden_size.
RNNWeights new_rnn_weights(int64_t gates, int64_t input_size, int64_t hidden_size, bool with_bias);

/// The part of the gates that the inputs give, which needs no state: for all steps at once.
/// x (N, input_size) → (N, 4·H), with both biases.
Tensor lstm_input(const Arg& x, const RNNWeights& w);
/// x (N, input_size) → (N, 3·H), with bias_ih.
Tensor gru_input(const Arg& x, const RNNWeights& w);

/// The rest of a step: `input` from lstm_input, (B, 4·H), and a state (B, H).
LSTMState lstm_step(const Tensor& input, const LSTMState& state, const RNNWeights& w);
/// `input` from gru_input, (B, 3·H), and h (B, H) → h'.
Tensor gru_step(const Tensor& input, const Tensor& h, const RNNWeights& w);

}  // namespace tarsier::nn
