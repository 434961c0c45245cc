#include "nn/layers/rnn.h"

namespace tarsier::nn {

/// One kind of cell.
struct RNNBase::Kind {
  const char* name;  ///< in errors
  int64_t gates;
  const char* states[2];  ///< their names
  Tensor (*input)(const Arg& x, const RNNWeights& w);
  State (*step)(const Tensor& input, const State& state, const RNNWeights& w);
};

const RNNBase::Kind RNNBase::kLstm{
    "lstm", 4, {"h_0", "c_0"}, lstm_input, [](const Tensor& input, const State& s, const auto& w) {
      const LSTMState next = lstm_step(input, {s[0], s[1]}, w);
      return State{next.h, next.c};
    }};
const RNNBase::Kind RNNBase::kGru{
    "gru", 3, {"h_0", ""}, gru_input, [](const Tensor& input, const State& s, const auto& w) {
      return State{gru_step(input, s[0], w)};
    }};

RNNBase::RNNBase(const Kind& kind, int64_t input_size, int64_t hidden_size,
                 const RNNOptions& options)
    : input_size(input_size), hidden_size(hidden_size), options(options), kind_(kind) {
  check(input_size > 0 && hidden_size > 0 && options.num_layers > 0, kind.name, "input_size ",
        input_size, ", hidden_size ", hidden_size, " and num_layers ", options.num_layers,
        ": all must be positive");
  check(options.dropout >= 0 && options.dropout <= 1, kind.name, "dropout ", options.dropout,
        " must be in [0, 1]");
  const int64_t D = directions();
  weights.resize(static_cast<size_t>(options.num_layers * D));  // their places are registered
  for (int64_t i = 0; i < options.num_layers * D; ++i) {
    RNNWeights& w = weights[static_cast<size_t>(i)];
    const RNNWeights initial = new_rnn_weights(kind.gates, i < D ? input_size : D * hidden_size,
                                               hidden_size, options.bias);
    const std::string end = concat("_l", i / D, i % D == 1 ? "_reverse" : "");
    register_parameter("weight_ih" + end, w.weight_ih, initial.weight_ih);
    register_parameter("weight_hh" + end, w.weight_hh, initial.weight_hh);
    register_parameter("bias_ih" + end, w.bias_ih, initial.bias_ih);
    register_parameter("bias_hh" + end, w.bias_hh, initial.bias_hh);
  }
}

std::string RNNBase::extra_repr() const {
  std::string text = concat(input_size, ", ", hidden_size);
  if (options.num_layers != 1) text += concat(", num_layers=", options.num_layers);
  if (!options.bias) text += ", bias=false";
  if (options.batch_first) text += ", batch_first=true";
  if (options.dropout != 0) text += concat(", dropout=", options.dropout);
  if (options.bidirectional) text += ", bidirectional=true";
  return text;
}

void RNNBase::check_call(const Tensor& x, const State& first, const Tensor& lengths) const {
  const char* batched = options.batch_first ? "(batch, time, " : "(time, batch, ";
  check((x.dim() == 2 || x.dim() == 3) && x.size(-1) == input_size, kind_.name, "x ", x.shape(),
        ": expected ", batched, input_size, ") or (time, ", input_size, ")");
  check(x.size(x.dim() == 3 && options.batch_first ? 1 : 0) > 0, kind_.name, "x ", x.shape(),
        " has no steps: expected one or more");
  check(!lengths.defined() || x.dim() == 3, kind_.name, "lengths are for a batch, and x ",
        x.shape(), " is a single sequence: cut it with slice()");
  const bool given = first[0].defined();
  for (const Tensor& state : first)
    check(state.defined() == given, kind_.name,
          "only one of h_0 and c_0 is given: give both, or none for zeros");
}

/// The first states as (L·D, B, H): zeros if there are none. x is (T, B, input_size) or (T,
/// input_size).
RNNBase::State RNNBase::first_states(const Tensor& x, const State& first) const {
  Shape shape{options.num_layers * directions()};
  if (x.dim() == 3) shape.push_back(x.size(1));
  shape.push_back(hidden_size);
  State out;
  for (size_t i = 0; i < first.size(); ++i) {
    check(!first[i].defined() || first[i].shape() == shape, kind_.name, kind_.states[i], " ",
          first[i].defined() ? first[i].shape() : shape, ": expected (layers · directions",
          x.dim() == 3 ? ", batch, " : ", ", "hidden_size) = ", shape);
    const Tensor state = first[i].defined() ? first[i] : zeros(shape, x.dtype());
    out.push_back(x.dim() == 3 ? state : unsqueeze(state, 1));
  }
  return out;
}

namespace {

using State = std::vector<Tensor>;

/// Applies fn to each tensor of a state.
template <class Fn>
State each(const State& state, const Fn& fn) {
  State out;
  for (const Tensor& s : state) out.push_back(fn(s));
  return out;
}

/// The states of the sequences from `begin` to `end`.
State part(const State& state, int64_t begin, int64_t end) {
  if (begin == 0 && end == state[0].size(0)) return state;
  return each(state, [&](const Tensor& s) { return slice(s, 0, begin, end); });
}

/// The states in `parts`, one after the other.
State joined(const std::vector<State>& parts) {
  if (parts.size() == 1) return parts[0];
  State out;
  for (size_t i = 0; i < parts[0].size(); ++i) {
    std::vector<Tensor> all;
    for (const State& one : parts) all.push_back(one[i]);
    out.push_back(cat(all));
  }
  return out;
}

}  // namespace

/// The outputs (rows, H) of one cell for x (rows, C). `state` goes from the first to the last.
Tensor RNNBase::run_direction(const Tensor& x, const RNNSteps& steps, bool reverse,
                              const RNNWeights& w, State& state) const {
  const std::vector<int64_t>& counts = steps.counts();
  const std::vector<Tensor> inputs = split(kind_.input(x, w), counts);
  std::vector<Tensor> outputs(counts.size());
  const State first = state;
  std::vector<State> ended;  // those of shorter sequences, shorter ones later
  state = part(first, 0, reverse ? counts.back() : counts.front());
  for (size_t i = 0; i < counts.size(); ++i) {
    const size_t t = reverse ? counts.size() - 1 - i : i;
    const int64_t before = state[0].size(0), now = counts[t];
    if (now > before) state = joined({state, part(first, before, now)});
    if (now < before) {
      ended.insert(ended.begin(), part(state, now, before));
      state = part(state, 0, now);
    }
    state = kind_.step(inputs[t], state, w);
    outputs[t] = state[0];
  }
  ended.insert(ended.begin(), state);
  state = joined(ended);
  return cat(outputs);
}

RNNBase::Result RNNBase::run(const Arg& arg, const State& given, const Tensor& lengths) {
  const CallScope here(arg.at);
  check_call(arg, given, lengths);
  const bool batched = arg.dim() == 3, swap = batched && options.batch_first;
  Tensor x = swap ? transpose(arg, 0, 1) : Tensor(arg);
  const State first = first_states(x, given);
  if (!batched) x = unsqueeze(x, 1);
  const RNNSteps steps(kind_.name, x.size(0), x.size(1), lengths);
  const State sorted = each(first, [&](const Tensor& s) { return steps.sort(s); });
  std::vector<State> last;
  Tensor rows = steps.pack(x);
  for (int64_t layer = 0, D = directions(); layer < options.num_layers; ++layer) {
    if (layer > 0) rows = dropout(rows, options.dropout, is_training());
    std::vector<Tensor> outputs;
    for (int64_t i = layer * D; i < (layer + 1) * D; ++i) {
      State state = each(sorted, [&](const Tensor& s) { return select(s, 0, i); });
      const RNNWeights& w = weights[static_cast<size_t>(i)];
      outputs.push_back(run_direction(rows, steps, i % D == 1, w, state));
      last.push_back(each(state, [](const Tensor& s) { return unsqueeze(s, 0); }));
    }
    rows = D == 1 ? outputs[0] : cat(outputs, 1);
  }
  Tensor output = steps.unpack(rows);
  if (swap) output = transpose(output, 0, 1);
  const State ends = each(joined(last), [&](const Tensor& s) { return steps.unsort(s); });
  if (batched) return {output, ends};
  return {squeeze(output, 1), each(ends, [](const Tensor& s) { return squeeze(s, 1); })};
}

// ---- LSTM and GRU

LSTM::LSTM(int64_t input_size, int64_t hidden_size, const RNNOptions& options)
    : RNNBase(kLstm, input_size, hidden_size, options) {}

LSTMResult LSTM::operator()(const Arg& x, const LSTMCall& call) {
  return called([&](const Arg& y) { return forward(y, call); }, x);
}

LSTMResult LSTM::forward(const Arg& x, const LSTMCall& call) {
  const Result result = run(x, {call.h_0, call.c_0}, call.lengths);
  return {result.output, result.last[0], result.last[1]};
}

GRU::GRU(int64_t input_size, int64_t hidden_size, const RNNOptions& options)
    : RNNBase(kGru, input_size, hidden_size, options) {}

GRUResult GRU::operator()(const Arg& x, const GRUCall& call) {
  return called([&](const Arg& y) { return forward(y, call); }, x);
}

GRUResult GRU::forward(const Arg& x, const GRUCall& call) {
  const Result result = run(x, {call.h_0}, call.lengths);
  return {result.output, result.last[0]};
}

}  // namespace tarsier::nn
