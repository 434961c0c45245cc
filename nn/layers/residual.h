#pragma once
// Convolutions with a connection around them.

#include "../container.h"
#include "../module.h"
#include "conv.h"
#include "norm.h"

namespace tarsier::nn {

/// The smaller block of ResNets: two convolutions 3 × 3, each with batch norm, and x added:
///   y = relu(bn2(conv2(relu(bn1(conv1(x))))) + s(x)),
/// (N, inplanes, H, W) → (N, planes, ⌈H / stride⌉, ⌈W / stride⌉). conv1 has the stride. s(x) is x if
/// it has the shape of the output, and otherwise downsample(x): a convolution 1 × 1 with the stride,
/// and batch norm. The convolutions have no biases, and start as in Conv2d.
/// Throws Error("conv2d") and Error("batch_norm") for images that do not fit.
/// Source: He et al. 2016, "Deep residual learning for image recognition".
/// As torchvision.models.resnet.BasicBlock, with its keys.
struct BasicBlock : Layer<BasicBlock> {
  Conv2d conv1;  ///< (planes, inplanes, 3, 3)
  BatchNorm2d bn1;
  Conv2d conv2;  ///< (planes, planes, 3, 3)
  BatchNorm2d bn2;
  Sequential downsample;  ///< no part of the block if x is added as it is

  BasicBlock(int64_t inplanes, int64_t planes, int64_t stride = 1);

  Tensor forward(const Arg& x);
};

}  // namespace tarsier::nn
