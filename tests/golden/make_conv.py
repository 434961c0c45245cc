#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/small_layers_test.cpp and conv_test.cpp with PyTorch.

    python3 tests/golden/make_conv.py

writes conv.safetensors in its folder, in the form of make_golden.py: "case.x", "case.y", "case.dy",
"case.dx", "case.state.<key>" and "case.grad.<key>"; with "case.after.<key>" for buffers that the
call changed.
"""
import os

import torch
import torch.nn.functional as F
from torch import nn

from record import out, record
from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20250102)
HERE = os.path.dirname(os.path.abspath(__file__))


# ------------------------------------------------------------------------------------ small layers
record("bilinear", nn.Bilinear(5, 3, 4), torch.randn(2, 6, 5), torch.randn(2, 6, 3))
record("bilinear_no_bias", nn.Bilinear(5, 3, 4, bias=False), torch.randn(7, 5), torch.randn(7, 3))
record("layer_norm_two", nn.LayerNorm((3, 5)), 3 * torch.randn(2, 4, 3, 5) + 1)
record("layer_norm_no_bias", nn.LayerNorm((3, 5), bias=False), torch.randn(4, 3, 5))
record("rms_norm", nn.RMSNorm(7), 3 * torch.randn(3, 7) + 1)
record("rms_norm_two", nn.RMSNorm((3, 5), eps=0.1), torch.randn(2, 3, 5))
record("rms_norm_plain", nn.RMSNorm(7, elementwise_affine=False), torch.randn(3, 7))
record("group_norm", nn.GroupNorm(2, 6), 3 * torch.randn(3, 6, 5, 3) + 1)
record("group_norm_eps", nn.GroupNorm(3, 6, eps=0.1), torch.randn(3, 6, 5))
record("group_norm_plain", nn.GroupNorm(1, 6, affine=False), torch.randn(3, 6, 2))


def batch_norm(case, module, *shape):
    """After a batch of other numbers, so that nothing is at its start; while training, then not."""
    module(2 * torch.randn(shape) + 1)
    record(case, module, 3 * torch.randn(shape) - 1)
    module.zero_grad()
    record(case + "_eval", module.eval(), 3 * torch.randn(shape) - 1)


batch_norm("batch_norm1d", nn.BatchNorm1d(5), 7, 5)
batch_norm("batch_norm1d_time", nn.BatchNorm1d(5, eps=0.1, momentum=0.3), 3, 5, 4)
batch_norm("batch_norm2d", nn.BatchNorm2d(3), 5, 3, 4, 7)
batch_norm("batch_norm2d_average", nn.BatchNorm2d(3, momentum=None), 5, 3, 4, 7)
batch_norm("batch_norm2d_plain", nn.BatchNorm2d(3, affine=False), 2, 3, 4, 5)
batch_norm("batch_norm2d_untracked", nn.BatchNorm2d(3, track_running_stats=False), 2, 3, 4, 5)

for mode in ("mean", "sum"):
    record(f"embedding_bag_{mode}", nn.EmbeddingBag(6, 3, mode=mode),
           torch.tensor([[0, 5, 2, 2], [5, 1, 0, 2]]))
    record(f"embedding_bag_{mode}_offsets", nn.EmbeddingBag(6, 3, mode=mode),
           x=torch.tensor([0, 5, 2, 2, 5, 1, 2]), offsets=torch.tensor([0, 3, 3, 5]))

for case, module in {"leaky_relu": nn.LeakyReLU(0.2), "elu": nn.ELU(1.5),
                     "softplus": nn.Softplus(2, 3), "softmax": nn.Softmax(1),
                     "log_softmax": nn.LogSoftmax(-1), "glu": nn.GLU(), "glu_dim": nn.GLU(1),
                     "flatten": nn.Flatten(), "flatten_some": nn.Flatten(0, 1),
                     "unflatten": nn.Unflatten(1, (2, 2)), "identity": nn.Identity()}.items():
    record(case, module, 2 * torch.randn(3, 4, 6))
# No PyTorch modules: Shazeer 2020, with the halves as in torch.nn.GLU.
record("swiglu", lambda x: x[..., :3] * F.silu(x[..., 3:]), 2 * torch.randn(2, 4, 6))
record("geglu", lambda x: x[..., :3] * F.gelu(x[..., 3:]), 2 * torch.randn(2, 4, 6))


# ------------------------------------------------------------------------------------ convolutions
record("conv1d", nn.Conv1d(3, 4, 3), torch.randn(2, 3, 11))
record("conv1d_options", nn.Conv1d(4, 6, 3, stride=2, padding=3, dilation=2, groups=2),
       torch.randn(3, 4, 7))
record("conv1d_no_bias", nn.Conv1d(2, 3, 1, bias=False), torch.randn(2, 2, 5))
record("conv2d", nn.Conv2d(3, 5, 3), torch.randn(2, 3, 5, 7))
record("conv2d_uneven", nn.Conv2d(2, 3, (2, 5), stride=(3, 2), padding=(1, 0), dilation=(2, 1)),
       torch.randn(3, 2, 7, 10))
record("conv2d_groups", nn.Conv2d(4, 6, (3, 2), padding=(2, 1), groups=2), torch.randn(2, 4, 5, 4))
record("conv2d_depthwise", nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), torch.randn(2, 3, 6, 7))
record("conv2d_patches", nn.Conv2d(3, 7, 4, stride=4), torch.randn(2, 3, 8, 12))
record("conv2d_pixels", nn.Conv2d(5, 3, 1, bias=False), torch.randn(2, 5, 3, 4))
record("conv2d_pixels_stride", nn.Conv2d(5, 3, 1, stride=2), torch.randn(2, 5, 5, 4))
record("conv2d_padding", nn.Conv2d(1, 2, 3, padding=3), torch.randn(2, 1, 1, 2))
record("conv_transpose2d", nn.ConvTranspose2d(3, 4, 3), torch.randn(2, 3, 4, 5))
record("conv_transpose2d_up", nn.ConvTranspose2d(3, 4, 2, stride=2), torch.randn(2, 3, 3, 5))
record("conv_transpose2d_options", nn.ConvTranspose2d(
    4, 6, (3, 2), stride=(2, 3), padding=(1, 2), output_padding=(1, 2), groups=2, dilation=(1, 2)),
    torch.randn(2, 4, 3, 4))
record("conv_transpose2d_no_bias", nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, bias=False),
       torch.randn(1, 2, 3, 4))

for case, module in {
        "max_pool2d": nn.MaxPool2d(2), "max_pool2d_overlap": nn.MaxPool2d(3, stride=2, padding=1),
        "max_pool2d_options": nn.MaxPool2d((2, 3), stride=(2, 1), padding=(1, 0), dilation=(3, 2)),
        "max_pool2d_ceil": nn.MaxPool2d((3, 2), stride=(2, 3), padding=(1, 0), ceil_mode=True),
        "avg_pool2d": nn.AvgPool2d(2), "avg_pool2d_padding": nn.AvgPool2d(3, stride=2, padding=1),
        "avg_pool2d_inside": nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        "avg_pool2d_ceil": nn.AvgPool2d(4, stride=2, padding=1, ceil_mode=True),
        "avg_pool2d_ceil_inside": nn.AvgPool2d(4, stride=2, padding=1, ceil_mode=True,
                                               count_include_pad=False),
        "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d((3, 5)),
        "adaptive_avg_pool2d_one": nn.AdaptiveAvgPool2d(1),
        "adaptive_avg_pool2d_up": nn.AdaptiveAvgPool2d((10, 2)),
        "nearest_size": nn.Upsample(size=(10, 5)), "nearest_factor": nn.Upsample(scale_factor=1.7),
        "nearest_double": nn.Upsample(scale_factor=2),
        "bilinear_size": nn.Upsample(size=(10, 5), mode="bilinear"),
        "bilinear_factor": nn.Upsample(scale_factor=1.7, mode="bilinear"),
        "bilinear_half": nn.Upsample(scale_factor=0.5, mode="bilinear"),
        "bilinear_corners": nn.Upsample(size=(10, 5), mode="bilinear", align_corners=True),
        "bilinear_corners_factor": nn.Upsample(scale_factor=1.7, mode="bilinear",
                                               align_corners=True),
        "bilinear_one": nn.Upsample(size=(1, 1), mode="bilinear", align_corners=True)}.items():
    record(case, module, torch.randn(2, 2, 5, 7))
ties = torch.randint(0, 3, (2, 2, 5, 7)).double()  # equal elements in most windows
record("max_pool2d_ties", nn.MaxPool2d(3, stride=2), ties)

# --------------------------------------------------------------------------- activations, the plain
for name, module in {"relu": nn.ReLU(), "silu": nn.SiLU(), "tanh": nn.Tanh(),
                     "sigmoid": nn.Sigmoid()}.items():
    record(name, module, 2 * torch.randn(3, 5))

save_finite(os.path.join(HERE, "conv.safetensors"), out)
