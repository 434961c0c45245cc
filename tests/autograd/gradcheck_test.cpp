#include "autograd/check/gradcheck.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "autograd/ops.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

Tensor leaf(const Shape& shape, uint64_t seed = 1) {
  Generator generator(seed);
  return randn(shape, f64, generator).requires_grad_();
}

/// The error of gradcheck for `f` at x, or "" if it passes.
std::string verdict(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs,
                    bool second_order = false) {
  try {
    gradcheck(f, inputs, {.second_order = second_order});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// softmax over the last dimension with another backward.
template <class Backward>
std::function<Tensor(const Tensors&)> softmax_with(const Backward& backward) {
  return [=](const Tensors& in) {
    Tensor y;
    {
      const NoGrad guard;
      y = softmax(in[0], -1);
    }
    return record(
        "softmax_with", {in[0]}, y, Save{y},
        [=](const Saved& saved, const Tensor& dy) -> Grads { return {backward(saved[0], dy)}; });
  };
}

TEST_CASE("gradcheck accepts correct gradients of first and second order") {
  CHECK(verdict([](const Tensors& in) { return tanh(in[0]) * in[1]; }, {leaf({2, 3}), leaf({3}, 2)},
                true) == "");
  CHECK(verdict(softmax_with([](const Tensor& y, const Tensor& dy) {
                  return y * (dy - sum(dy * y, -1, true));
                }),
                {leaf({2, 3})}) == "");
  CHECK(verdict([](const Tensors& in) { return sum(in[0]); }, {leaf({2, 3})}, true) == "");
}

TEST_CASE("gradcheck finds a softmax backward that an all-ones upstream gradient passes") {
  const auto wrong =
      softmax_with([](const Tensor& y, const Tensor& dy) { return y * (dy - mean(dy, -1, true)); });
  // The elements of a softmax sum to one, so with ones the true gradient is zero, as is this one.
  const Tensor x = leaf({2, 3});
  const Tensor with_ones = grad({wrong({x})}, {x}, {ones({2, 3}, f64)})[0];
  CHECK(allclose(with_ones, zeros({2, 3}, f64)));
  CHECK(contains(verdict(wrong, {x}), "[gradcheck] the gradient is wrong at element (0, 0)"));
}

TEST_CASE(
    "gradcheck finds a wrong sign, a missing term, a small factor, a NaN and a missing gradient") {
  const auto wrong_by = [](const std::function<Tensor(const Tensor& right)>& change) {
    return softmax_with([=](const Tensor& y, const Tensor& dy) {
      return change(y * (dy - sum(dy * y, -1, true)));
    });
  };
  CHECK(verdict(wrong_by([](const Tensor& right) { return right; }), {leaf({4})}) == "");
  CHECK(verdict(wrong_by([](const Tensor& right) { return -right; }), {leaf({4})}) != "");
  CHECK(verdict(wrong_by([](const Tensor& right) { return right * 1.0001; }), {leaf({4})}) != "");
  CHECK(verdict(wrong_by([](const Tensor& right) { return right + 1e-5; }), {leaf({4})}) != "");
  CHECK(verdict(wrong_by([](const Tensor& right) { return right * NAN; }), {leaf({4})}) != "");
  CHECK(contains(verdict(wrong_by([](const Tensor&) { return Tensor(); }), {leaf({4})}),
                 "[softmax_with] backward returned no gradient for input 0"));
  CHECK(verdict(softmax_with([](const Tensor& y, const Tensor& dy) { return y * dy; }),
                {leaf({4})}) != "");
}

TEST_CASE("gradcheck names the input that has no gradient, or one of a wrong shape") {
  /// a · b, with the right gradients changed by `change`.
  const auto product_with = [](const std::function<Grads(const Grads& right)>& change) {
    return [=](const Tensors& in) {
      Tensor y;
      {
        const NoGrad guard;
        y = in[0] * in[1];
      }
      return record("product", {in[0], in[1]}, y, Save{in[0], in[1]},
                    [=](const Saved& saved, const Tensor& dy) {
                      return change({dy * saved[1], dy * saved[0]});
                    });
    };
  };
  const Tensors inputs = {leaf({2, 3}), leaf({2, 3}, 2)};
  const auto same = [](const Grads& right) { return right; };
  const auto without_second = [](const Grads& right) { return Grads{right[0], {}}; };
  const auto other_shape = [](const Grads& right) {
    return Grads{right[0], reshape(right[1], {3, 2})};
  };
  const auto swapped = [](const Grads& right) { return Grads{right[1], right[0]}; };
  CHECK(verdict(product_with(same), inputs) == "");
  CHECK(contains(verdict(product_with(without_second), inputs), "input 1"));
  CHECK(contains(verdict(product_with(other_shape), inputs), "(3, 2)"));
  CHECK(contains(verdict(product_with(swapped), inputs), "the gradient is wrong"));
}

TEST_CASE("gradcheck of second order finds a backward that breaks the graph") {
  const auto cut_from_x = softmax_with([](const Tensor& y, const Tensor& dy) {
    return y.detach() * (dy - sum(dy * y.detach(), -1, true));
  });
  CHECK(verdict(cut_from_x, {leaf({3})}) == "");
  CHECK(contains(verdict(cut_from_x, {leaf({3})}, true), "second-order gradient is wrong"));

  const auto cut_from_upstream = softmax_with([](const Tensor& y, const Tensor& dy) {
    return y * (dy.detach() - sum(dy.detach() * y, -1, true));
  });
  CHECK(verdict(cut_from_upstream, {leaf({3})}) == "");
  CHECK(contains(verdict(cut_from_upstream, {leaf({3})}, true), "the upstream gradient"));

  // A linear op has no second derivative, but its backward is still a function of the upstream.
  const auto cut_linear = [](const Tensors& in) {
    Tensor y;
    {
      const NoGrad guard;
      y = in[0] * 2;
    }
    return record("twice", {in[0]}, y, Save{},
                  [](const Saved&, const Tensor& dy) -> Grads { return {(dy * 2).detach()}; });
  };
  CHECK(verdict(cut_linear, {leaf({3})}) == "");
  CHECK(contains(verdict(cut_linear, {leaf({3})}, true), "the upstream gradient"));
}

TEST_CASE("gradcheck of second order finds a fused op whose reference form is another function") {
  const auto f = softmax_with([](const Tensor& y, const Tensor& dy) {
    const Tensor right = y * (dy - sum(dy * y, -1, true));
    return grad_enabled() ? right * 1.001 : right;
  });
  CHECK(verdict(f, {leaf({3})}) == "");
  CHECK(contains(verdict(f, {leaf({3})}, true), "with create_graph the gradient differs"));
}

TEST_CASE("gradcheck leaves its inputs unchanged, even if it throws") {
  const Tensor x = leaf({2, 3});
  const std::vector<double> before = x.to_vector();
  CHECK(verdict([](const Tensors& in) { return exp(in[0]); }, {x}, true) == "");
  CHECK(x.to_vector() == before);
  CHECK_FALSE(x.grad().defined());
  int calls = 0;
  CHECK_THROWS_AS(gradcheck(
                      [&](const Tensors& in) {
                        if (++calls == 5) throw std::runtime_error("broken");
                        return exp(in[0]);
                      },
                      {x}),
                  std::runtime_error);
  CHECK(x.to_vector() == before);
}

TEST_CASE("gradcheck takes strided leaves, inputs without gradient, and captured parameters") {
  Tensor x = leaf({4, 3}).detach().view_as({3, 2}, {1, 6}, 0);
  x.requires_grad_();
  CHECK(verdict([](const Tensors& in) { return sin(in[0]) * in[1]; },
                {x, ones({2}, f64), Tensor(), arange(3)}, true) == "");
  const Tensor weight = leaf({3});
  CHECK(verdict([&](const Tensors&) { return square(weight); }, {weight}) == "");
}

/// y = x³ by loops over raw memory that ignore strides; each may take a contiguous copy.
std::function<Tensor(const Tensors&)> cube(bool dense_x, bool dense_dy) {
  return [=](const Tensors& in) {
    const auto input = [](const Tensor& t, bool dense) { return dense ? contiguous(t) : t; };
    const Tensor x = input(in[0], dense_x).detach(), y = Tensor::empty(x.shape(), f64);
    const double* px = x.data<double>();
    for (int64_t i = 0; i < x.numel(); ++i) y.data<double>()[i] = px[i] * px[i] * px[i];
    return record("cube", {in[0]}, y, Save{x},
                  [=](const Saved& saved, const Tensor& upstream) -> Grads {
                    const Tensor x = saved[0], dy = input(upstream, dense_dy),
                                 dx = Tensor::empty(x.shape(), f64);
                    const double *px = x.data<double>(), *pdy = dy.data<double>();
                    for (int64_t i = 0; i < x.numel(); ++i)
                      dx.data<double>()[i] = pdy[i] * 3 * px[i] * px[i];
                    return {dx};
                  });
  };
}

TEST_CASE("gradcheck finds loops over raw memory that ignore strides, and says which tensor's") {
  const Tensor x = tensor({2, 3, 4}, f64).requires_grad_();
  CHECK(verdict(cube(true, true), {x}) == "");
  CHECK(grad({sum(cube(true, true)({x}))}, {x})[0].to_vector() == std::vector<double>{12, 27, 48});
  // sum() sends back an expanded gradient. Without the copy the result was [12, −565.6, −1984.0].
  CHECK(contains(verdict(cube(true, false), {x}),
                 "with an upstream gradient that is strided (gaps and an offset)"));
  CHECK(contains(verdict(cube(false, true), {x}),
                 "with inputs that are strided (gaps and an offset)"));
  CHECK(contains(verdict(cube(false, true), {leaf({2, 3})}), "with inputs that are transposed"));
  CHECK(contains(verdict(cube(true, false), {leaf({2, 3})}),
                 "with an upstream gradient that is transposed"));
  CHECK(contains(verdict(cube(true, false), {leaf({2, 3})}), "the gradient of input 0"));
  CHECK(contains(verdict(cube(false, true), {leaf({2, 3})}), "of the result"));
  CHECK_NOTHROW(gradcheck(cube(false, false), {x}, {.any_layout = false}));
}

TEST_CASE("gradcheck finds errors that only expanded tensors show") {
  // Right for all strides except 0, for which it takes the next element.
  const auto element = [](const Tensor& x, int64_t i) {
    const int64_t step = x.strides()[0] == 0 ? 1 : x.strides()[0];
    return x.data<double>()[i * step];
  };
  const auto twice = [=](bool of_input, bool of_upstream) {
    return [=](const Tensors& in) {
      const auto doubled = [=](const Tensor& x, bool broken) {
        const Tensor y = Tensor::empty(x.shape(), f64), dense = contiguous(x.detach());
        for (int64_t i = 0; i < x.numel(); ++i)
          y.data<double>()[i] = 2 * element(broken ? x.detach() : dense, i);
        return y;
      };
      return record(
          "twice", {in[0]}, doubled(in[0], of_input), Save{},
          [=](const Saved&, const Tensor& dy) -> Grads { return {doubled(dy, of_upstream)}; });
    };
  };
  const Tensor x = leaf({4});
  CHECK(verdict(twice(false, false), {x}) == "");
  CHECK(contains(verdict(twice(true, false), {x}), "with inputs that are expanded (stride 0)"));
  CHECK(contains(verdict(twice(false, true), {x}),
                 "with an upstream gradient that is expanded (stride 0)"));
}

TEST_CASE(
    "gradcheck reports an op that throws for a layout, and passes one for which values repeat "
    "badly") {
  const auto spans = [](const Tensors& in) {
    Tensor y = Tensor::empty(in[0].shape(), f64);
    const std::span<double> px = in[0].span<double>();
    std::copy(px.begin(), px.end(), y.data<double>());
    return record("spans", {in[0]}, y, Save{},
                  [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
  };
  const std::string text = verdict(spans, {leaf({2, 3})});
  CHECK(
      contains(text, "with inputs that are transposed, and only so, the function throws: [span]"));
  CHECK(contains(text, "contiguous(x)"));
  const auto refuses_equal = [](const Tensors& in) {
    const std::vector<double> x = in[0].to_vector();
    check(x[0] != x[1], "mine", "equal");
    return in[0] * 2;
  };
  CHECK(verdict(refuses_equal, {leaf({3})}) == "");
}

TEST_CASE("gradcheck lays out captured parameters and inputs without gradient as well") {
  const Tensor weight = leaf({2, 3}), mask = tensor({{1, 0, 1}, {0, 1, 1}}, f64);
  const auto raw_product = [](const Tensor& a, const Tensor& b) {
    const Tensor x = a.detach(), y = Tensor::empty(x.shape(), f64);
    for (int64_t i = 0; i < x.numel(); ++i)
      y.data<double>()[i] = x.data<double>()[i] * b.data<double>()[i];
    return record("raw_product", {a}, y, Save{contiguous(b)},
                  [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * saved[0]}; });
  };
  CHECK(contains(
      verdict([&](const Tensors&) { return raw_product(weight, contiguous(mask)); }, {weight}),
      "with inputs that are transposed"));
  CHECK(contains(verdict([&](const Tensors& in) { return raw_product(contiguous(in[0]), in[1]); },
                         {weight, mask}),
                 "with inputs that are transposed"));
  CHECK(weight.is_contiguous());
  CHECK(mask.is_contiguous());
}

TEST_CASE("gradcheck reports what it cannot check") {
  const auto same = [](const Tensors& in) { return in[0] * 1; };
  CHECK(contains(verdict(same, {ones({2}, f64)}), "no input requires a gradient"));
  CHECK(contains(verdict(same, {ones({2}, f32).requires_grad_()}), "input 0 is f32"));
  CHECK(contains(verdict(same, {exp(leaf({2}))}), "input 0 is the result of 'exp'"));
  CHECK(contains(verdict([](const Tensors& in) { return in[0].detach(); }, {leaf({2})}),
                 "requires no gradient"));
  Generator generator(3);
  CHECK(contains(verdict([&](const Tensors& in) { return dropout(in[0], 0.5, true, generator); },
                         {leaf({20})}),
                 "must be pure"));
}

}  // namespace
}  // namespace tarsier
