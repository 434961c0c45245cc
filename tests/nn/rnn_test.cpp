// LSTM and GRU compared with PyTorch, with and without padding, and with their own cells.
#include "nn/layers/rnn.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using nn::RNNOptions;
using Tensors = std::vector<Tensor>;

/// All results one after the other, as make_rnn.py has them.
Tensor flat(const Tensors& results) {
  Tensors all;
  for (const Tensor& x : results) all.push_back(flatten(x));
  return cat(all);
}

Tensor call(nn::LSTM& lstm, const Tensor& x, const TensorDict& given) {
  nn::LSTMCall options;
  if (const Tensor* h = given.find("h_0")) options.h_0 = *h;
  if (const Tensor* c = given.find("c_0")) options.c_0 = *c;
  if (const Tensor* lengths = given.find("lengths")) options.lengths = *lengths;
  const auto [output, h_n, c_n] = lstm(x, options);
  return flat({output, h_n, c_n});
}
Tensor call(nn::GRU& gru, const Tensor& x, const TensorDict& given) {
  nn::GRUCall options;
  if (const Tensor* h = given.find("h_0")) options.h_0 = *h;
  if (const Tensor* lengths = given.find("lengths")) options.lengths = *lengths;
  const auto [output, h_n] = gru(x, options);
  return flat({output, h_n});
}
Tensor call(nn::LSTMCell& cell, const Tensor& x, const TensorDict& given) {
  const Tensor *h = given.find("h_0"), *c = given.find("c_0");
  const auto [h_1, c_1] = h != nullptr ? cell(x, {*h, *c}) : cell(x);
  return flat({h_1, c_1});
}
Tensor call(nn::GRUCell& cell, const Tensor& x, const TensorDict& given) {
  const Tensor* h = given.find("h_0");
  return flat({h != nullptr ? cell(x, *h) : cell(x)});
}

/// The layer M(4, 3, args…) on the numbers of case `name`, in both dtypes.
template <class M, class... Args>
void check_case(const std::string& name, const Args&... args) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    M layer(4, 3, args...);
    layer.to(dtype);
    const TensorDict numbers = golden("rnn.safetensors", name + ".", dtype);
    layer.load_state_dict(part(numbers, "state."));
    TensorDict inputs;
    for (const char* input : {"x", "h_0", "c_0", "lengths"})
      if (const Tensor* found = numbers.find(input)) {
        Tensor x = *found;
        inputs.add(input, is_floating(x.dtype()) ? x.requires_grad_() : x);
      }
    const Tensor y = call(layer, inputs["x"], inputs);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    for (const auto& [input, x] : inputs)
      if (x.requires_grad()) check_close("d" + input, x.grad(), numbers["d" + input]);
    const TensorDict parameters = layer.named_parameters(), expected = part(numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [key, grad] : expected) check_close("d" + key, parameters[key].grad(), grad);
  }
}

template <class Layer, class Cell>
void check_kind(const std::string& kind) {
  check_case<Cell>(kind + "_cell");
  check_case<Cell>(kind + "_cell_state");
  check_case<Cell>(kind + "_cell_one", false);
  check_case<Layer>(kind + "_plain");
  const RNNOptions two{.num_layers = 2, .bidirectional = true};
  check_case<Layer>(kind + "_one", two);
  check_case<Layer>(kind + "_both", two);
  check_case<Layer>(kind + "_layers",
                    RNNOptions{.num_layers = 3, .bias = false, .batch_first = true});
  check_case<Layer>(kind + "_dropped", RNNOptions{.num_layers = 2, .dropout = 1});
  check_case<Layer>(kind + "_lengths", RNNOptions{.num_layers = 2});
  check_case<Layer>(kind + "_lengths_both",
                    RNNOptions{.num_layers = 2, .batch_first = true, .bidirectional = true});
}

TEST_CASE("LSTM has the numbers of PyTorch: layers, directions, states, padding, gradients") {
  check_kind<nn::LSTM, nn::LSTMCell>("lstm");
}

TEST_CASE("GRU has the numbers of PyTorch: layers, directions, states, padding, gradients") {
  check_kind<nn::GRU, nn::GRUCell>("gru");
}

TEST_CASE("padding is never read: sequences alone give the same, and NaN in it no gradient") {
  const RNNOptions options{.num_layers = 2, .bidirectional = true};
  nn::LSTM lstm(3, 4, options);
  lstm.to(f64);
  const std::vector<int64_t> lengths{2, 5, 5, 1};
  Tensor x = randn({5, 4, 3}, f64);
  for (int64_t b = 0; b < 4; ++b)
    fill_(slice(select(x, 1, b), 0, lengths[static_cast<size_t>(b)]), NAN);
  x.requires_grad_();
  const auto [output, h_n, c_n] = lstm(x, {.lengths = from_vector(lengths, {4})});
  for (int64_t b = 0; b < 4; ++b) {
    const int64_t n = lengths[static_cast<size_t>(b)];
    const auto [y, h, c] = lstm(slice(select(x, 1, b), 0, 0, n));
    check_close("output", slice(select(output, 1, b), 0, 0, n), y);
    check_close("padding", slice(select(output, 1, b), 0, n), zeros({5 - n, 8}, f64));
    check_close("h", select(h_n, 1, b), h);
    check_close("c", select(c_n, 1, b), c);
  }
  sum(output * output).backward();
  for (int64_t b = 0; b < 4; ++b) {
    const int64_t n = lengths[static_cast<size_t>(b)];
    check_close("dx", slice(select(x.grad(), 1, b), 0, n), zeros({5 - n, 3}, f64));
  }
  for (const Tensor& parameter : lstm.parameters())
    CHECK(std::isfinite(sum(parameter.grad()).item()));
}

TEST_CASE("a layer is its cell step by step, and goes on from the states that it returned") {
  nn::GRU gru(3, 4);
  nn::GRUCell gru_cell(3, 4);
  nn::LSTM lstm(3, 4);
  nn::LSTMCell lstm_cell(3, 4);
  for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
    const NoGrad guard;
    copy_(gru_cell.named_parameters()[name], gru.named_parameters()[concat(name, "_l0")]);
    copy_(lstm_cell.named_parameters()[name], lstm.named_parameters()[concat(name, "_l0")]);
  }
  const Tensor x = randn({6, 2, 3});
  Tensor h;
  nn::LSTMState state;
  Tensors gru_steps, lstm_steps;
  for (const Tensor& step : unbind(x)) {
    h = gru_cell(step, h);
    state = lstm_cell(step, state);
    gru_steps.push_back(h);
    lstm_steps.push_back(state.h);
  }
  check_close("gru", gru(x).output, stack(gru_steps));
  check_close("lstm", lstm(x).output, stack(lstm_steps));
  check_close("c_n", lstm(x).c_n, unsqueeze(state.c, 0));

  const auto start = lstm(slice(x, 0, 0, 4));
  const auto end = lstm(slice(x, 0, 4), {.h_0 = start.h_n, .c_0 = start.c_n});
  check_close("continued", cat({start.output, end.output}), lstm(x).output);
  check_close("continued", end.c_n, lstm(x).c_n);
}

TEST_CASE("gradients of LSTM and GRU with padding are those of finite differences") {
  const RNNOptions options{.num_layers = 2, .batch_first = true, .bidirectional = true};
  const Tensor lengths = tensor({2, 3, 1}, i64);
  const auto check_layer = [&](auto& layer, Tensors inputs) {
    layer.to(f64);
    for (const Tensor& parameter : layer.parameters()) inputs.push_back(parameter);
    gradcheck(
        [&](const Tensors& in) {
          TensorDict given;
          given.add("h_0", in[1]);
          given.add("c_0", in[2]);
          given.add("lengths", lengths);
          return call(layer, in[0], given);
        },
        inputs);
  };
  const auto input = [](const Shape& shape) { return randn(shape, f64).requires_grad_(); };
  nn::LSTM lstm(2, 2, options);
  check_layer(lstm, {input({3, 3, 2}), input({4, 3, 2}), input({4, 3, 2})});
  nn::GRU gru(2, 2, options);
  check_layer(gru, {input({3, 3, 2}), input({4, 3, 2}), randn({1}, f64)});
}

TEST_CASE("dropout acts between the layers of a recurrent network, in training only") {
  nn::LSTM lstm(3, 8, {.num_layers = 2, .dropout = 0.5});
  const Tensor x = randn({4, 2, 3});
  CHECK_FALSE(allclose(lstm(x).output, lstm(x).output));
  CHECK(relative_error(slice(lstm(x).h_n, 0, 0, 1), slice(lstm(x).h_n, 0, 0, 1)) == 0);
  lstm.eval();
  CHECK(relative_error(lstm(x).output, lstm(x).output) == 0);
  nn::LSTM one(3, 8, {.dropout = 0.5});
  CHECK(relative_error(one(x).output, one(x).output) == 0);
}

TEST_CASE("keys, initial values and print of recurrent networks") {
  nn::LSTM lstm(3, 16, {.num_layers = 2, .bias = false, .dropout = 0.25, .bidirectional = true});
  std::vector<std::string> keys;
  for (const auto& entry : lstm.state_dict()) keys.push_back(entry.first);
  CHECK(keys == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse",
                                         "weight_hh_l0_reverse", "weight_ih_l1", "weight_hh_l1",
                                         "weight_ih_l1_reverse", "weight_hh_l1_reverse"});
  CHECK(lstm.state_dict()["weight_ih_l1"].shape() == Shape{64, 32});
  std::ostringstream text;
  text << lstm;
  CHECK(text.str().starts_with(
      "LSTM(3, 16, num_layers=2, bias=false, dropout=0.25, bidirectional=true)"));
  CHECK(nn::GRU(3, 4, {.batch_first = true}).extra_repr() == "3, 4, batch_first=true");
  CHECK(nn::GRUCell(3, 4, false).extra_repr() == "3, 4, bias=false");

  for (const Tensor& parameter : nn::GRU(3, 16).parameters()) {
    for (const double sign : {1, -1}) {
      const double largest = max(parameter * sign).item();
      CHECK(largest <= 0.25);  // 1/√16
      CHECK(largest > 0.2);
    }
  }
}

TEST_CASE("recurrent networks refuse what does not fit, and say what would") {
  CHECK(error_of([] { nn::LSTM(3, 0); }) ==
        "[lstm] input_size 3, hidden_size 0 and num_layers 1: all must be positive");
  CHECK_THROWS_AS(nn::GRU(3, 4, {.num_layers = 0}), Error);
  CHECK(error_of([] { nn::GRU(3, 4, {.dropout = 1.5}); }) == "[gru] dropout 1.5 must be in [0, 1]");
  CHECK(error_of([] { nn::GRUCell(0, 4); }) ==
        "[gru_cell] input_size 0 and hidden_size 4: both must be positive");

  nn::LSTM lstm(3, 4, {.num_layers = 2, .batch_first = true});
  const Tensor x = randn({2, 5, 3}), state = zeros({2, 2, 4});
  CHECK(error_of([&] {
          lstm(randn({2, 5, 4}));
        }) == "[lstm] x (2, 5, 4): expected (batch, time, 3) or (time, 3)");
  CHECK(error_of([&] {
          lstm(randn({2, 0, 3}));
        }) == "[lstm] x (2, 0, 3) has no steps: expected one or more");
  CHECK_THROWS_AS(lstm(randn({2, 5, 3}, f64)), Error);
  CHECK_THROWS_AS(lstm(zeros({2, 5, 3}, i64)), Error);
  CHECK(error_of([&] { lstm(x, {.h_0 = state}); }) ==
        "[lstm] only one of h_0 and c_0 is given: give both, or none for zeros");
  CHECK(error_of([&] {
          lstm(x, {.h_0 = state, .c_0 = zeros({1, 2, 4})});
        }) ==
        "[lstm] c_0 (1, 2, 4): expected (layers · directions, batch, hidden_size) = (2, 2, 4)");
  CHECK_THROWS_AS(lstm(select(x, 0, 0), {.h_0 = state, .c_0 = state}), Error);
  const auto lengths = [&](const Tensor& n) { return error_of([&] { lstm(x, {.lengths = n}); }); };
  CHECK(lengths(tensor({5, 0}, i64)) ==
        "[lstm] length 0 of sequence 1: expected 1 to 5, the number of steps of x");
  CHECK(lengths(tensor({6, 5}, i64)).find("length 6 of sequence 0") != std::string::npos);
  CHECK(lengths(tensor({5}, i64)) ==
        "[lstm] lengths (1,) of i64: expected (2,) of i64, one for each sequence");
  CHECK(lengths(tensor({5, 5}, f32)).find("of f32") != std::string::npos);
  CHECK(error_of([&] { lstm(select(x, 0, 0), {.lengths = tensor({5}, i64)}); }) ==
        "[lstm] lengths are for a batch, and x (5, 3) is a single sequence: cut it with slice()");

  nn::LSTMCell cell(3, 4);
  CHECK(error_of([&] {
          cell(randn({2, 4}));
        }) == "[lstm_cell] x (2, 4): expected (batch, 3) or (3)");
  CHECK(error_of([&] {
          cell(randn({2, 3}), {zeros({2, 4}), {}});
        }) == "[lstm_cell] only one of h and c is given: give both, or none for zeros");
  CHECK(error_of([&] {
          nn::GRUCell(3, 4)(randn({2, 3}), zeros({1, 4}));
        }) == "[gru_cell] h (1, 4) for x (2, 3): expected (2, 4)");
}

}  // namespace
}  // namespace tarsier
