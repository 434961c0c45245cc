#include "nn/layers/residual.h"

namespace tarsier::nn {

BasicBlock::BasicBlock(int64_t inplanes, int64_t planes, int64_t stride)
    : conv1(inplanes, planes, 3, {.stride = stride, .padding = 1}, false),
      bn1(planes),
      conv2(planes, planes, 3, {.padding = 1}, false),
      bn2(planes) {
  register_module("conv1", conv1);
  register_module("bn1", bn1);
  register_module("conv2", conv2);
  register_module("bn2", bn2);
  if (stride == 1 && inplanes == planes) return;
  register_module("downsample", downsample);
  downsample.add<Conv2d>(inplanes, planes, 1, Conv2dOptions{.stride = stride}, false);
  downsample.add<BatchNorm2d>(planes);
}

Tensor BasicBlock::forward(const Arg& x) {
  const Tensor changed = bn2(conv2(relu(bn1(conv1(x)))));
  return relu(changed + (downsample.size() > 0 ? downsample(x) : Tensor(x)));
}

}  // namespace tarsier::nn
