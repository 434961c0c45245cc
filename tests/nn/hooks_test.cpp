// Hooks of modules: what they see, what they may change, and that nothing else changes.
#include "nn/hooks.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using nn::Module;
using nn::Tensors;

/// Uses only x, passes `calls` on.
struct First : nn::Layer<First> {
  Tensor forward(const Arg& x, const Tensor&, int& calls) {
    ++calls;
    return x * 3;
  }
};

struct Twins : nn::Layer<Twins> {
  std::pair<Tensor, Tensor> forward(const Arg& x) { return {x, x}; }
};

Tensor variable(const Shape& shape) { return randn(shape, f64).requires_grad_(); }

TEST_CASE("forward hooks see inputs and output, in order, and may replace them") {
  nn::Linear layer(3, 2);
  layer.to(f64);
  const Tensor x = randn({4, 3}, f64), y = layer(x);
  std::string order;
  const int pre = layer.register_forward_pre_hook([&](Module& module, const Tensors& inputs) {
    order += "a";
    CHECK(&module == &layer);
    CHECK(inputs.size() == 1);
    return Tensors{inputs[0] * 2};
  });
  layer.register_forward_pre_hook([&](Module&, const Tensors& inputs) {
    order += "b";
    CHECK(relative_error(inputs[0], x * 2) == 0);
  });
  const int post =
      layer.register_forward_hook([&](Module&, const Tensors& inputs, const Tensor& output) {
        order += "c";
        CHECK(relative_error(inputs[0], x * 2) == 0);
        return output + 1;
      });
  CHECK(relative_error(layer(x), linear(x * 2, layer.weight, layer.bias) + 1) == 0);
  CHECK(order == "abc");
  CHECK(relative_error(static_cast<Module&>(layer).call(x), layer(x)) == 0);

  layer.remove_hook(pre);
  layer.remove_hook(post);
  layer.remove_hook(99);
  order.clear();
  layer.remove_hook(
      layer.register_forward_pre_hook([&](Module&, const Tensors&) { order += "x"; }));
  layer.register_forward_pre_hook([&](Module&, const Tensors&) { return Tensors{}; });
  order.clear();
  CHECK(relative_error(layer(x * 2), linear(x * 2, layer.weight, layer.bias)) == 0);
  CHECK(order == "b");
  CHECK(relative_error(linear(x, layer.weight, layer.bias), y) == 0);
}

TEST_CASE("a hook may remove itself while it runs") {
  nn::Identity layer;
  int calls = 0, id = -1;
  id = layer.register_forward_hook([&](Module& module, const Tensors&, const Tensor&) {
    ++calls;
    module.remove_hook(id);
  });
  layer(scalar(1));
  layer(scalar(1));
  CHECK(calls == 1);
}

TEST_CASE("backward hooks see only the gradients of this call, and may replace them") {
  nn::Linear layer(3, 2);
  layer.to(f64);
  const Tensor x = variable({4, 3}), dy = randn({4, 2}, f64), dx = randn({4, 3}, f64);
  const auto walk = [&] {
    x.set_grad({});
    layer.zero_grad();
    const Tensor y = layer(x);
    // x and y are used elsewhere as well.
    (sum(y * dy) + sum(y * dy) + sum(x * dx)).backward();
  };
  walk();
  const Tensor plain = x.grad(), weight_grad = layer.weight.grad();

  int calls = 0;
  layer.register_full_backward_hook(
      [&](Module& module, const Tensors& grad_inputs, const Tensor& grad_output) {
        ++calls;
        CHECK(&module == &layer);
        CHECK(grad_inputs.size() == 1);
        CHECK(relative_error(grad_inputs[0], matmul(dy * 2, layer.weight)) < 1e-14);
        CHECK(relative_error(grad_output, dy * 2) == 0);
      });
  walk();
  CHECK(calls == 1);
  CHECK(relative_error(x.grad(), plain) < 1e-15);
  CHECK(relative_error(layer.weight.grad(), weight_grad) == 0);

  layer.register_full_backward_hook(
      [&](Module&, const Tensors& grads, const Tensor&) { return Tensors{grads[0] * 10}; });
  walk();
  CHECK(relative_error(x.grad(), matmul(dy * 20, layer.weight) + dx) < 1e-14);
  CHECK(relative_error(layer.weight.grad(), weight_grad) == 0);
  CHECK(calls == 2);
}

TEST_CASE("backward hooks wait for the gradients of all inputs; inputs without one are undefined") {
  nn::Bilinear layer(3, 2, 4);
  layer.to(f64);
  const Tensor a = variable({5, 3}), b = variable({5, 2});
  Tensors seen;
  int calls = 0;
  layer.register_full_backward_hook([&](Module&, const Tensors& grads, const Tensor& dy) {
    ++calls;
    seen = grads;
    CHECK(dy.shape() == Shape{5, 4});
  });
  sum(layer(a, b)).backward();
  CHECK(calls == 1);
  CHECK(relative_error(seen.at(0), a.grad()) == 0);
  CHECK(relative_error(seen.at(1), b.grad()) == 0);

  sum(layer(a.detach(), b)).backward();
  CHECK(calls == 2);
  CHECK_FALSE(seen.at(0).defined());
  CHECK(seen.at(1).defined());
  // None of the inputs requires a gradient: the hook still runs.
  sum(layer(a.detach(), b.detach())).backward();
  CHECK(calls == 3);
  CHECK_FALSE(seen.at(1).defined());
  // No graph, no walk.
  const NoGrad guard;
  CHECK_FALSE(layer(a, b).requires_grad());
  CHECK(calls == 3);
}

TEST_CASE("an input that forward does not use gets no gradient; other arguments pass through") {
  First layer;
  Tensors seen;
  layer.register_full_backward_hook(
      [&](Module&, const Tensors& grads, const Tensor&) { seen = grads; });
  const Tensor a = variable({2}), b = variable({2});
  int calls = 0;
  sum(layer(a, b, calls)).backward();
  CHECK(calls == 1);
  CHECK(relative_error(seen.at(0), full({2}, 3.0, f64)) == 0);
  CHECK_FALSE(seen.at(1).defined());
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("multi-head attention has one input with itself, three across") {
  nn::MultiheadAttention layer(4, 2);
  layer.to(f64);
  const Tensor x = variable({3, 2, 4}), memory = variable({5, 2, 4}), dy = randn({3, 2, 4}, f64);
  const Tensor self = layer(x, {.is_causal = true}), cross = layer(x, memory, memory);
  sum(cross * dy).backward();
  const Tensor dx = clone(x.grad()), dmemory = clone(memory.grad());
  memory.set_grad({});

  std::vector<size_t> forward, backward;
  layer.register_forward_hook(
      [&](Module&, const Tensors& inputs, const Tensor&) { forward.push_back(inputs.size()); });
  layer.register_full_backward_hook(
      [&](Module&, const Tensors& grads, const Tensor&) { backward.push_back(grads.size()); });
  sum(layer(x, {.is_causal = true}) * dy).backward();
  CHECK(relative_error(layer(x, {.is_causal = true}), self) == 0);
  x.set_grad({});
  const Tensor again = layer(x, memory, memory);
  CHECK(relative_error(again, cross) < 1e-14);
  sum(again * dy).backward();
  CHECK(relative_error(x.grad(), dx) < 1e-14);
  CHECK(relative_error(memory.grad(), dmemory) < 1e-14);
  CHECK(forward == std::vector<size_t>{1, 1, 3});
  CHECK(backward == std::vector<size_t>{1, 3});
}

TEST_CASE("gradients of gradients flow through hooks, and each walk calls them") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 3).add<nn::Tanh>().add<nn::Linear>(3, 2);
  net.to(f64);
  const Tensor x = variable({4, 3}), dy = randn({4, 2}, f64);
  const auto penalty = [&] {
    const Tensor dx = grad({sum(net(x) * dy)}, {x}, {}, false, /*create_graph=*/true)[0];
    return grad({sum(dx * dx)}, {x})[0];
  };
  const Tensor expected = penalty();
  int calls = 0;
  net.apply([&](Module& module) {
    module.register_full_backward_hook([&](Module&, const Tensors&, const Tensor&) { ++calls; });
  });
  CHECK(relative_error(penalty(), expected) < 1e-14);
  CHECK(calls == 5);  // four modules; the second walk only passes the output of the first layer

  calls = 0;
  const Tensor y = sum(net(x) * dy);
  y.backward({}, /*retain_graph=*/true);
  const Tensor once = clone(x.grad());
  y.backward();
  CHECK(calls == 8);
  CHECK(relative_error(x.grad(), once * 2) < 1e-15);
}

TEST_CASE("a graph may live longer than the module whose hooks are in it") {
  const Tensor x = variable({2, 3});
  int calls = 0;
  Tensor y;
  {
    nn::Linear layer(3, 2);
    layer.to(f64);
    layer.register_full_backward_hook([&](Module&, const Tensors&, const Tensor&) { ++calls; });
    y = sum(layer(x));
  }
  y.backward();
  CHECK(calls == 0);
  CHECK(x.grad().defined());
}

TEST_CASE("hooks that return invalid values are named with their module") {
  nn::Sequential net;
  net.add_named<nn::Identity>("part");
  const Tensor x = variable({2, 3});
  const auto message = [&](auto add) {
    const int id = add(net[0]);
    const std::string text = error_of([&] { sum(net(x)).backward(); });
    net[0].remove_hook(id);
    return text;
  };
  CHECK(message([](Module& m) {
          return m.register_forward_pre_hook([](Module&, const Tensors& in) {
            return Tensors{in[0], in[0]};
          });
        }) ==
        "[register_forward_pre_hook] a hook of Identity returned 2 tensors for 1 inputs: "
        "return one for each, or none at all (in part)");
  const auto backward = [](auto hook) {
    return [=](Module& m) { return m.register_full_backward_hook(hook); };
  };
  CHECK(message(backward([](Module&, const Tensors& in, const Tensor&) {
          return Tensors{in[0], in[0]};
        })) ==
        "[register_full_backward_hook] a hook of Identity returned 2 gradients for 1 "
        "inputs: return one for each, or none at all");
  CHECK(message(backward([](Module&, const Tensors&, const Tensor&) {
          return Tensors{zeros({3, 3}, f64)};
        })) ==
        "[register_full_backward_hook] a hook of Identity returned a gradient of shape "
        "(3, 3) and dtype f64 for input 0, expected (2, 3) and f64");
  CHECK(message(backward([](Module&, const Tensors&, const Tensor&) {})) == "no error");

  First first;
  first.register_full_backward_hook([](Module&, const Tensors& grads, const Tensor&) {
    return Tensors{grads[0], grads[0]};
  });
  int calls = 0;
  CHECK(error_of([&] { sum(first(x, x, calls)).backward(); }) ==
        "[register_full_backward_hook] a hook of First returned a gradient for input 1, which gets "
        "none");

  Twins twins;
  twins.register_forward_hook([](Module&, const Tensors&, const Tensor&) {});
  CHECK(error_of([&] { twins(x); }) ==
        "[hook] Twins has hooks, but hooks are for layers that return one tensor");
}

TEST_CASE("apply reaches children before their parents") {
  nn::Sequential net;
  net.add_named<nn::Sequential>("a").add_named<nn::Tanh>("b");
  dynamic_cast<nn::Sequential&>(net[0]).add_named<nn::Linear>("c", 2, 2);
  std::string order;
  net.apply([&](Module& module) { order += module.name() + "/"; });
  CHECK(order == "c/a/b//");
}

}  // namespace
}  // namespace tarsier
