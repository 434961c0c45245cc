#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/residual_test.cpp with PyTorch.

    python3 tests/golden/make_residual.py

writes residual.safetensors in its folder, in the form of make_conv.py, with the buffers afterwards.
The block is written out from the paper, with torchvision's names.
"""
import os

import torch
from torch import nn

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261130)
HERE = os.path.dirname(os.path.abspath(__file__))
out = {}


class BasicBlock(nn.Module):
    """He et al. 2016, figure 5 on the left."""
    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False),
                                            nn.BatchNorm2d(planes))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


for case, sizes, image in (("same", (3, 3, 1), (4, 5)), ("wider", (2, 3, 1), (3, 4)),
                           ("smaller", (2, 4, 2), (5, 6))):
    module = BasicBlock(*sizes)
    x = torch.randn(2, sizes[0], *image, requires_grad=True)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    for name, value in module.state_dict().items():
        out[f"{case}.state.{name}"] = value.clone()
    y = module(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    out.update({f"{case}.x": x.detach(), f"{case}.y": y, f"{case}.dy": dy, f"{case}.dx": x.grad})
    for name, parameter in module.named_parameters():
        out[f"{case}.grad.{name}"] = parameter.grad
    for name, value in module.state_dict().items():
        out[f"{case}.after.{name}"] = value.clone()

save_finite(os.path.join(HERE, "residual.safetensors"), out)
