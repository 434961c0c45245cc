// Convolutions, pooling and interpolation compared with PyTorch, and their errors.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <sstream>
#include <vector>

#include "nn/nn.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

/// Compares an M(args…) with the numbers of a case.
template <class M, class... Args>
void check_case(const std::string& name, const Args&... args) {
  check_layer("conv.safetensors", name, [&] { return std::make_unique<M>(args...); });
}

TEST_CASE("convolutions compute what PyTorch's compute, with the same gradients") {
  check_case<nn::Conv1d>("conv1d", 3, 4, 3);
  check_case<nn::Conv1d>("conv1d_options", 4, 6, 3, Conv1dOptions{2, 3, 2, 2});
  check_case<nn::Conv1d>("conv1d_no_bias", 2, 3, 1, Conv1dOptions{}, false);

  using Options = Conv2dOptions;
  check_case<nn::Conv2d>("conv2d", 3, 5, 3);
  check_case<nn::Conv2d>("conv2d_uneven", 2, 3, Pair(2, 5),
                         Options{.stride = {3, 2}, .padding = {1, 0}, .dilation = {2, 1}});
  check_case<nn::Conv2d>("conv2d_groups", 4, 6, Pair(3, 2),
                         Options{.padding = {2, 1}, .groups = 2});
  check_case<nn::Conv2d>("conv2d_depthwise", 3, 6, 3,
                         Options{.stride = 2, .padding = 1, .groups = 3});
  check_case<nn::Conv2d>("conv2d_patches", 3, 7, 4, Options{.stride = 4});
  check_case<nn::Conv2d>("conv2d_pixels", 5, 3, 1, Options{}, false);
  check_case<nn::Conv2d>("conv2d_pixels_stride", 5, 3, 1, Options{.stride = 2});
  check_case<nn::Conv2d>("conv2d_padding", 1, 2, 3, Options{.padding = 3});
}

TEST_CASE("transposed convolutions compute what PyTorch's compute, with the same gradients") {
  using Options = ConvTranspose2dOptions;
  check_case<nn::ConvTranspose2d>("conv_transpose2d", 3, 4, 3);
  check_case<nn::ConvTranspose2d>("conv_transpose2d_up", 3, 4, 2, Options{.stride = 2});
  check_case<nn::ConvTranspose2d>("conv_transpose2d_options", 4, 6, Pair(3, 2),
                                  Options{.stride = {2, 3},
                                          .padding = {1, 2},
                                          .output_padding = {1, 2},
                                          .dilation = {1, 2},
                                          .groups = 2});
  check_case<nn::ConvTranspose2d>("conv_transpose2d_no_bias", 2, 3, 3,
                                  Options{.stride = 2, .padding = 1}, false);
}

TEST_CASE("pooling computes what PyTorch's computes, with the same gradients") {
  using Max = MaxPool2dOptions;
  check_case<nn::MaxPool2d>("max_pool2d", 2);
  check_case<nn::MaxPool2d>("max_pool2d_overlap", 3, Max{.stride = 2, .padding = 1});
  check_case<nn::MaxPool2d>("max_pool2d_options", Pair(2, 3),
                            Max{.stride = Pair(2, 1), .padding = {1, 0}, .dilation = {3, 2}});
  check_case<nn::MaxPool2d>("max_pool2d_ceil", Pair(3, 2),
                            Max{.stride = Pair(2, 3), .padding = {1, 0}, .ceil_mode = true});
  check_case<nn::MaxPool2d>("max_pool2d_ties", 3, Max{.stride = 2});

  using Avg = AvgPool2dOptions;
  check_case<nn::AvgPool2d>("avg_pool2d", 2);
  check_case<nn::AvgPool2d>("avg_pool2d_padding", 3, Avg{.stride = 2, .padding = 1});
  check_case<nn::AvgPool2d>("avg_pool2d_inside", 3,
                            Avg{.stride = 2, .padding = 1, .count_include_pad = false});
  for (const bool include : {true, false})
    check_case<nn::AvgPool2d>(
        include ? "avg_pool2d_ceil" : "avg_pool2d_ceil_inside", 4,
        Avg{.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = include});
  check_case<nn::AdaptiveAvgPool2d>("adaptive_avg_pool2d", Pair(3, 5));
  check_case<nn::AdaptiveAvgPool2d>("adaptive_avg_pool2d_one", 1);
  check_case<nn::AdaptiveAvgPool2d>("adaptive_avg_pool2d_up", Pair(10, 2));
}

TEST_CASE("the mean of a window is divided once, by its count") {
  // As PyTorch has it: each element of the gradient is the f32 number next to the right one. With
  // 1/n in the weights of rows and columns it was up to five times as far from that.
  using Function = std::function<Tensor(const Tensor&)>;
  const auto check_rounding = [](int64_t size, const Function& pool) {
    CAPTURE(size);
    const auto gradient = [&](DType dtype) {
      Generator generator(3);
      const Tensor x = to(randn({2, 1, size, size}, f32, generator), dtype).requires_grad_();
      const Tensor y = pool(x);
      return grad({y}, {x}, {to(randn(y.shape(), f32, generator), dtype)})[0].to_vector();
    };
    const std::vector<double> got = gradient(f32), exact = gradient(f64);
    for (size_t i = 0; i < exact.size(); ++i)
      REQUIRE(std::abs(got[i] - exact[i]) <= 1.0001 * std::ldexp(std::abs(exact[i]), -24));
  };
  for (const int64_t size : {7, 15, 224})
    check_rounding(size, [](const Tensor& x) { return adaptive_avg_pool2d(x, 1); });
  for (const int64_t kernel : {3, 7, 15})
    check_rounding(224, [=](const Tensor& x) { return avg_pool2d(x, kernel); });
  for (const bool include : {true, false})
    check_rounding(29, [=](const Tensor& x) {
      return avg_pool2d(x, {3, 5}, {.padding = 1, .ceil_mode = true, .count_include_pad = include});
    });
  // Their sum overflows, their mean does not.
  CHECK(adaptive_avg_pool2d(full({1, 1, 5, 7}, 3e38), 1).item() == doctest::Approx(3e38));
  CHECK(max(avg_pool2d(full({1, 1, 9, 9}, 3e38), 3)).item() == doctest::Approx(3e38));
}

TEST_CASE("interpolation computes what PyTorch's computes, with the same gradients") {
  const auto check_up = [](const std::string& name, const InterpolateOptions& options) {
    check_case<nn::Upsample>(name, options);
  };
  check_up("nearest_size", {.size = Pair(10, 5)});
  check_up("nearest_factor", {.scale_factor = 1.7});
  check_up("nearest_double", {.scale_factor = 2});
  check_up("bilinear_size", {.size = Pair(10, 5), .mode = "bilinear"});
  check_up("bilinear_factor", {.scale_factor = 1.7, .mode = "bilinear"});
  check_up("bilinear_half", {.scale_factor = 0.5, .mode = "bilinear"});
  check_up("bilinear_corners", {.size = Pair(10, 5), .mode = "bilinear", .align_corners = true});
  check_up("bilinear_corners_factor",
           {.scale_factor = 1.7, .mode = "bilinear", .align_corners = true});
  check_up("bilinear_one", {.size = Pair(1, 1), .mode = "bilinear", .align_corners = true});
}

TEST_CASE("a NaN in a window of max_pool2d is its result") {
  const Tensor x = reshape(tensor({1, NAN, 3, 4, 5, 6, 7, 8}), {1, 1, 2, 4});
  const std::vector<double> y = max_pool2d(x, 2).to_vector();
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == 8);
}

TEST_CASE("nearest-pixel interpolation copies, whatever the neighbours are") {
  const Tensor x = reshape(tensor({1, INFINITY}), {1, 1, 1, 2});
  CHECK(interpolate(x, {.size = Pair(1, 4)}).to_vector() ==
        std::vector<double>{1, 1, INFINITY, INFINITY});
}

TEST_CASE("an empty batch works forward and backward") {
  nn::Conv2d layer(2, 3, 3);
  Tensor x = zeros({0, 2, 5, 5}).requires_grad_();
  const Tensor y = layer(x);
  CHECK(y.shape() == Shape{0, 3, 3, 3});
  sum(y).backward();
  CHECK(x.grad().shape() == x.shape());
  CHECK(norm(layer.weight.grad()).item() == 0);
}

TEST_CASE("convolutions start and print as PyTorch's") {
  const auto printed = [](const nn::Module& module) {
    std::ostringstream text;
    text << module;
    return text.str().substr(0, text.str().find('\n'));
  };
  CHECK(printed(nn::Conv2d(4, 8, 3, {.stride = {2, 1}, .padding = 1, .groups = 2}, false)) ==
        "Conv2d(4, 8, kernel_size=(3, 3), stride=(2, 1), padding=(1, 1), groups=2, bias=false)");
  CHECK(printed(nn::Conv1d(4, 8, 3, {.dilation = 2})) ==
        "Conv1d(4, 8, kernel_size=(3,), stride=(1,), dilation=(2,))");
  CHECK(printed(nn::ConvTranspose2d(4, 6, {3, 2}, {.stride = 2, .output_padding = 1})) ==
        "ConvTranspose2d(4, 6, kernel_size=(3, 2), stride=(2, 2), output_padding=(1, 1))");
  const nn::Conv2d layer(8, 64, 2, {.groups = 2});  // fan_in 4 · 2 · 2
  CHECK(max(abs(layer.weight)).item() <= 0.25);
  CHECK(max(abs(layer.weight)).item() > 0.24);
  CHECK(max(abs(layer.bias)).item() <= 0.25);
  CHECK(max(abs(layer.bias)).item() > 0.2);
}

TEST_CASE("convolutions refuse what does not fit, and name the sizes") {
  using doctest::Contains;
  CHECK_THROWS_WITH_AS(nn::Conv2d(3, 4, 3, {.groups = 2}), Contains("3 to 4 channels in 2"), Error);
  CHECK_THROWS_AS(nn::Conv2d(4, 4, 0), Error);
  CHECK_THROWS_AS(nn::Conv1d(4, 6, 3, {.groups = 0}), Error);
  nn::Conv2d layer(3, 4, 3);
  CHECK_THROWS_WITH_AS(layer(randn({1, 2, 5, 5})), Contains("x needs 3 channels"), Error);
  CHECK_THROWS_WITH_AS(layer(randn({5, 5})), Contains("or (C, H, W)"), Error);
  CHECK_THROWS_WITH_AS(layer(randn({1, 3, 2, 5})), Contains("does not fit into the height of 2"),
                       Error);
  CHECK_THROWS_AS(layer(randn({1, 3, 5, 5}, f64)), Error);
  CHECK_THROWS_AS(layer(randn({1, 3, 0, 5})), Error);
  CHECK_THROWS_AS(nn::Conv1d(3, 4, 3)(randn({1, 3, 5, 5})), Error);
  const Tensor x = randn({1, 3, 5, 5}), weight = randn({4, 3, 3, 3});
  CHECK_THROWS_AS(conv2d(x, weight, {}, {.stride = 0}), Error);
  CHECK_THROWS_AS(conv2d(x, weight, {}, {.padding = -1}), Error);
  CHECK_THROWS_AS(conv2d(x, weight, {}, {.dilation = int64_t{1} << 62}), Error);
  CHECK_THROWS_AS(conv2d(x, weight, {}, {.groups = -1}), Error);
  CHECK_THROWS_AS(conv2d(x, weight, randn({3})), Error);
  CHECK_THROWS_AS(conv2d(x, randn({4, 3, 3})), Error);
  CHECK_THROWS_AS(fold(randn({1, 8, 5}), 3, 2), Error);
  CHECK_THROWS_AS(fold(randn({1, 7, 4}), 3, 2), Error);

  const Tensor up = randn({3, 4, 3, 3});
  CHECK_THROWS_AS(conv_transpose2d(x, weight), Error);
  CHECK_THROWS_WITH_AS(conv_transpose2d(x, up, {}, {.output_padding = 1}), Contains("less than"),
                       Error);
  CHECK_THROWS_AS(conv_transpose2d(x, up, {}, {.stride = int64_t{1} << 62}), Error);
  CHECK_THROWS_AS(conv_transpose2d(x, up, {}, {.padding = 4}), Error);
}

TEST_CASE("pooling and interpolation refuse what does not fit") {
  using doctest::Contains;
  const Tensor x = randn({1, 3, 5, 5});
  CHECK_THROWS_WITH_AS(max_pool2d(x, 2, {.padding = 2}), Contains("at most half"), Error);
  CHECK_THROWS_AS(max_pool2d(x, 6), Error);
  CHECK_THROWS_WITH_AS(max_pool2d(randn({1, 1, 1, 1}), 2, {.padding = 1, .dilation = 2}),
                       Contains("outside"), Error);
  CHECK_THROWS_AS(avg_pool2d(x, 0), Error);
  CHECK_THROWS_AS(avg_pool2d(x, 3, {.stride = Pair(0, 1)}), Error);
  CHECK_THROWS_AS(adaptive_avg_pool2d(x, {0, 2}), Error);
  CHECK_THROWS_AS(interpolate(x, {}), Error);
  CHECK_THROWS_AS(interpolate(x, {.size = Pair(2, 2), .scale_factor = 2}), Error);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = 0.1}), Error);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = NAN}), Error);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = 2, .mode = "cubic"}), Error);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = 2, .align_corners = true}), Error);
}

}  // namespace
}  // namespace tarsier
