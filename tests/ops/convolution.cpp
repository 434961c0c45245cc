// Registrations of the convolutions and of ops on images.
#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

/// Samples of random values of these shapes, one tensor each.
std::vector<Tensors> samples_of(const std::vector<std::vector<Shape>>& shapes) {
  std::vector<Tensors> samples;
  for (const std::vector<Shape>& inputs : shapes) {
    samples.emplace_back();
    for (const Shape& shape : inputs) samples.back().push_back(values(shape));
  }
  return samples;
}

/// An image of two channels, with a weight and a bias.
Sized image_and(const Shape& weight, const Shape& bias) {
  return [=](int64_t rows, int64_t n) {
    return Tensors{values({2, 2, rows, n}), values(weight), values(bias)};
  };
}

void register_conv2d(const std::string& what, const Conv2dOptions& options,
                     const std::vector<std::vector<Shape>>& shapes, const Sized& sized) {
  add({.name = "conv2d",
       .what = what,
       .call = [=](const Tensors& x) { return conv2d(x[0], x[1], x[2], options); },
       .samples = samples_of(shapes),
       .sized = sized});
}

void register_transposed(const std::string& what, const ConvTranspose2dOptions& options,
                         const std::vector<std::vector<Shape>>& shapes, const Sized& sized) {
  add({.name = "conv_transpose2d",
       .what = what,
       .call = [=](const Tensors& x) { return conv_transpose2d(x[0], x[1], x[2], options); },
       .samples = samples_of(shapes),
       .sized = sized});
}

/// An op that drops a dimension at its end.
void register_row(const std::string& name, const std::string& what, const OpCall& call,
                  const std::vector<std::vector<Shape>>& shapes) {
  add({.name = name, .what = what, .call = call, .samples = samples_of(shapes), .node = "squeeze"});
}

/// An op from image to image that is made of other ops.
void register_image(const std::string& name, const std::string& what, const OpCall& call,
                    const std::string& node) {
  add({.name = name,
       .what = what,
       .call = call,
       .samples = {{distinct({1, 1, 3, 4})}, {distinct({2, 1, 4, 2})}, {distinct({1, 2, 3, 3})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{distinct({1, 2, rows, n})};
           },
       .node = node});
}

}  // namespace

void register_convolution() {
  const auto one_image = [](int64_t rows, int64_t n) { return Tensors{values({1, 2, rows, n})}; };
  const WindowOptions walk{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}};
  add({.name = "unfold",
       .call =
           [=](const Tensors& x) {
             return unfold(x[0], {2, 3}, walk);
           },
       .samples = samples_of({{{1, 1, 3, 3}}, {{2, 2, 2, 1}}}),
       .sized = one_image});
  add({.name = "unfold",
       .what = "wide stride",
       .call = [](const Tensors& x) { return unfold(x[0], 2, {.stride = 3}); },
       .samples = samples_of({{{1, 1, 5, 6}}}),
       .sized = one_image});
  add({.name = "fold",
       .call =
           [=](const Tensors& x) {
             return fold(x[0], {3, 3}, {2, 3}, walk);
           },
       .samples = samples_of({{{1, 6, 6}}, {{2, 12, 6}}})});
  add({.name = "fold",
       .what = "overlapping",
       .call =
           [](const Tensors& x) {
             return fold(x[0], {2, x[0].size(2) + 2}, {2, 3});
           },
       .samples = samples_of({{{1, 6, 4}}, {{2, 12, 1}}}),
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, 12, n})};
           }});

  register_conv2d("", {}, {{{1, 2, 3, 4}, {2, 2, 2, 3}, {2}}, {{2, 1, 2, 2}, {1, 1, 2, 2}, {1}}},
                  image_and({3, 2, 3, 2}, {3}));
  register_conv2d("all options",
                  {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2},
                  {{{1, 2, 3, 2}, {2, 1, 2, 3}, {2}}, {{2, 4, 2, 1}, {2, 2, 3, 1}, {2}}},
                  image_and({4, 1, 3, 2}, {4}));
  register_conv2d("pixels", {}, {{{2, 2, 2, 2}, {3, 2, 1, 1}, {3}}}, image_and({3, 2, 1, 1}, {3}));
  add({.name = "conv2d",
       .what = "without bias",
       .call = [](const Tensors& x) { return conv2d(x[0], x[1], {}, {.padding = 1}); },
       .samples = samples_of({{{1, 1, 2, 3}, {2, 1, 3, 3}}})});
  add({.name = "conv1d",
       .call =
           [](const Tensors& x) {
             return conv1d(x[0], x[1], x[2],
                           {.stride = 2, .padding = 2, .dilation = 2, .groups = 2});
           },
       .samples = samples_of({{{2, 2, 5}, {4, 1, 3}, {4}}, {{1, 4, 3}, {2, 2, 2}, {2}}}),
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, 2, n}), values({4, 1, 3}), values({4})};
           },
       .node = "squeeze"});
  register_conv2d("same", {.padding = "same", .dilation = {1, 3}},
                  {{{1, 2, 3, 4}, {2, 2, 2, 2}, {2}}, {{2, 1, 2, 2}, {1, 1, 3, 2}, {1}}},
                  image_and({3, 2, 3, 2}, {3}));
  register_row("conv2d", "one image",
               [](const Tensors& x) { return conv2d(x[0], x[1], {}, {.padding = 1}); },
               {{{1, 2, 3}, {2, 1, 3, 3}}});
  register_row("conv1d", "same, one row",
               [](const Tensors& x) { return conv1d(x[0], x[1], x[2], {.padding = "same"}); },
               {{{2, 4}, {1, 2, 2}, {1}}});
  add({.name = "conv_transpose1d",
       .call =
           [](const Tensors& x) {
             return conv_transpose1d(
                 x[0], x[1], x[2],
                 {.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2, .groups = 2});
           },
       .samples = samples_of({{{2, 2, 3}, {2, 2, 2}, {4}}, {{1, 4, 2}, {4, 1, 3}, {2}}}),
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, 2, n}), values({2, 2, 3}), values({4})};
           },
       .node = "squeeze"});
  register_transposed("", {},
                      {{{1, 2, 2, 3}, {2, 1, 2, 2}, {1}}, {{2, 1, 1, 2}, {1, 2, 1, 3}, {2}}},
                      image_and({2, 3, 3, 2}, {3}));
  register_transposed("all options",
                      {.stride = {2, 3},
                       .padding = {0, 1},
                       .output_padding = {1, 2},
                       .dilation = {1, 2},
                       .groups = 2},
                      {{{1, 2, 2, 2}, {2, 1, 2, 2}, {2}}}, image_and({2, 2, 2, 3}, {4}));

  register_image(
      "max_pool2d", "", [](const Tensors& x) { return max_pool2d(x[0], 2); }, "reshape");
  register_image(
      "max_pool2d", "all options",
      [](const Tensors& x) {
        return max_pool2d(
            x[0], {3, 2},
            {.stride = Pair(2, 1), .padding = 1, .dilation = {1, 2}, .ceil_mode = true});
      },
      "reshape");
  register_image(
      "avg_pool2d", "", [](const Tensors& x) { return avg_pool2d(x[0], 2); }, "matmul");
  register_image(
      "avg_pool2d", "all options",
      [](const Tensors& x) {
        return avg_pool2d(
            x[0], {3, 2},
            {.stride = 2, .padding = {1, 0}, .ceil_mode = true, .count_include_pad = false});
      },
      "div");
  register_image(
      "adaptive_avg_pool2d", "",
      [](const Tensors& x) {
        return adaptive_avg_pool2d(x[0], {2, 3});
      },
      "div");
  register_image(
      "interpolate", "nearest",
      [](const Tensors& x) { return interpolate(x[0], {.size = Pair(5, 2)}); }, "index_select");
  register_image(
      "interpolate", "bilinear",
      [](const Tensors& x) { return interpolate(x[0], {.scale_factor = 1.5, .mode = "bilinear"}); },
      "matmul");
  register_image(
      "interpolate", "bilinear, corners",
      [](const Tensors& x) {
        return interpolate(x[0], {.size = Pair(5, 2), .mode = "bilinear", .align_corners = true});
      },
      "matmul");

  const auto register_pool = [](const std::string& name, const OpCall& call) {
    add({.name = name,
         .call = call,
         .samples = {{distinct({1, 2, 5})}, {distinct({2, 1, 7})}, {distinct({2, 6})}},
         .sized =
             [](int64_t rows, int64_t n) {
               return Tensors{distinct({1, rows, n + 2})};
             },
         .node = "squeeze"});
  };
  register_pool("max_pool1d", [](const Tensors& x) {
    return max_pool1d(x[0], 2, {.padding = 1, .dilation = 2, .ceil_mode = true});
  });
  register_pool("avg_pool1d", [](const Tensors& x) {
    return avg_pool1d(x[0], 3,
                      {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false});
  });
  register_pool("adaptive_avg_pool1d",
                [](const Tensors& x) { return adaptive_avg_pool1d(x[0], 3); });
}

}  // namespace tarsier::test
