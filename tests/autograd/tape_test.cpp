// The engine: recording, walking the graph, and the errors of misuse.
#include "autograd/tape/tape.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "autograd/tape/node.h"
#include "autograd/tape/partial_backward.h"
#include "tests/child.h"

using namespace tarsier;

namespace {
Tensor leaf(std::initializer_list<double> values) { return tensor(values, f64).requires_grad_(); }
}  // namespace

TEST_SUITE_BEGIN("tape");

TEST_CASE("gradients accumulate in leaves, over paths and over calls") {
  Tensor x = leaf({2, 3});
  Tensor y = sum(x * x + x);
  y.backward();
  CHECK(x.grad().to_vector() == std::vector<double>{5, 7});
  sum(x * 10).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{15, 17});
}

TEST_CASE("an accumulated gradient does not share memory") {
  // a + b hands the same dy to both; adding to one leaf's gradient must not change the other's.
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  Tensor upstream = tensor({1, 1}, f64);
  (a + b).backward(upstream);
  (a * 5).backward(upstream);
  CHECK(a.grad().to_vector() == std::vector<double>{6, 6});
  CHECK(b.grad().to_vector() == std::vector<double>{1, 1});
  CHECK(upstream.to_vector() == std::vector<double>{1, 1});
}

TEST_CASE("broadcast gradients are summed back to the input's shape") {
  Tensor row = leaf({1, 2, 3});
  Tensor column = reshape(tensor({10, 20}, f64), {2, 1}).requires_grad_();
  Tensor upstream = reshape(tensor({1, 2, 3, 4, 5, 6}, f64), {2, 3});
  (row * column).backward(upstream);
  CHECK(row.grad().to_vector() == std::vector<double>{90, 120, 150});
  CHECK(column.grad().shape() == Shape{2, 1});
  CHECK(column.grad().to_vector() == std::vector<double>{14, 32});
}

TEST_CASE("grad() leaves every grad() alone, reaches results, and finds what is unused") {
  Tensor x = leaf({2}), unused = leaf({1});
  Tensor y = x * x;
  Tensor z = y * y;
  const auto grads = grad({z}, {y, x}, {tensor({1}, f64)}, true);
  CHECK(grads[0].item() == 8);
  CHECK(grads[1].item() == 32);
  CHECK_FALSE(x.grad().defined());
  CHECK_THROWS_WITH_AS(grad({z}, {x, unused}), doctest::Contains("do not depend on input 1"),
                       Error);
  Tensor z2 = x * x;
  const auto some = grad({z2}, {x, unused}, {}, false, false, true);
  CHECK(some[0].item() == 4);
  CHECK_FALSE(some[1].defined());
  // The gradient of a leaf with respect to itself.
  CHECK(grad({x}, {x})[0].item() == 1);
}

TEST_CASE("create_graph differentiates to any order") {
  Tensor x = leaf({1.5});
  Tensor y = x * x * x * x;  // x⁴
  const double expected[] = {4 * 3.375, 12 * 2.25, 24 * 1.5, 24};
  for (double value : expected) {
    y = grad({y}, {x}, {}, false, true)[0];
    CHECK(y.item() == doctest::Approx(value));
  }
}

TEST_CASE("backward(create_graph) leaves differentiable gradients in leaves") {
  Tensor x = leaf({3});
  (x * x * x).backward({}, false, true);
  CHECK(x.grad().item() == 27);
  CHECK(grad({x.grad()}, {x})[0].item() == 18);
  x.set_grad({});
}

TEST_CASE("a gradient from create_graph does not share memory, and does not change") {
  Tensor a = leaf({2}), b = leaf({3});
  const Tensor upstream = tensor({1}, f64);
  (a + b).backward(upstream, false, true);
  (a + b).backward(upstream);
  CHECK(a.grad().item() == 2);
  CHECK(b.grad().item() == 2);
  CHECK(upstream.item() == 1);

  // A graph built on a recorded gradient can be walked after more was added to the leaf.
  a.set_grad({});
  (a * a * a).backward({}, true, true);
  const Tensor first = a.grad();
  const Tensor y = first * first;  // (3a²)²
  (a * 5).backward();
  CHECK(a.grad().item() == 17);
  CHECK(grad({y}, {a})[0].item() == 36 * 8);
}

TEST_CASE("a gradient that is set may be expanded") {
  Tensor x = leaf({1, 2});
  x.set_grad(expand(ones({1}, f64), {2}));
  sum(x).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{2, 2});
}

TEST_CASE("a freed graph is not walked again") {
  Tensor x = leaf({2});
  Tensor y = x * x;
  Tensor z = y * 3;
  z.backward({}, /*retain_graph=*/true);
  z.backward();
  CHECK(x.grad().item() == 24);
  CHECK_THROWS_WITH_AS(z.backward(), doctest::Contains("retain_graph"), Error);
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("tape_test.cpp"), Error);
  CHECK(x.grad().item() == 24);
}

TEST_CASE("an in-place change of what backward needs is an error that names both ops") {
  Tensor x = leaf({1, 2});
  Tensor factor = tensor({3, 4}, f64);
  Tensor y = x * factor;
  fill_(factor, 0);
  CHECK_THROWS_WITH_AS(sum(y).backward(), doctest::Contains("changed in place by 'fill_'"), Error);
  // Through a view of the same memory as well.
  Tensor other = tensor({3, 4}, f64);
  Tensor z = x * other;
  zero_(select(other, 0, 1));
  CHECK_THROWS_WITH_AS(sum(z).backward(), doctest::Contains("'mul'"), Error);
  // And the saved output.
  Tensor e = exp(x);
  {
    NoGrad guard;
    add_(e, 1.0);
  }
  CHECK_THROWS_WITH_AS(sum(e).backward(), doctest::Contains("'exp'"), Error);
}

TEST_CASE("tensors that record are not changed in place; weights are, under NoGrad") {
  Tensor w = leaf({1});
  CHECK_THROWS_WITH_AS(add_(w, 1.0), doctest::Contains("NoGrad"), Error);
  Tensor y = w * 2;
  CHECK_THROWS_AS(mul_(y, 2.0), Error);
  NoGrad guard;
  add_(w, 1.0);
  CHECK(w.item() == 2);
}

TEST_CASE("NoGrad and detach cut the graph") {
  Tensor x = leaf({2});
  {
    NoGrad guard;
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE((x * x).requires_grad());
  }
  CHECK(grad_enabled());
  Tensor y = x * x.detach();
  y.backward();
  CHECK(x.grad().item() == 2);
  CHECK(x.detach().data<double>() == x.data<double>());
  // The upstream of a walk without create_graph is not recorded.
  Tensor g = grad({x * x}, {x})[0];
  CHECK_FALSE(g.requires_grad());
}

TEST_CASE("hooks see and may replace gradients, once per walk") {
  Tensor x = leaf({1, 2});
  int calls = 0;
  Tensor y = x * 2;
  const int id = y.register_hook([&](const Tensor& dy) {
    ++calls;
    return dy * 10;
  });
  x.register_hook([&](const Tensor& dx) {
    ++calls;
    CHECK(dx.shape() == x.shape());
    return Tensor();
  });
  sum(y + y * y).backward({}, true);  // dy = 1 + 2y, dx = 2 · 10 · dy
  CHECK(calls == 2);
  CHECK(x.grad().to_vector() == std::vector<double>{100, 180});
  y.remove_hook(id);
  x.set_grad({});
  sum(y).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{2, 2});
  CHECK(calls == 3);
  CHECK_THROWS_AS(tensor({1}).register_hook([](const Tensor& g) { return g; }), Error);
}

TEST_CASE("the id of a removed hook never names another") {
  Tensor x = leaf({2});
  int calls = 0;
  const int first = x.register_hook([](const Tensor&) -> Tensor { return {}; });
  x.remove_hook(first);
  x.register_hook([&](const Tensor&) -> Tensor { return ++calls, Tensor(); });
  x.remove_hook(first);
  (x * 2).backward();
  CHECK(calls == 1);
}

TEST_CASE("retain_grad keeps the gradient of a result") {
  Tensor x = leaf({3});
  Tensor y = x * x;
  y.retain_grad();
  (y * 4).backward();
  CHECK(y.grad().item() == 4);
  CHECK(x.grad().item() == 24);
}

TEST_CASE("gradients that are not required are not computed") {
  Tensor a = leaf({1}), b = leaf({1});
  bool ran_for_b = false;
  Tensor y = record("probe", {a, b}, clone(a.detach()), Save{},
                    [&](const Saved& saved, const Tensor& dy) -> Grads {
                      ran_for_b = saved.needs(1);
                      return {dy, saved.needs(1) ? dy : Tensor()};
                    });
  grad({y}, {a}, {}, true);
  CHECK_FALSE(ran_for_b);
  y.backward();
  CHECK(ran_for_b);
}

TEST_CASE("a backward that returns invalid gradients is named") {
  Tensor x = leaf({1, 2});
  auto bad = [&](auto backward) {
    return record("bad_op", {x}, clone(x.detach()), Save{}, backward);
  };
  Tensor wrong_count = bad([](const Saved&, const Tensor&) -> Grads { return {}; });
  CHECK_THROWS_WITH_AS(sum(wrong_count).backward(), doctest::Contains("[bad_op]"), Error);
  Tensor wrong_shape = bad([](const Saved&, const Tensor&) -> Grads { return {zeros({3}, f64)}; });
  CHECK_THROWS_WITH_AS(sum(wrong_shape).backward(), doctest::Contains("(3,)"), Error);
  Tensor wrong_dtype = bad([](const Saved&, const Tensor&) -> Grads { return {zeros({2})}; });
  CHECK_THROWS_WITH_AS(sum(wrong_dtype).backward(), doctest::Contains("dtype f32"), Error);
}

TEST_CASE("a backward that leaves out a gradient that is needed is named, with the input") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const auto product = [&](auto backward, const char* name = "product") {
    return record(name, {a, b}, a.detach() * b.detach(), Save{a, b}, backward);
  };
  const auto first_alone = [](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * saved[1], {}};
  };
  CHECK_THROWS_WITH_AS(
      sum(product(first_alone)).backward(),
      doctest::Contains("[product] backward returned no gradient for input 1 of shape (2,)"),
      Error);
  // Named by its recorder, not by its own name.
  CHECK_THROWS_WITH_AS(sum(product(first_alone, "module_inputs")).backward(),
                       doctest::Contains("[module_inputs] backward returned no gradient"), Error);
  const Tensor excused = product(detail::PartialBackward{first_alone});
  const std::vector<Tensor> grads = grad({sum(excused)}, {a, b}, {}, false, false, true);
  CHECK(grads[0].to_vector() == std::vector<double>{3, 4});
  CHECK_FALSE(grads[1].defined());
  // If it is not needed, it may be missing.
  CHECK(grad({sum(product(first_alone))}, {a})[0].to_vector() == std::vector<double>{3, 4});
  const Tensor zero = product([](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * saved[1], zeros_like(saved[1])};
  });
  CHECK(grad({sum(zero)}, {b})[0].to_vector() == std::vector<double>{0, 0});
}

TEST_CASE("a backward that reads a missing saved tensor or input is named") {
  Tensor x = leaf({1, 2});
  const auto with = [&](auto backward) {
    return record("asks", {x}, clone(x.detach()), Save{x}, backward);
  };
  for (const int i : {1, -1, 7}) {
    const Tensor y =
        with([i](const Saved& saved, const Tensor& dy) -> Grads { return {dy * saved[i]}; });
    CHECK_THROWS_WITH_AS(sum(y).backward(),
                         doctest::Contains("[asks] the backward of 'asks' called"), Error);
    const Tensor z = with([i](const Saved& saved, const Tensor& dy) -> Grads {
      return {saved.needs(i) ? dy : Tensor()};
    });
    CHECK_THROWS_WITH_AS(sum(z).backward(), doctest::Contains("asks for saved.needs("), Error);
  }
  const Tensor y = with([](const Saved& saved, const Tensor& dy) -> Grads {
    return {saved.needs(0) ? dy * saved[0] : Tensor()};
  });
  CHECK(grad({sum(y)}, {x})[0].to_vector() == std::vector<double>{1, 2});
}

TEST_CASE("an exception in backward leaves the thread recording") {
  Tensor x = leaf({1});
  Tensor y = record("thrower", {x}, clone(x.detach()), Save{},
                    [](const Saved&, const Tensor&) -> Grads { throw Error("thrower", "no"); });
  CHECK_THROWS_AS(y.backward(), Error);
  CHECK(grad_enabled());
}

TEST_CASE("wrong uses of backward say what to do") {
  CHECK_THROWS_WITH_AS(tensor({1}).backward(), doctest::Contains("requires_grad_()"), Error);
  Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH_AS((x * 2).backward(), doctest::Contains("(2,)"), Error);
  CHECK_THROWS_WITH_AS((x * 2).backward(zeros({3}, f64)), doctest::Contains("(3,)"), Error);
  CHECK_THROWS_WITH_AS((x * 2).backward(zeros({2}, f32)), doctest::Contains("f32"), Error);
  CHECK_THROWS_AS((x * 2).requires_grad_(false), Error);
  CHECK_THROWS_AS(zeros({2}, i64).requires_grad_(), Error);
  CHECK_THROWS_WITH_AS(Tensor().shape(), doctest::Contains("undefined"), Error);
  CHECK_THROWS_AS(Tensor() + x, Error);
  CHECK_THROWS_WITH_AS(grad({x, Tensor()}, {x}), doctest::Contains("[grad] output 1 is an undef"),
                       Error);
}

TEST_CASE("nodes know the op, the module path and the source line") {
  Tensor x = leaf({1});
  Tensor y;
  {
    ModuleScope outer("decoder");
    ModuleScope inner("layers.1");
    y = tanh(x);
  }
  CHECK(y.grad_fn() == "tanh");
  CHECK(y.impl()->node->describe().find("tape_test.cpp") != std::string::npos);
  CHECK(y.impl()->node->describe().find("in decoder.layers.1") != std::string::npos);
  CHECK(module_path().empty());
}

TEST_CASE("anomaly mode names the first op that makes a NaN or an infinity") {
  Tensor x = leaf({0, 1});
  AnomalyMode guard;
  CHECK_THROWS_WITH_AS(log(x), doctest::Contains("'log' made a NaN or an infinity"), Error);
  Tensor y = sqrt(x);  // finite forward; its derivative at 0 is infinite
  CHECK_THROWS_WITH_AS(sum(y).backward(), doctest::Contains("the backward of 'sqrt'"), Error);
}

TEST_CASE("an input that the reference form does not use has a gradient of zeros") {
  const Tensor x = leaf({2, 3}), unused = leaf({4, 5, 6});
  const Tensor y = record("half_used", {x, unused}, square(x.detach()), Save{x, unused},
                          [](const Saved& saved, const Tensor& dy) -> Grads {
                            return reference_grads({saved[0], saved[1]}, dy,
                                                   [](const auto& in) { return square(in[0]); });
                          });
  const auto grads = grad({sum(y)}, {x, unused}, {}, true, /*create_graph=*/true);
  CHECK(grads[0].to_vector() == std::vector<double>{4, 6});
  CHECK(grads[1].to_vector() == std::vector<double>{0, 0, 0});
}

TEST_CASE("saved memory is freed during the walk") {
  const int64_t before = memory_stats().current_bytes;
  Tensor x = rand({1024}, f64).requires_grad_();
  Tensor y = x;
  for (int i = 0; i < 50; ++i) y = exp(y * 0.1);
  const int64_t held = memory_stats().current_bytes - before;
  CHECK(held > 50 * 8 * 1024);
  sum(y).backward();
  CHECK(memory_stats().current_bytes - before < 6 * 8 * 1024);
}

TEST_CASE("a million chained ops: forward, backward, destruction") {
  // A tenth is more than a stack holds of the larger frames of sanitizers, which take a hundred
  // times as long for each block of memory.
  const int length = kSanitized ? 100'000 : 1'000'000;
  const int64_t before = memory_stats().current_bytes;
  {
    Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < length; ++i) y = y + x;
    y.backward();
    CHECK(x.grad().item() == length + 1);
    // And one that is dropped without being walked, with saved tensors in the chain.
    Tensor z = x;
    for (int i = 0; i < length; ++i) z = z * x;
    CHECK(z.item() == 1);
  }
  CHECK(memory_stats().current_bytes == before);
}

TEST_SUITE_END();
