// Residual blocks compared with PyTorch, and their errors.
#include "nn/layers/residual.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

TEST_CASE("residual blocks compute what torchvision's do, with PyTorch's gradients") {
  for (const auto& [name, inplanes, planes, stride] :
       {std::tuple{"same", 3, 3, 1}, {"wider", 2, 3, 1}, {"smaller", 2, 4, 2}})
    check_layer("residual.safetensors", name, [&, in = inplanes, out = planes, by = stride] {
      return std::make_unique<nn::BasicBlock>(in, out, by);
    });
}

TEST_CASE("a residual block has torchvision's keys, and a convolution around it only if needed") {
  const auto keys = [](const nn::BasicBlock& block) {
    std::string all;
    for (const auto& [name, parameter] : block.named_parameters()) all += name + " ";
    return all;
  };
  const std::string both = "conv1.weight bn1.weight bn1.bias conv2.weight bn2.weight bn2.bias ";
  CHECK(keys(nn::BasicBlock(4, 4)) == both);
  CHECK(keys(nn::BasicBlock(4, 4, 2)) ==
        both + "downsample.0.weight downsample.1.weight downsample.1.bias ");
  CHECK(keys(nn::BasicBlock(4, 5)) == keys(nn::BasicBlock(4, 4, 2)));
}

TEST_CASE("a residual block refuses images that do not fit") {
  nn::BasicBlock block(2, 4);
  CHECK(block(randn({3, 2, 5, 6})).shape() == Shape{3, 4, 5, 6});
  CHECK(nn::BasicBlock(2, 4, 2)(randn({3, 2, 5, 6})).shape() == Shape{3, 4, 3, 3});
  check_error("[conv2d]", [&] { block(randn({3, 3, 5, 6})); });
  CHECK_THROWS_AS(block(randn({2, 2})), Error);
  CHECK_THROWS_AS(nn::BasicBlock(0, 4), Error);
}

}  // namespace
}  // namespace tarsier
