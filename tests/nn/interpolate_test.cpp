// interpolate on a grid of sizes and scale factors, compared with PyTorch's numbers.
#include <cmath>

#include "nn/nn.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

TEST_CASE("interpolate is PyTorch's for every size and scale factor, in width and in height") {
  const TensorDict numbers = golden("interpolate.safetensors", "");
  const std::vector<double> cases = numbers["cases"].to_vector();
  for (const DType dtype : {f64, f32})
    for (const char* name : {"nearest", "bilinear", "corners"}) {
      CAPTURE(name);
      const bool corners = name[0] == 'c', nearest = name[0] == 'n';
      const std::vector<double> expected = numbers[name].to_vector();
      size_t at = 0;
      for (size_t i = 0; i < cases.size(); i += 3) {
        const auto width = static_cast<int64_t>(cases[i]),
                   size = static_cast<int64_t>(cases[i + 1]);
        const double factor = cases[i + 2];
        CAPTURE(width);
        CAPTURE(size);
        CAPTURE(factor);
        InterpolateOptions options{.mode = nearest ? "nearest" : "bilinear",
                                   .align_corners = corners};
        if (size > 0)
          options.size = Pair(size);
        else
          options.scale_factor = factor;
        const Tensor row = to(sin(to(arange(width), f64)), dtype);
        const Tensor image = expand(row, {1, 1, width, width});
        const Tensor y = interpolate(image, options);
        const Tensor upright = interpolate(transpose(image, 2, 3), options);
        REQUIRE(y.size(2) == y.size(3));
        std::vector<double> want(expected.begin() + static_cast<std::ptrdiff_t>(at),
                                 expected.begin() + static_cast<std::ptrdiff_t>(at) + y.size(3));
        at += want.size();
        const Tensor wanted = to(from_vector(want, {y.size(3)}), dtype);
        const double error = relative_error(select(select(select(y, 0, 0), 0, 0), 0, 0), wanted);
        CHECK(error <= tolerance(dtype));  // another pixel would be far off
        CHECK(relative_error(upright, transpose(y, 2, 3)) <= tolerance(dtype));
      }
      CHECK(at == expected.size());
    }
}

TEST_CASE("interpolate copies a dimension that keeps its size, and its gradient") {
  const Tensor x = reshape(tensor({0, 1}), {1, 1, 1, 2}).requires_grad_();
  for (const char* mode : {"nearest", "bilinear"}) {
    const Tensor y = interpolate(x, {.scale_factor = 1.3, .mode = mode});
    CHECK(y.to_vector() == std::vector<double>{0, 1});
    CHECK(grad({y}, {x}, {full(y.shape(), 3)})[0].to_vector() == std::vector<double>{3, 3});
  }
  // 3 · 2.1 is 6, which is exactly twice: each pixel twice, and not at ⌊i / 2.1⌋.
  const Tensor three = reshape(tensor({1, 2, 3}), {1, 1, 1, 3});
  CHECK(slice(flatten(interpolate(three, {.scale_factor = 2.1})), 0, 0, 6).to_vector() ==
        std::vector<double>{1, 1, 2, 2, 3, 3});
}

}  // namespace
}  // namespace tarsier
