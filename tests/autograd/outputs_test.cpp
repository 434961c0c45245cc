// Ops with several outputs: split, chunk, unbind, and what record_outputs() promises.
#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/check/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/tape/node.h"
#include "autograd/tensor/memory.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;
using Tensors = std::vector<Tensor>;

/// Counts the nodes of that name in the graph of x.
int count_nodes(const Tensor& x, const std::string& name) {
  std::vector<const Node*> seen, stack = {x.impl()->node.get()};
  int count = 0;
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (!node || std::find(seen.begin(), seen.end(), node) != seen.end()) continue;
    seen.push_back(node);
    count += name == node->name && node->outputs > 0;
    for (const Node::Edge& edge : node->inputs) stack.push_back(edge.node.get());
  }
  return count;
}

TEST_CASE("split: the gradients of all parts come back in one buffer, by one node") {
  const Tensor x = reshape(arange(6, f64), {2, 3}).requires_grad_();
  const Tensors parts = split(x, {1, 2}, 1);
  CHECK(parts[0].grad_fn() == "split");
  CHECK(parts[1].impl()->storage == x.impl()->storage);
  const Tensor y = sum(parts[0] * 2) + sum(parts[1] * 3);
  CHECK(count_nodes(y, "split") == 1);
  y.backward();
  CHECK(x.grad().to_vector() == Numbers{2, 3, 3, 2, 3, 3});
}

TEST_CASE("split: backward fills one buffer, however many parts there are") {
  const int64_t rows = 64, columns = 1024;
  const Tensor x = zeros({rows, columns}).requires_grad_();
  const auto peak_of = [&](int64_t parts) {
    Tensor y;
    for (const Tensor& part : chunk(x, parts)) y = y.defined() ? y + part : part;
    const Tensor dy = ones_like(y);
    reset_peak_memory();
    const int64_t before = memory_stats().peak_bytes;
    grad({y}, {x}, {dy});
    return memory_stats().peak_bytes - before;
  };
  // dx itself and no more than one or two parts next to it. With zeros for each part it was more
  // than twice as much.
  CHECK(peak_of(8) < rows * columns * int64_t{6});  // 1.5 times its bytes
}

TEST_CASE("split: an unused part gets zeros; if none is used, there is no gradient") {
  const Tensor x = arange(5, f64).requires_grad_();
  const Tensors parts = chunk(x, 3);
  CHECK(parts[2].shape() == Shape{1});
  sum(parts[1] * parts[1]).backward();
  CHECK(x.grad().to_vector() == Numbers{0, 0, 4, 6, 0});
  CHECK(grad({sum(x)}, {x})[0].to_vector() == Numbers(5, 1));
}

TEST_CASE("unbind: equals select(), negative dimensions, empty dimensions") {
  const Tensor x = reshape(arange(6, f64), {2, 3}).requires_grad_();
  const Tensors columns = unbind(x, -1);
  REQUIRE(columns.size() == 3);
  CHECK(columns[2].to_vector() == Numbers{2, 5});
  CHECK(columns[2].grad_fn() == "unbind");
  sum(columns[0] * 2 + columns[2]).backward();
  CHECK(x.grad().to_vector() == Numbers{2, 0, 1, 2, 0, 1});
  CHECK(unbind(zeros({0, 3})).empty());
  CHECK(unbind(zeros({3, 0}))[2].shape() == Shape{0});
  CHECK(unbind(arange(3))[1].item() == 1);
  check_error("[unbind] dimension 2 of a tensor with 2 dimensions", [&] { unbind(x, 2); });
}

TEST_CASE("outputs: hooks, retained gradients and grad() handle every output separately") {
  const Tensor x = arange(4, f64).requires_grad_();
  const Tensors parts = split(x, 2);
  parts[0].retain_grad();
  int seen = 0;
  parts[1].register_hook([&](const Tensor& dy) {
    ++seen;
    return dy * 10;
  });
  const Tensor y = sum(parts[0] * 2 + parts[1] * 3 + parts[1]);
  const Tensors grads = grad({y}, {parts[1], parts[0]}, {}, true);
  CHECK(grads[0].to_vector() == Numbers{40, 40});
  CHECK(grads[1].to_vector() == Numbers{2, 2});
  y.backward();
  CHECK(seen == 2);
  CHECK(parts[0].grad().to_vector() == Numbers{2, 2});
  CHECK(x.grad().to_vector() == Numbers{2, 2, 40, 40});
  check_error("was already walked and freed", [&] { y.backward(); });
}

TEST_CASE("outputs: second derivatives through all of them") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, f64).requires_grad_();
  const auto f = [](const auto& in) {
    const Tensors a = split(in[0], {1, 2}, 1), rows = unbind(square(in[0]));
    return sum(a[0] * a[1]) + sum(rows[0] * rows[1]);
  };
  gradcheck(f, {x}, {.second_order = true});
}

/// y₁ = x + 1, y₂ = x².
Tensors both(const Arg& x) {
  Tensor y1, y2;
  {
    const NoGrad guard;
    y1 = x + 1;
    y2 = x * x;
  }
  return record_outputs("both", {x}, {y1, y2}, Save{x},
                        [](const Saved& saved, const Grads& dys) -> Grads {
                          Tensor dx = zeros_like(saved[0]);
                          if (dys[0].defined()) dx = dx + dys[0];
                          if (dys[1].defined()) dx = dx + dys[1] * 2 * saved[0];
                          return {dx};
                        });
}

TEST_CASE("outputs: a user's op") {
  const Tensor x = tensor({1, 2, 3}, f64).requires_grad_();
  const auto f = [](const auto& in) {
    const Tensors y = both(in[0]);
    return y[0] * y[1];
  };
  gradcheck(f, {x}, {.second_order = true});
  CHECK(grad({sum(both(x)[0])}, {x})[0].to_vector() == Numbers{1, 1, 1});
  // A later in-place change is an error, as for any op.
  const Tensors y = both(x);
  {
    const NoGrad guard;
    add_(x, 1);
  }
  check_error("[both] a tensor of shape (3,)", [&] { sum(y[1]).backward(); });
  {
    const NoGrad guard;
    CHECK(both(x)[1].is_leaf());
  }
}

TEST_CASE("outputs: saving one is an error, because it would own itself") {
  const Tensor x = tensor({1, 2}, f64).requires_grad_();
  check_error("an output cannot be saved", [&] {
    const Tensor y = x.detach() + 1;
    record_outputs("kept", {x}, {y}, Save{y},
                   [](const Saved&, const Grads& dys) -> Grads { return {dys[0]}; });
  });
}

}  // namespace
}  // namespace tarsier
