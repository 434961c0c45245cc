// checkpoint(): the same bits as without, second derivatives, what it keeps, and what it refuses.
#include "autograd/functional/checkpoint.h"

#include <doctest/doctest.h>

#include "autograd/check/check_op.h"
#include "autograd/ops.h"
#include "autograd/tape/capture.h"
#include "autograd/tape/observer.h"
#include "nn/checkpoint.h"
#include "nn/nn.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

bool equal(const Tensor& a, const Tensor& b) { return allclose(a, b, 0, 0); }

TEST_CASE("checkpoint: first and second derivatives, by inputs and parameters") {
  const Tensor x = randn({3, 4}, f64), w = randn({5, 4}, f64), b = randn({5}, f64);
  const auto part = [](const Tensors& in) {
    return checkpoint([&](const Tensors& own) { return tanh(linear(own[0], in[1], in[2])); },
                      {in[0]}, {in[1], in[2]});
  };
  check_op_gradients({.name = "checkpoint", .call = part, .samples = {{x, w, b}}});
}

/// A stack of blocks with dropout: the gradients of x and of all parameters, then a random number.
Tensors gradients_of_stack(bool with_checkpoint) {
  manual_seed(7);
  nn::ModuleList<nn::TransformerEncoderLayer> blocks(
      3, 8, 2, nn::TransformerLayerOptions{.dim_feedforward = 16, .batch_first = true});
  const Tensor x = randn({2, 5, 8}).requires_grad_();
  Tensor y = x;
  for (auto& block : blocks) y = with_checkpoint ? nn::checkpoint(block, y) : block(y);
  sum(y * randn_like(y)).backward();
  Tensors result{y.detach(), x.grad()};
  for (const Tensor& parameter : blocks.parameters()) result.push_back(parameter.grad());
  result.push_back(rand({3}));
  return result;
}

TEST_CASE("checkpoint: the same bits as without, with dropout, and as many random numbers") {
  const Tensors with = gradients_of_stack(true), without = gradients_of_stack(false);
  REQUIRE(with.size() == without.size());
  for (size_t i = 0; i < with.size(); ++i) CHECK(equal(with[i], without[i]));
}

TEST_CASE("checkpoint: keeps its inputs alone") {
  struct Counter : TapeObserver {
    std::vector<std::string> names;
    void on_record(const Recorded& recorded) override { names.push_back(recorded.node->name); }
  } counter;
  const Tensor x = randn({4}).requires_grad_();
  const ObserverScope scope(counter);
  const Tensor y = checkpoint([](const Tensors& in) { return exp(sin(in[0])); }, {x});
  CHECK(counter.names == std::vector<std::string>{"checkpoint"});
  sum(y).backward();
  CHECK(counter.names == std::vector<std::string>{"checkpoint", "sum", "sin", "exp"});
  CHECK(allclose(x.grad(), cos(x.detach()) * exp(sin(x.detach()))));
}

TEST_CASE("checkpoint: hooks of parameters and inputs run once") {
  const Tensor x = ones({2}).requires_grad_(), w = ones({2}).requires_grad_();
  int calls = 0;
  const auto doubled = [&](const Tensor& dy) {
    ++calls;
    return dy * 2;
  };
  x.register_hook(doubled);
  w.register_hook(doubled);
  sum(checkpoint([&](const Tensors& in) { return in[0] * w * 3; }, {x}, {w})).backward();
  CHECK(calls == 2);
  CHECK(x.grad().to_vector<float>() == std::vector<float>{6, 6});
  CHECK(w.grad().to_vector<float>() == std::vector<float>{6, 6});
}

TEST_CASE("checkpoint: an input that is returned, unused, or needs no gradient") {
  const Tensor x = randn({3}).requires_grad_(), unused = randn({2}).requires_grad_();
  const Tensor index = tensor({2, 0}, i64);
  sum(checkpoint([](const Tensors& in) { return in[0]; }, {x, unused})).backward();
  CHECK(equal(x.grad(), ones({3})));
  CHECK(equal(unused.grad(), zeros({2})));
  const Tensor picked = checkpoint(
      [](const Tensors& in) { return index_select(in[0], 0, in[1]) + in[0].size(0); }, {x, index});
  CHECK(picked.requires_grad());
  const Tensor plain = checkpoint([](const Tensors& in) { return in[0] * 2; }, {ones({2})});
  CHECK_FALSE(plain.requires_grad());
}

TEST_CASE("checkpoint: only what is asked for; twice with retain_graph") {
  const Tensor x = randn({3}).requires_grad_(), w = randn({3}).requires_grad_();
  const Tensor y = sum(checkpoint([&](const Tensors& in) { return in[0] * w; }, {x}, {w}));
  CHECK(equal(grad({y}, {x}, {}, /*retain_graph=*/true)[0], w));
  CHECK_FALSE(w.grad().defined());
  y.backward({}, /*retain_graph=*/true);
  y.backward();
  CHECK(equal(w.grad(), x * 2));
}

TEST_CASE("checkpoint: nothing under NoGrad") {
  const Tensor x = randn({3}).requires_grad_();
  const NoGrad guard;
  CHECK_FALSE(checkpoint([](const Tensors& in) { return in[0] * 2; }, {x}).requires_grad());
}

TEST_CASE("checkpoint: tensors that are not named are an error") {
  const Tensor x = randn({3}).requires_grad_(), w = randn({3}).requires_grad_();
  const Tensor made = w * 2;
  const auto forgets = [&](const Tensor& other) {
    sum(checkpoint([&](const Tensors& in) { return in[0] * other; }, {x})).backward();
  };
  check_error(
      "[checkpoint] the function reads a tensor of shape (3,) that needs a gradient, a leaf, and "
      "is "
      "in neither list: pass it among the inputs, or among the parameters",
      [&] { forgets(w); });
  check_error(
      "[checkpoint] the function reads a tensor of shape (3,) that needs a gradient, made by",
      [&] { forgets(made); });
}

TEST_CASE("checkpoint: what would not be the same the second time is an error") {
  const Tensor x = randn({3}).requires_grad_(), changed = randn({3});
  const Tensor y = checkpoint([&](const Tensors& in) { return in[0] * in[1]; }, {x, changed});
  add_(changed, 1);
  check_error("[checkpoint] input 1 was changed in place after the forward",
              [&] { sum(y).backward(); });
  const auto changes = [](const Tensors& in) {
    add_(in[1], 1);
    return in[0] * in[1];
  };
  check_error("[checkpoint] the function changes an input or a parameter in place", [&] {
    checkpoint(changes, {x, changed});
  });

  int64_t calls = 0;
  const Tensor other =
      checkpoint([&](const Tensors& in) { return slice(in[0], 0, 0, ++calls); }, {x});
  check_error("[checkpoint] the function returned (2,) f32 in backward, and (1,) f32 before",
              [&] { sum(other).backward(); });

  check_error("[capture] checkpoint() in a step that is captured", [&] {
    capture([&] { sum(checkpoint([](const Tensors& in) { return in[0] * 2; }, {x})).backward(); });
  });
}

TEST_CASE("nn::checkpoint: buffers that change are an error") {
  nn::BatchNorm1d norm(3);
  check_error("[checkpoint] the forward of the module changes 'running_mean'", [&] {
    nn::checkpoint(norm, randn({4, 3}));
  });
  norm.eval();
  CHECK(nn::checkpoint(norm, randn({4, 3})).requires_grad());
}

TEST_CASE("nn::checkpoint: further arguments, and the module's path in errors") {
  struct Scaled : nn::Layer<Scaled> {
    nn::Linear fc{3, 3};
    bool fails = false;
    Scaled() { register_module("fc", fc); }
    Tensor forward(const Arg& x, const Tensor& shift, double factor) {
      if (fails) return fc(select(x, 0, 0) + reshape(shift, {7}));
      return fc(x + shift) * factor;
    }
  };
  Scaled layer;
  const Tensor x = randn({2, 3}), shift = randn({3}).requires_grad_();
  const Tensor y = nn::checkpoint(layer, x, shift, 0.5);
  CHECK(equal(y, layer(x, shift, 0.5)));
  sum(y).backward();
  CHECK(allclose(shift.grad(), sum(layer.fc.weight, 0)));
  const Tensor again = nn::checkpoint(layer, x, shift, 0.5);
  layer.fails = true;
  check_error("[reshape]", [&] { sum(again).backward(); });
}

}  // namespace
}  // namespace tarsier
