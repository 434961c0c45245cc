// layer_norm and rms_norm: known values, extreme inputs, threads, higher derivatives.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "autograd/autograd.h"
#include "autograd/ops/norm/channels.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;
using Op = std::function<Tensor(const Tensors&)>;

Tensors leaves(DType dtype, uint64_t seed, int64_t rows, int64_t n) {
  Generator generator(seed);
  Tensors in = {randn({rows, n}, dtype, generator), randn({n}, dtype, generator),
                randn({n}, dtype, generator)};
  for (Tensor& x : in) x.requires_grad_();
  return in;
}

/// The first and second derivatives of f, in random directions.
Tensors derivatives(const Op& f, const Tensors& in) {
  Generator generator(9);
  const Tensor y = f(in);
  Tensors first = grad({y}, in, {randn(y.shape(), f64, generator)}, false, true, true);
  Tensors used, directions;
  for (const Tensor& d : first)
    if (d.defined() && d.requires_grad()) {  // that of the bias is constant
      used.push_back(d);
      directions.push_back(randn(d.shape(), f64, generator));
    }
  for (Tensor& d : grad(used, in, directions, false, false, true)) first.push_back(d);
  return first;
}

void check_same(const Tensors& a, const Tensors& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    // An input that a reference form ignores has no gradient there; the fused form may give zeros.
    if (a[i].defined() && b[i].defined())
      CHECK(allclose(a[i], b[i], 1e-9, 1e-11));
    else if (a[i].defined())
      CHECK(max(abs(a[i])).item() == 0);
    else if (b[i].defined())
      CHECK(max(abs(b[i])).item() == 0);
  }
}

TEST_CASE("layer_norm and rms_norm of known rows") {
  const Tensor x = tensor({{1, 3}, {-2, 2}}, f64), w = tensor({2, 10}, f64),
               b = tensor({1, 0}, f64);
  CHECK(layer_norm(x, {}, {}, 0).to_vector() == Values{-1, 1, -1, 1});
  CHECK(layer_norm(x, w, b, 0).to_vector() == Values{-1, 10, -1, 10});
  CHECK(rms_norm(x, w, 0).to_vector()[2] == doctest::Approx(-2));
  CHECK(rms_norm(x, {}, 0).to_vector()[1] == doctest::Approx(3 / std::sqrt(5.0)));
  // Population variance and eps under the root: (3 − 2) / √(1 + 3).
  CHECK(layer_norm(x, {}, {}, 3).to_vector()[1] == 0.5);
}

TEST_CASE("the second derivatives of the fused norms are those of the reference forms") {
  const Tensors in = leaves(f64, 1, 4, 7);
  check_same(derivatives([](const auto& t) { return layer_norm(t[0], t[1], t[2]); }, in),
             derivatives([](const auto& t) { return layer_norm_reference(t[0], t[1], t[2]); }, in));
  check_same(derivatives([](const auto& t) { return layer_norm(t[0]); }, {in[0]}),
             derivatives([](const auto& t) { return layer_norm_reference(t[0]); }, {in[0]}));
  const Tensors two = {in[0], in[1]};
  check_same(derivatives([](const auto& t) { return rms_norm(t[0], t[1]); }, two),
             derivatives([](const auto& t) { return rms_norm_reference(t[0], t[1]); }, two));
}

TEST_CASE("norms of tiny, huge and constant rows, and their gradients, stay finite") {
  for (double scale : {0.0, 1e-30, 1e-15, 1e-3, 1e6, 1e15}) {
    Tensor x = to(tensor({{scale, -scale, 2 * scale, 0}}, f64), f32);
    x.requires_grad_();
    for (const Tensor& y : {layer_norm(x), rms_norm(x)}) {
      y.backward(tensor({{1, 2, 3, 5}}));
      CAPTURE(scale);
      CHECK(all(isfinite(y)).item<bool>());
      CHECK(all(isfinite(x.grad())).item<bool>());
    }
  }
  // The variance of 1e6 ± 0.5 survives, because the mean is subtracted first.
  const Tensor far = to(tensor({{1e6 + 0.5, 1e6 - 0.5}}, f64), f32);
  CHECK(layer_norm(far, {}, {}, 0).to_vector() == Values{1, -1});
}

TEST_CASE("norms take views and any number of leading dimensions") {
  Generator generator(2);
  const Tensor x = randn({3, 4, 5}, f64, generator), w = randn({10}, f64, generator);
  const Tensor half = slice(w, 0, 0, {}, 2);
  for (const Tensor& view : {x, permute(randn({5, 3, 4}, f64, generator), {1, 2, 0}),
                             slice(randn({3, 4, 10}, f64, generator), 2, 0, {}, 2)}) {
    CHECK(allclose(layer_norm(view, half, half), layer_norm_reference(view, half, half), 1e-12,
                   1e-13));
    CHECK(allclose(rms_norm(view, half), rms_norm_reference(view, half), 1e-12, 1e-13));
  }
  CHECK(layer_norm(select(select(x, 0, 0), 0, 0)).shape() == Shape{5});
  CHECK(layer_norm(zeros({0, 5})).shape() == Shape{0, 5});
}

TEST_CASE("errors of the norms") {
  const Tensor x = zeros({2, 3});
  CHECK_THROWS_WITH_AS(
      layer_norm(x, ones({2})),
      doctest::Contains(
          "[layer_norm] weight of shape (2,) for an input of shape (2, 3): it must be (3,)"),
      Error);
  CHECK_THROWS_WITH_AS(layer_norm(x, {}, ones({3}, f64)),
                       doctest::Contains("[layer_norm] bias is f64, but the input is f32"), Error);
  CHECK_THROWS_WITH_AS(
      rms_norm(zeros({3}, i64)),
      doctest::Contains("[rms_norm] dtype i64 where f32 or f64 is needed: convert with to(x, f32)"),
      Error);
  CHECK_THROWS_WITH_AS(
      rms_norm(scalar(1)),
      doctest::Contains("[rms_norm] a scalar has no last dimension to normalise over"), Error);
}

TEST_CASE("norms and their gradients have the same bits on any number of threads") {
  Threads restore;
  Generator generator(3);
  const Tensor dy = randn({3001, 37}, f32, generator);
  std::vector<Values> results;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    Values all;
    for (bool centred : {false, true}) {
      const Tensors in = leaves(f32, 4, 3001, 37);
      const Tensor y = centred ? layer_norm(in[0], in[1], in[2]) : rms_norm(in[0], in[1]);
      y.backward(dy);
      for (const Tensor& t : {y, in[0].grad(), in[1].grad()})
        for (double v : t.to_vector()) all.push_back(v);
    }
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

/// As derivatives(), with a graph of the first ones, which takes the formula of ops instead.
Tensors recorded_derivatives(const Op& f, const Tensors& in) {
  Generator generator(9);
  const Tensor y = f(in);
  return grad({y}, in, {randn(y.shape(), f64, generator)}, false, true, true);
}

TEST_CASE("a factor and a summand for each channel: as of ops, for any strides") {
  Generator generator(5);
  const Tensor weight = randn({3}, f64, generator).requires_grad_(),
               bias = randn({3}, f64, generator).requires_grad_();
  const Tensor whole = randn({3, 2, 5, 20}, f64, generator);
  const Op fused = [](const Tensors& in) { return detail::channel_affine(in[0], in[1], in[2]); };
  const Op composed = [](const Tensors& in) {
    return in[0] * reshape(in[1], {3, 1, 1}) + reshape(in[2], {3, 1, 1});
  };
  for (const Tensor& view : {transpose(whole, 0, 1), permute(whole, {1, 0, 3, 2}),
                             slice(transpose(whole, 0, 1), 3, 0, {}, 2),
                             expand(slice(transpose(whole, 0, 1), 0, 0, 1), {4, 3, 5, 20})}) {
    const Tensor x = view.detach().requires_grad_();
    const Tensors in = {x, weight, bias};
    CHECK(allclose(fused(in), composed(in), 1e-13, 1e-13));
    const Tensor dy = randn(x.shape(), f64, generator);
    const Tensors got = grad({fused(in)}, in, {dy}), want = grad({composed(in)}, in, {dy});
    const Tensors recorded = recorded_derivatives(fused, in),
                  expected = recorded_derivatives(composed, in);
    for (size_t i = 0; i < 3; ++i) {
      CHECK(allclose(got[i], want[i], 1e-12, 1e-12));
      CHECK(allclose(recorded[i], expected[i], 1e-12, 1e-12));
    }
    const Tensors second = derivatives(fused, in), as_composed = derivatives(composed, in);
    REQUIRE(second.size() == as_composed.size());
    for (size_t i = 0; i < second.size(); ++i)
      if (second[i].defined()) CHECK(allclose(second[i], as_composed[i], 1e-12, 1e-12));
  }
}

TEST_CASE("a factor and a summand for each channel have the same bits on any number of threads") {
  const Threads restore;
  Generator generator(6);
  const Tensor x = randn({7, 30, 21, 20}, f32, generator).requires_grad_(),
               weight = randn({30}, f32, generator).requires_grad_(),
               bias = randn({30}, f32, generator).requires_grad_(),
               dy = randn(x.shape(), f32, generator);
  std::vector<Values> results;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor y = detail::channel_affine(x, weight, bias);
    Values all = y.to_vector();
    for (const Tensor& d : grad({y}, {x, weight, bias}, {dy}))
      for (double v : d.to_vector()) all.push_back(v);
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

}  // namespace
