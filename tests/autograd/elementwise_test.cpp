// Elementwise ops: what the registry of ops (tests/ops) does not cover.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "tests/error_of.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

/// Equal numbers; NaN equals NaN.
bool same(const Tensor& x, const Values& want) {
  const Values got = x.to_vector();
  if (got.size() != want.size()) return false;
  for (size_t i = 0; i < got.size(); ++i)
    if (got[i] != want[i] && !(std::isnan(got[i]) && std::isnan(want[i]))) return false;
  return true;
}

/// dy/dx for dy = 1.
Tensor slope(Tensor x, const std::function<Tensor(const Tensor&)>& f) {
  x.requires_grad_();
  sum(f(x)).backward();
  return x.grad();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("gradients at kinks are PyTorch's") {
  CHECK(same(slope(tensor({-1, 0, 2}), [](auto x) { return abs(x); }), {-1, 0, 1}));
  CHECK(same(slope(tensor({-1, 0, 2}), [](auto x) { return relu(x); }), {0, 0, 1}));
  CHECK(
      same(slope(tensor({-1, 0, 2}), [](auto x) { return leaky_relu(x, 0.25); }), {0.25, 0.25, 1}));
  CHECK(same(slope(tensor({-1, 0, 1, 2}), [](auto x) { return clamp(x, 0, 1); }), {0, 0, 0, 0}));
  CHECK(
      same(slope(tensor({-1, 0, 1}), [](auto x) { return maximum(x, zeros({3})); }), {0, 0.5, 1}));
  CHECK(
      same(slope(tensor({-1, 0, 1}), [](auto x) { return minimum(x, zeros({3})); }), {1, 0.5, 0}));
  CHECK(same(slope(tensor({-1, 3}), [](auto x) { return sign(x); }), {0, 0}));
}

TEST_CASE("pow at its edges: values and gradients") {
  CHECK(same(pow(tensor({0, -2, kNan, 4}), 0), {1, 1, 1, 1}));
  CHECK(same(pow(tensor({0, -2, 4}), 2), {0, 4, 16}));
  CHECK(same(pow(tensor({0, -2, 4}), 3), {0, -8, 64}));
  CHECK(same(pow(tensor({0, -2, 4}), -1), {kInf, -0.5, 0.25}));
  CHECK(same(pow(tensor({0, -2, 4}), 0.5), {0, kNan, 2}));
  CHECK(same(pow(tensor({-2, -2, 0}), tensor({3, 0.5, 0})), {-8, kNan, 1}));
  CHECK(same(slope(tensor({0, 2}), [](auto x) { return pow(x, 0); }), {0, 0}));
  CHECK(same(slope(tensor({0, 2}), [](auto x) { return pow(x, 1); }), {1, 1}));
  CHECK(same(slope(tensor({0, 2}), [](auto x) { return pow(x, 2); }), {0, 4}));
  const Tensor zero_exponent = tensor({0, 0});
  CHECK(same(slope(tensor({0, 2}), [&](auto x) { return pow(x, zero_exponent); }), {0, 0}));
  const Tensor zeros_of = zeros({4}), odd = tensor({0, kInf, -kInf, kNan});
  CHECK(same(slope(odd, [&](auto x) { return pow(x, zeros_of); }), {0, 0, 0, 0}));
  const Tensor base = tensor({0, 1});
  CHECK(same(slope(tensor({2, 5}), [&](auto p) { return pow(base, p); }), {0, 0}));
  CHECK(same(slope(tensor({-1, 0}), [&](auto p) { return pow(zeros({2}), p); }), {-kInf, 0}));
}

TEST_CASE("pow: the mixed second derivative at exponent 0 is 1/x") {
  Tensor x = tensor({2, 5}, f64).requires_grad_(), p = zeros({2}, f64).requires_grad_();
  const Tensor dx = grad({pow(x, p)}, {x}, {ones({2}, f64)}, true, true)[0];
  CHECK(allclose(grad({dx}, {p}, {ones({2}, f64)})[0], tensor({0.5, 0.2}, f64)));
}

TEST_CASE("NaN propagates, and compares unequal to everything") {
  const Tensor x = tensor({kNan, 1});
  for (const Tensor& y : {relu(x), clamp(x, 0, 2), maximum(x, zeros({2})), minimum(x, zeros({2})),
                          gelu(x), gelu(x, "tanh"), silu(x), softplus(x), elu(x), leaky_relu(x)})
    CHECK(std::isnan(y.to_vector()[0]));
  CHECK(same(x == x, {0, 1}));
  CHECK(same(x != x, {1, 0}));
  CHECK(same(x < 2, {0, 1}));
  CHECK(same(isnan(x), {1, 0}));
  CHECK(same(isfinite(tensor({kNan, kInf, -kInf, 3})), {0, 0, 0, 1}));
  CHECK(same(isfinite(arange(2)), {1, 1}));
  CHECK(same(isnan(arange(2)), {0, 0}));
}

TEST_CASE("where and masked_fill keep infinities of the other side out of values and gradients") {
  const Tensor mask = tensor({1, 0}, boolean);
  CHECK(same(where(mask, tensor({1, kInf}), tensor({kNan, 2})), {1, 2}));
  CHECK(same(masked_fill(tensor({kNan, 2}), mask, -kInf), {-kInf, 2}));
  const Tensor dx = slope(tensor({1, 2}), [&](auto x) { return where(mask, x, -kInf) * 3; });
  CHECK(same(dx, {3, 0}));
  CHECK(where(mask, arange(2), arange(2)).dtype() == i64);
}

TEST_CASE("softplus: threshold and beta") {
  CHECK(softplus(tensor({100}, f64)).item() == 100);
  CHECK(softplus(tensor({21}, f64)).item() == 21);  // above the threshold: x itself, as in PyTorch
  CHECK(softplus(tensor({19}, f64)).item() > 19);
  CHECK(softplus(tensor({1}, f64), 2).item() == doctest::Approx(std::log1p(std::exp(2.0)) / 2));
  CHECK(softplus(tensor({3}, f64), 2, 5).item() == 3);
  CHECK(same(slope(tensor({3}, f64), [](auto x) { return softplus(x, 2, 5); }), {1}));
}

TEST_CASE("elu: the gradient is finite where the unused exponential overflows") {
  const Tensor dx = slope(tensor({1000, -1000}), [](auto x) { return elu(x, 2); });
  CHECK(same(dx, {1, 0}));
}

TEST_CASE("lerp reaches both ends exactly") {
  const Tensor a = tensor({0.1, 1e8}), b = tensor({0.3, -3});
  CHECK(same(lerp(a, b, 0), a.to_vector()));
  CHECK(same(lerp(a, b, 1), b.to_vector()));
}

TEST_CASE("i64 arithmetic") {
  const Tensor a = arange(4), b = tensor({3, -1, 2, 2}, i64);
  CHECK(same(a + b, {3, 0, 4, 5}));
  CHECK(same(a - b, {-3, 2, 0, 1}));
  CHECK(same(a * b, {0, -1, 4, 6}));
  CHECK(same(10 - a, {10, 9, 8, 7}));
  CHECK(same(-b, {-3, 1, -2, -2}));
  CHECK(same(abs(b), {3, 1, 2, 2}));
  CHECK(same(sign(b), {1, -1, 1, 1}));
  CHECK(same(clamp(b, 0, 2), {2, 0, 2, 2}));
  CHECK(same(minimum(a, b), {0, -1, 2, 2}));
  CHECK(same(maximum(a, b), {3, 1, 2, 3}));
  CHECK((a + b).dtype() == i64);
  const Tensor large = full({1}, 0x1p62, i64);
  CHECK((large + large).item<int64_t>() == std::numeric_limits<int64_t>::min());  // wraps
}

TEST_CASE("errors of dtypes and shapes say what was wrong") {
  const Tensor x = ones({2, 3}), n = arange(3), mask = tensor({1, 0, 1}, boolean);
  CHECK(error_of([&] { x + n; }) ==
        "[add] dtypes f32 and i64 differ: convert one of them with to(x, f32)");
  CHECK(contains(error_of([&] { x* ones({3}, f64); }), "[mul] dtypes f32 and f64"));
  CHECK(
      contains(error_of([&] { x + ones({2}); }), "[add] shapes (2, 3) and (2,) do not broadcast"));
  CHECK(contains(error_of([&] { n / n; }), "[div] dtype i64"));
  CHECK(contains(error_of([&] { n + 0.5; }), "[add] number 0.5"));
  CHECK(contains(error_of([&] { n + kNan; }), "[add] number nan"));
  CHECK(contains(error_of([&] { return n == 1e300; }), "[eq] number 1e+300"));
  CHECK(contains(error_of([&] { exp(n); }), "[exp] dtype i64"));
  CHECK(contains(error_of([&] { tanh(mask); }), "[tanh] dtype bool"));
  CHECK(contains(error_of([&] { mask + mask; }), "[add] dtype bool"));
  CHECK(contains(error_of([&] { x&& x; }), "[logical_and] dtype f32"));
  CHECK(contains(error_of([&] { !n; }), "[logical_not] dtype i64"));
  CHECK(contains(error_of([&] { where(n, x, x); }), "[where] the condition is i64"));
  CHECK(contains(error_of([&] { where(mask, x, n); }), "[where] dtypes f32 and i64"));
  CHECK(contains(error_of([&] { clamp(x, std::nullopt, std::nullopt); }),
                 "[clamp] neither low nor high"));
  CHECK(contains(error_of([&] { gelu(x, "quick"); }), "[gelu] approximate is 'quick'"));
  CHECK(contains(error_of([&] { allclose(x, n); }), "[allclose] shapes"));
  CHECK(contains(error_of([&] { x + Tensor(); }), "undefined tensor"));
}

TEST_CASE("broadcasting over views: any strides, sizes of one, empty tensors") {
  const Tensor a = reshape(arange(24, f64), {2, 3, 4});
  const Tensor t = permute(a, {2, 0, 1});  // (4, 2, 3)
  const Tensor b = reshape(tensor({1, 2}, f64), {2, 1});
  const Tensor y = t + 100 * b;
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 2; ++j)
      for (int64_t k = 0; k < 3; ++k)
        CHECK(select(select(select(y, 0, i), 0, j), 0, k).item() ==
              static_cast<double>(j * 12 + k * 4 + i) + 100 * static_cast<double>(j + 1));
  CHECK((ones({0, 3}) + ones({3})).shape() == Shape{0, 3});
  CHECK((ones({0, 1}) + ones({1, 0})).shape() == Shape{0, 0});
  CHECK((ones({0, 3}) < 1.0).shape() == Shape{0, 3});
  CHECK(exp(ones({0})).numel() == 0);
  CHECK((scalar(2) * scalar(3)).item() == 6);
  // Larger than a chunk, with runs that chunk borders split.
  const Tensor wide = expand(reshape(arange(70000, f64), {70000, 1}), {70000, 3});
  const Tensor difference = wide - slice(reshape(arange(420000, f64), {70000, 6}), 1, 0, 6, 2);
  CHECK(select(select(difference, 0, 69999), 0, 2).item() == 69999 - (69999.0 * 6 + 4));
  CHECK(select(select(difference, 0, 10923), 0, 1).item() == 10923 - (10923.0 * 6 + 2));
}

TEST_CASE("the bits do not depend on the number of threads") {
  const Tensor x = randn({300, 500}), b = randn({500});
  const Threads restore;
  set_num_threads(1);
  const auto one = (gelu(transpose(x, 0, 1)) + 1).to_vector(), sum_one = (x * b).to_vector();
  set_num_threads(4);
  CHECK((gelu(transpose(x, 0, 1)) + 1).to_vector() == one);
  CHECK((x * b).to_vector() == sum_one);
}

TEST_CASE("fused gradients agree with the formulas that higher derivatives use") {
  const Tensor dy = randn({100}, f64);
  const std::function<Tensor(const Tensor&)> functions[] = {
      [](const Tensor& x) { return tanh(x); },         [](const Tensor& x) { return sigmoid(x); },
      [](const Tensor& x) { return relu(x); },         [](const Tensor& x) { return gelu(x); },
      [](const Tensor& x) { return gelu(x, "tanh"); }, [](const Tensor& x) { return silu(x); }};
  for (const auto& f : functions) {
    Tensor x = randn({100}, f64).requires_grad_();
    const Tensor fused = grad({f(x)}, {x}, {dy})[0];
    const Tensor composed = grad({f(x)}, {x}, {dy}, true, true)[0];
    CHECK(allclose(fused, composed, 1e-14, 1e-14));
  }
}

// ------------------------------------------------------------------------------------- in place

TEST_CASE("in-place ops: values, broadcasting, views") {
  const Tensor x = reshape(arange(6, f32), {2, 3});
  add_(x, tensor({10, 20, 30}));
  CHECK(same(x, {10, 21, 32, 13, 24, 35}));
  add_(x, ones({2, 3}), -10);
  CHECK(same(x, {0, 11, 22, 3, 14, 25}));
  mul_(select(x, 1, 1), 0.0);  // a view: the column changes in x
  CHECK(same(x, {0, 0, 22, 3, 0, 25}));
  add_(transpose(x, 0, 1), tensor({1, 2}));
  CHECK(same(x, {1, 1, 23, 5, 2, 27}));
  mul_(x, tensor({1, 0, 2}));
  CHECK(same(x, {1, 0, 46, 5, 0, 54}));
  fill_(select(x, 0, 0), 7);
  CHECK(same(x, {7, 7, 7, 5, 0, 54}));
  copy_(x, tensor({1, 2, 3}, i64));
  CHECK(same(x, {1, 2, 3, 1, 2, 3}));
  CHECK(same(zero_(x), {0, 0, 0, 0, 0, 0}));
  CHECK(same(add_(arange(3), tensor({2, 2, 2}, i64), 3), {6, 7, 8}));
}

TEST_CASE("in-place ops: source and target may overlap") {
  const Tensor x = arange(9, f32), square = reshape(x, {3, 3});
  CHECK(square.impl()->storage == x.impl()->storage);
  add_(square, transpose(square, 0, 1));
  CHECK(same(x, {0, 4, 8, 4, 8, 12, 8, 12, 16}));
  const Tensor y = arange(4, f32);
  copy_(slice(y, 0, 1, 4), slice(y, 0, 0, 3));
  CHECK(same(y, {0, 0, 1, 2}));
  mul_(slice(y, 0, 0, 3), slice(y, 0, 1, 4));
  CHECK(same(y, {0, 0, 2, 2}));
  add_(y, y);
  CHECK(same(y, {0, 0, 4, 4}));
}

TEST_CASE("in-place ops count versions, and refuse tensors that the tape needs") {
  const Tensor x = ones({2});
  int64_t version = x.version();
  for (const auto& change : std::vector<std::function<void()>>{
           [&] { add_(x, x); }, [&] { add_(x, 1.0); }, [&] { mul_(x, x); }, [&] { mul_(x, 2.0); },
           [&] { fill_(x, 1); }, [&] { zero_(x); }, [&] { copy_(x, ones({2})); }}) {
    change();
    CHECK(x.version() == ++version);
  }
  Tensor w = ones({2}).requires_grad_();
  CHECK(contains(error_of([&] { add_(w, x); }), "[add_] changes a tensor"));
  CHECK(contains(error_of([&] { zero_(w); }), "[zero_] changes a tensor"));
  CHECK(contains(error_of([&] { mul_(x, w); }), "[mul_] the gradient of the second argument"));
  CHECK(contains(error_of([&] {
                   add_(x, ones({2, 2}));
                 }),
                 "[add_] shape (2, 2) does not broadcast"));
  CHECK(contains(error_of([&] { add_(x, arange(2)); }), "[add_] dtypes"));
  CHECK(contains(error_of([&] { fill_(arange(2), 0.5); }), "[fill_] number 0.5"));
  CHECK(contains(error_of([&] { mul_(expand(x, {3, 2}), 2.0); }), "[mul_] dimension 0 of (3, 2)"));
  NoGrad guard;
  CHECK(same(add_(w, ones({2}), 0.5), {1.5, 1.5}));
}

// ------------------------------------------------------------------------------------- logic

TEST_CASE("logic and comparison broadcast") {
  const Tensor p = tensor({1, 0}, boolean), q = reshape(tensor({1, 0}, boolean), {2, 1});
  CHECK(same(p && q, {1, 0, 0, 0}));
  CHECK(same(p || q, {1, 1, 1, 0}));
  CHECK(same(!p, {0, 1}));
  CHECK(same(p == q, {1, 0, 0, 1}));
  CHECK(same(arange(3) >= 1, {0, 1, 1}));
  CHECK((arange(3) < 2).dtype() == boolean);
}

TEST_CASE("allclose: bounds, infinities, NaN") {
  CHECK(allclose(tensor({1, 2}), tensor({1, 2.00001})));
  CHECK_FALSE(allclose(tensor({1, 2}), tensor({1, 2.001})));
  CHECK(allclose(tensor({kInf}), tensor({kInf})));
  CHECK_FALSE(allclose(tensor({1}), tensor({kInf})));
  CHECK_FALSE(allclose(tensor({-kInf}), tensor({kInf})));
  CHECK_FALSE(allclose(tensor({kNan}), tensor({kNan})));
  CHECK(allclose(tensor({kNan}), tensor({kNan}), 1e-5, 1e-8, true));
}

TEST_CASE("elu: the slope is α eˣ, to the last digits far below 0, and α at 0") {
  // y + α would cancel: −1 + 4.5e-5 keeps only five digits, −1 + 4e-18 none.
  const Tensor x = tensor({-0.5, -10, -12, -15, -20, -40, -80}).requires_grad_();
  sum(elu(x)).backward();
  const auto dx = x.grad().to_vector(), at = x.to_vector();
  for (size_t i = 0; i < dx.size(); ++i) CHECK(std::fabs(dx[i] / std::exp(at[i]) - 1) < 5e-7);
  for (const double alpha : {0.5, 1.0, 3.0}) {
    const Tensor zero = tensor({0, 1e-30, -1e-30}).requires_grad_();
    const Tensor y = elu(zero, alpha);
    CHECK(y.to_vector()[0] == 0);
    sum(y).backward();
    CHECK(zero.grad().to_vector() == std::vector<double>{alpha, 1, alpha});
  }
  // Where eˣ is infinite it must not reach second derivatives as ∞ · 0.
  const Tensor large = tensor({200, -1}).requires_grad_();
  const Tensor slope = grad({sum(elu(large, 2))}, {large}, {}, false, true)[0];
  const Tensor second = grad({sum(slope)}, {large})[0];
  CHECK(second.to_vector()[0] == 0);
  CHECK(second.to_vector()[1] == doctest::Approx(2 * std::exp(-1.0)).epsilon(1e-6));
}
