#include "nn/layers/rnn_cell.h"

#include <cmath>
#include <vector>

#include "nn/init.h"

namespace tarsier::nn {
namespace {

constexpr const char* kLstm = "lstm_cell";
constexpr const char* kGru = "gru_cell";

void check_input(const char* op, const Tensor& x, int64_t input_size) {
  check((x.dim() == 1 || x.dim() == 2) && x.size(-1) == input_size, op, "x ", x.shape(),
        ": expected (batch, ", input_size, ") or (", input_size, ")");
}

/// The state as (B, H): zeros if it is undefined.
Tensor batched_state(const char* op, const char* name, const Tensor& state, const Tensor& x,
                     int64_t hidden_size) {
  const int64_t B = x.dim() == 2 ? x.size(0) : 1;
  if (!state.defined()) return zeros({B, hidden_size}, x.dtype());
  const Shape expected = x.dim() == 2 ? Shape{B, hidden_size} : Shape{hidden_size};
  check(state.shape() == expected, op, name, " ", state.shape(), " for x ", x.shape(),
        ": expected ", expected);
  return x.dim() == 2 ? state : unsqueeze(state, 0);
}

}  // namespace

RNNWeights new_rnn_weights(int64_t gates, int64_t input_size, int64_t hidden_size, bool with_bias) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto uniform = [&](const Shape& shape) {
    const Tensor w = Tensor::empty(shape);
    uniform_(w, -bound, bound);
    return w;
  };
  RNNWeights w{uniform({gates * hidden_size, input_size}),
               uniform({gates * hidden_size, hidden_size}),
               {},
               {}};
  if (with_bias) {
    w.bias_ih = uniform({gates * hidden_size});
    w.bias_hh = uniform({gates * hidden_size});
  }
  return w;
}

Tensor lstm_input(const Arg& x, const RNNWeights& w) {
  return linear(x, w.weight_ih, w.bias_ih.defined() ? w.bias_ih + w.bias_hh : Tensor());
}

Tensor gru_input(const Arg& x, const RNNWeights& w) { return linear(x, w.weight_ih, w.bias_ih); }

LSTMState lstm_step(const Tensor& input, const LSTMState& state, const RNNWeights& w) {
  const std::vector<Tensor> gates = chunk(input + linear(state.h, w.weight_hh), 4, 1);
  const Tensor c = sigmoid(gates[1]) * state.c + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(c), c};
}

Tensor gru_step(const Tensor& input, const Tensor& h, const RNNWeights& w) {
  const std::vector<Tensor> x = chunk(input, 3, 1);
  const std::vector<Tensor> s = chunk(linear(h, w.weight_hh, w.bias_hh), 3, 1);
  const Tensor r = sigmoid(x[0] + s[0]), z = sigmoid(x[1] + s[1]), n = tanh(x[2] + r * s[2]);
  return n + z * (h - n);
}

// ---- the cells

RNNCellBase::RNNCellBase(const char* op, int64_t gates, int64_t input_size, int64_t hidden_size,
                         bool with_bias)
    : input_size(input_size), hidden_size(hidden_size) {
  check(input_size > 0 && hidden_size > 0, op, "input_size ", input_size, " and hidden_size ",
        hidden_size, ": both must be positive");
  const RNNWeights w = new_rnn_weights(gates, input_size, hidden_size, with_bias);
  register_parameter("weight_ih", weights.weight_ih, w.weight_ih);
  register_parameter("weight_hh", weights.weight_hh, w.weight_hh);
  register_parameter("bias_ih", weights.bias_ih, w.bias_ih);
  register_parameter("bias_hh", weights.bias_hh, w.bias_hh);
}

std::string RNNCellBase::extra_repr() const {
  return concat(input_size, ", ", hidden_size, weights.bias_ih.defined() ? "" : ", bias=false");
}

LSTMCell::LSTMCell(int64_t input_size, int64_t hidden_size, bool with_bias)
    : RNNCellBase(kLstm, 4, input_size, hidden_size, with_bias) {}

LSTMState LSTMCell::operator()(const Arg& x, const LSTMState& state) {
  return called([&](const Arg& y) { return forward(y, state); }, x);
}

LSTMState LSTMCell::forward(const Arg& x, const LSTMState& state) {
  const CallScope here(x.at);
  check_input(kLstm, x, input_size);
  check(state.h.defined() == state.c.defined(), kLstm,
        "only one of h and c is given: give both, or none for zeros");
  const LSTMState before{batched_state(kLstm, "h", state.h, x, hidden_size),
                         batched_state(kLstm, "c", state.c, x, hidden_size)};
  const Tensor rows = x.dim() == 2 ? Tensor(x) : unsqueeze(x, 0);
  const LSTMState after = lstm_step(lstm_input(rows, weights), before, weights);
  if (x.dim() == 2) return after;
  return {squeeze(after.h, 0), squeeze(after.c, 0)};
}

GRUCell::GRUCell(int64_t input_size, int64_t hidden_size, bool with_bias)
    : RNNCellBase(kGru, 3, input_size, hidden_size, with_bias) {}

Tensor GRUCell::operator()(const Arg& x, const Tensor& h) {
  return called([&](const Arg& y) { return forward(y, h); }, x);
}

Tensor GRUCell::forward(const Arg& x, const Tensor& h) {
  const CallScope here(x.at);
  check_input(kGru, x, input_size);
  const Tensor before = batched_state(kGru, "h", h, x, hidden_size);
  const Tensor rows = x.dim() == 2 ? Tensor(x) : unsqueeze(x, 0);
  const Tensor after = gru_step(gru_input(rows, weights), before, weights);
  return x.dim() == 2 ? after : squeeze(after, 0);
}

}  // namespace tarsier::nn
