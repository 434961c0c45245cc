// Convolutions on images of several tiles; the registry's samples are small.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "autograd/autograd.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

/// conv2d as defined in ops.h: one product with the columns of the whole batch.
Tensor by_columns(const Tensor& x, const Tensor& weight, const Tensor& bias, const Pair& out,
                  const WindowOptions& window) {
  const Tensor columns = unfold(x, {weight.size(2), weight.size(3)}, window);
  const Tensor y = matmul(flatten(weight, 1), columns);
  return reshape(y, {x.size(0), weight.size(0), out.h, out.w}) + reshape(bias, {-1, 1, 1});
}

double largest(const Tensor& x) { return max(abs(x)).item(); }

TEST_CASE("conv2d does not depend on how large images are split into tiles") {
  const WindowOptions window{.stride = {1, 2}, .padding = {3, 1}, .dilation = {2, 1}};
  const Tensor x = randn({2, 16, 90, 200}, f64).requires_grad_();
  const Tensor weight = randn({3, 16, 4, 3}, f64).requires_grad_();
  const Tensor bias = randn({3}, f64).requires_grad_();
  const Tensor y =
      conv2d(x, weight, bias,
             {.stride = window.stride, .padding = window.padding, .dilation = window.dilation});
  CHECK(y.shape() == Shape{2, 3, 90, 100});
  const Tensor expected = by_columns(x, weight, bias, {90, 100}, window);
  CHECK(largest(y - expected) < 1e-12);

  const Tensor dy = randn(y.shape(), f64);
  const std::vector<Tensor> got = grad({y}, {x, weight, bias}, {dy});
  const std::vector<Tensor> wanted = grad({expected}, {x, weight, bias}, {dy});
  for (size_t i = 0; i < got.size(); ++i)
    CHECK(largest(got[i] - wanted[i]) < 1e-12 * std::max(1.0, largest(wanted[i])));
}

TEST_CASE("a transposed convolution is the transpose: <conv(x), y> = <x, conv_transpose(y)>") {
  const Tensor x = randn({2, 6, 60, 91}, f64), weight = randn({8, 3, 3, 5}, f64);
  const Tensor conv = conv2d(x, weight, {}, {.stride = 2, .padding = 2, .groups = 2});
  const Tensor y = randn(conv.shape(), f64);
  const Tensor image = conv_transpose2d(
      y, weight, {}, {.stride = 2, .padding = 2, .output_padding = {1, 0}, .groups = 2});
  REQUIRE(image.shape() == x.shape());
  CHECK(sum(conv * y).item() == doctest::Approx(sum(x * image).item()).epsilon(1e-10));
}

TEST_CASE(
    "a depthwise convolution is one with a filter for each pair of channels, most of them 0") {
  struct Case {
    Pair size, kernel, padding, dilation;
  };
  Generator generator(3);
  for (const Case& c :
       {Case{{7, 19}, 3, 1, 1}, Case{{18, 35}, {2, 5}, {0, 2}, 1}, Case{{9, 12}, 3, 2, 2},
        Case{{1, 40}, {1, 7}, {0, 6}, 1}, Case{{40, 3}, {4, 1}, {1, 0}, {3, 1}}}) {
    const Tensor x = randn({2, 3, c.size.h, c.size.w}, f64, generator).requires_grad_();
    const Tensor weight = randn({3, 1, c.kernel.h, c.kernel.w}, f64, generator).requires_grad_();
    const Tensor bias = randn({3}, f64, generator).requires_grad_();
    const Tensor dense = weight * reshape(eye(3, f64), {3, 3, 1, 1});
    const Tensor y =
        conv2d(x, weight, bias, {.padding = c.padding, .dilation = c.dilation, .groups = 3});
    const Tensor expected = conv2d(x, dense, bias, {.padding = c.padding, .dilation = c.dilation});
    REQUIRE(y.shape() == expected.shape());
    CHECK(largest(y - expected) < 1e-12);
    const Tensor dy = randn(y.shape(), f64, generator);
    const std::vector<Tensor> got = grad({y}, {x, weight, bias}, {dy}, true, true);
    const std::vector<Tensor> wanted = grad({expected}, {x, weight, bias}, {dy}, true, true);
    for (size_t i = 0; i < got.size(); ++i) CHECK(largest(got[i] - wanted[i]) < 1e-11);
    // And once more.
    const Tensor a = sum(square(got[0])) + sum(square(got[1]));
    const Tensor b = sum(square(wanted[0])) + sum(square(wanted[1]));
    const std::vector<Tensor> second = grad({a}, {x, weight});
    const std::vector<Tensor> as_dense = grad({b}, {x, weight});
    for (size_t i = 0; i < second.size(); ++i)
      CHECK(largest(second[i] - as_dense[i]) < 1e-11 * largest(as_dense[i]));
  }
}

TEST_CASE("a depthwise convolution has the same bits on any number of threads") {
  const Threads restore;
  Generator generator(4);
  const Tensor x = randn({3, 20, 30, 33}, f32, generator).requires_grad_();
  const Tensor weight = randn({20, 1, 3, 3}, f32, generator).requires_grad_();
  std::vector<std::vector<double>> results;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor y = conv2d(x, weight, {}, {.padding = 1, .groups = 20});
    std::vector<double> all = y.to_vector();
    for (const Tensor& dx : grad({sum(square(y))}, {x, weight}))
      for (const double v : dx.to_vector()) all.push_back(v);
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

}  // namespace
}  // namespace tarsier
