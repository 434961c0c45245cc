// Backwards that cannot be differentiated: reported where it matters, and nowhere else.
#include <doctest/doctest.h>

#include <span>
#include <sstream>

#include "autograd/autograd.h"
#include "autograd/loops/map.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

Tensor leaf_of(std::initializer_list<double> values) {
  return tensor(values, f64).requires_grad_();
}

/// y = x³ with this backward.
Tensor cube_with(const Arg& x, BackwardFn backward) {
  return record("cube", {x}, map(x, [](auto v) { return v * v * v; }), Save{x},
                std::move(backward));
}

/// 3x²·dy in a loop over raw memory.
Grads raw_backward(const Saved& saved, const Tensor& dy) {
  const Tensor x = contiguous(saved[0]), upstream = contiguous(dy);
  const Tensor dx = Tensor::empty(x.shape(), f64);
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double value = x.data<double>()[i];
    dx.data<double>()[i] = 3 * value * value * upstream.data<double>()[i];
  }
  return {dx};
}
constexpr int kRawLine = __LINE__ - 5;

using Backward = std::function<Grads(const Saved&, const Tensor&)>;

/// d/dx Σ d/dx (Σ cube(x) + Σ x²), which is 6x + 2.
std::vector<double> second_derivative(const Tensor& x, const Backward& backward) {
  const Tensor loss = sum(cube_with(x, backward)) + sum(square(x));
  const Tensor first = grad({loss}, {x}, {}, false, /*create_graph=*/true)[0];
  return grad({sum(first)}, {x})[0].to_vector();
}

TEST_CASE("a backward in raw memory is an error under create_graph, which names op and line") {
  const Tensor x = leaf_of({2, 3});
  CHECK(second_derivative(x, [](const Saved& saved, const Tensor& dy) -> Grads {
          return {dy * 3 * square(saved[0])};
        }) == std::vector<double>{14, 20});
  // Without the check the result was [2, 2].
  const std::string error = error_of([&] { second_derivative(x, raw_backward); });
  CAPTURE(error);
  CHECK(error.starts_with("[cube] the backward of 'cube' called at "));
  CHECK(error.find(concat("read_watch_test.cpp:", kRawLine, ",")) != error.npos);
  CHECK(error.find("as raw memory") != error.npos);
  CHECK(error.find("once_differentiable") != error.npos);
  // Without create_graph it is fine.
  sum(cube_with(x, raw_backward)).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{12, 27});
}

TEST_CASE("every way to read without recording is found") {
  const Tensor x = leaf_of({2, 3});
  const auto finds = [&](const Backward& backward) {
    const std::string error = error_of([&] { second_derivative(x, backward); });
    CAPTURE(error);
    CHECK(error.starts_with("[cube] the backward of 'cube' called at "));
  };
  const auto triple = [](auto v) { return 3 * v * v; };
  finds(
      [&](const Saved& saved, const Tensor& dy) -> Grads { return {dy * map(saved[0], triple)}; });
  finds([&](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * from_vector(saved[0].to_vector(), {2}) * 3 * saved[0].detach()};
  });
  finds([&](const Saved& saved, const Tensor& dy) -> Grads {
    const std::span<double> px = saved[0].span<double>();
    return {dy * tensor({3 * px[0] * px[0], 3 * px[1] * px[1]}, f64)};
  });
  finds([&](const Saved& saved, const Tensor& dy) -> Grads {
    const double first = select(saved[0], 0, 0).item(), second = select(saved[0], 0, 1).item();
    return {dy * tensor({3 * first * first, 3 * second * second}, f64)};
  });
  finds([&](const Saved& saved, const Tensor& dy) -> Grads {
    const NoGrad guard;
    return {dy * 3 * square(saved[0])};
  });
  // Half of it is recorded: the other half would still be missing.
  finds([&](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor x = saved[0], tripled = map(x, [](auto v) { return 3 * v; });
    return {dy * tripled * x};
  });
  // Captured instead of saved.
  finds([&](const Saved&, const Tensor& dy) -> Grads { return {dy * map(x, triple)}; });
  // The upstream gradient, if it is differentiated.
  const auto doubled = [](const Tensor& a) {
    return record("twice", {a}, a.detach() * 2, Save{},
                  [](const Saved&, const Tensor& dy) -> Grads {
                    return {map(dy, [](auto v) { return 2 * v; })};
                  });
  };
  const Tensor loss = sum(square(doubled(x)));
  check_error("[twice]", [&] { grad({loss}, {x}, {}, true, true); });
  CHECK(grad({loss}, {x})[0].to_vector() == std::vector<double>{16, 24});
}

/// 3x² in raw memory, with a backward of its own.
Tensor triple_square(const Tensor& x) {
  const Tensor c = contiguous(x);
  const Tensor y = Tensor::empty(x.shape(), f64);
  for (size_t i = 0; i < y.span<double>().size(); ++i)
    y.span<double>()[i] = 3 * c.span<double>()[i] * c.span<double>()[i];
  return record("triple_square", {x}, y, Save{x},
                [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * 6 * saved[0]}; });
}

TEST_CASE("reading for a recorded op, or of a tensor marked constant, is no error") {
  const Tensor x = leaf_of({2, 3});
  const std::vector<double> right = {14, 20};
  CHECK(second_derivative(x, [](const Saved& saved, const Tensor& dy) -> Grads {
          return {dy * triple_square(saved[0])};
        }) == right);
  // contiguous() copies a transposed tensor, and the copy is read.
  CHECK(second_derivative(x, [](const Saved& saved, const Tensor& dy) -> Grads {
          const Tensor both = stack({saved[0], saved[0]}, 1);
          return {dy * select(triple_square(transpose(both, 0, 1)), 0, 1)};
        }) == right);
  CHECK(second_derivative(x, [](const Saved& saved, const Tensor& dy) -> Grads {
          return reference_grads({saved[0]}, dy, [](const auto& in) { return pow(in[0], 3); });
        }) == right);
  // |x|: a mask does not change with x.
  const auto absolute = [](const Tensor& x) {
    return record("absolute", {x}, abs(x.detach()), Save{x},
                  [](const Saved& saved, const Tensor& dy) -> Grads {
                    return {dy * map(saved[0].detach(), [](auto v) { return v < 0 ? -1.0 : 1.0; })};
                  });
  };
  const Tensor y = leaf_of({-2, 3});
  const Tensor first = grad({sum(absolute(y) * y)}, {y}, {}, false, true)[0];
  CHECK(first.to_vector() == std::vector<double>{4, 6});
  CHECK(grad({sum(first)}, {y})[0].to_vector() == std::vector<double>{-2, 2});
  // Tensors without gradients do not matter.
  const Tensor factor = tensor({5, 7}, f64);
  const Tensor product = record("product", {x}, x.detach() * factor, Save{factor},
                                [](const Saved& saved, const Tensor& dy) -> Grads {
                                  return {dy * map(saved[0], [](auto v) { return v; })};
                                });
  CHECK(grad({sum(product)}, {x}, {}, false, true)[0].to_vector() == std::vector<double>{5, 7});
}

TEST_CASE("hooks and printing may read recorded gradients") {
  const Tensor x = leaf_of({2, 3});
  const Tensor y = square(x);
  double seen = 0;
  y.register_hook([&](const Tensor& dy) {
    seen = dy.to_vector()[0];
    return Tensor();
  });
  const Tensor first = grad({sum(square(y))}, {x}, {}, false, true)[0];
  CHECK(seen == 8);
  CHECK(grad({sum(first)}, {x})[0].to_vector() == std::vector<double>{48, 108});
  // Also a hook in a walk inside a backward.
  std::vector<double> inside;
  CHECK(second_derivative(x, [&](const Saved& saved, const Tensor& dy) -> Grads {
          return reference_grads({saved[0]}, dy, [&](const auto& in) {
            const Tensor squared = square(in[0]);
            squared.register_hook([&](const Tensor& gradient) {
              inside.push_back(gradient.to_vector()[1]);
              return Tensor();
            });
            return squared * in[0];
          });
        }) == std::vector<double>{14, 20});
  CHECK(inside.at(0) == 3);
  CHECK(second_derivative(x, [](const Saved& saved, const Tensor& dy) -> Grads {
          std::ostringstream text;
          text << saved[0];
          CHECK(text.str().find("3") != std::string::npos);
          return {dy * 3 * square(saved[0])};
        }) == std::vector<double>{14, 20});
}

TEST_CASE("once_differentiable: first derivatives as they are, second ones an error") {
  const Tensor x = leaf_of({2, 3});
  const auto cube = [](const Tensor& x) { return cube_with(x, once_differentiable(raw_backward)); };
  const auto loss = [&] { return sum(cube(x)) + sum(square(x)); };
  CHECK(grad({loss()}, {x})[0].to_vector() == std::vector<double>{16, 33});
  const Tensor first = grad({loss()}, {x}, {}, false, true)[0];
  CHECK(first.to_vector() == std::vector<double>{16, 33});
  const std::string error = error_of([&] { grad({sum(first)}, {x}); });
  CAPTURE(error);
  CHECK(error.starts_with("[cube] a second derivative through 'cube' called at "));
  CHECK(error.find("read_watch_test.cpp") != error.npos);

  // A gradient computed with create_graph, but not differentiated through the op.
  const Tensor w = leaf_of({5, 7});
  const Tensor both = grad({sum(cube(x) * w)}, {x}, {}, false, true)[0];
  check_error("[cube] a second derivative", [&] { grad({sum(both)}, {w}, {}, true); });
  const Tensor dw = grad({sum(cube(x) * w)}, {w}, {}, false, true)[0];
  CHECK(grad({sum(dw)}, {x})[0].to_vector() == std::vector<double>{12, 27});

  CHECK(error_of([&] { gradcheck([&](const auto& in) { return cube(in[0]); }, {x}); }) ==
        "no error");
  check_error("[cube] a second derivative", [&] {
    gradcheck([&](const auto& in) { return cube(in[0]); }, {x}, {.second_order = true});
  });
}

}  // namespace
}  // namespace tarsier
