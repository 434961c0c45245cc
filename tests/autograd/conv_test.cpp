// Convolutions on images of several tiles; the registry's samples are small.
#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/autograd.h"

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

}  // namespace
}  // namespace tarsier
