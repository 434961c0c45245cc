#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/images_test.cpp with PyTorch (written with 2.15).

    python3 tests/golden/make_images.py

writes images.safetensors next to itself: padding by words, single images, one dimension, instance
norms and bags. The names of every case are those of make_conv.py.
"""
import os
import warnings

import torch
from torch import nn

from record import out, record
from safetensors_file import save_finite

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)
torch.manual_seed(20261130)

# ---------------------------------------------------------------------------------- padding by words
record("conv1d_same", nn.Conv1d(2, 4, 3, padding="same"), torch.randn(2, 2, 6))
record("conv1d_same_even", nn.Conv1d(2, 4, 4, padding="same", groups=2), torch.randn(2, 2, 6))
record("conv1d_same_dilated", nn.Conv1d(2, 3, 2, padding="same", dilation=3), torch.randn(2, 2, 5))
record("conv1d_valid", nn.Conv1d(2, 3, 3, padding="valid", stride=2), torch.randn(2, 2, 8))
record("conv2d_same", nn.Conv2d(2, 3, 3, padding="same", dilation=2), torch.randn(2, 2, 5, 4))
record("conv2d_same_even", nn.Conv2d(2, 4, (2, 4), padding="same", groups=2), torch.randn(2, 2, 3, 5))
record("conv2d_same_mixed", nn.Conv2d(1, 2, (3, 2), padding="same", bias=False), torch.randn(2, 1, 4, 4))
record("conv2d_valid", nn.Conv2d(2, 3, 3, padding="valid"), torch.randn(2, 2, 4, 5))

# ------------------------------------------------------------------------------------- single images
image, row = (2, 5, 6), (2, 7)
for case, module in {
        "conv2d_single": nn.Conv2d(2, 3, 3, padding=1),
        "conv2d_same_single": nn.Conv2d(2, 3, 2, padding="same"),
        "conv_transpose2d_single": nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1),
        "max_pool2d_single": nn.MaxPool2d(2), "avg_pool2d_single": nn.AvgPool2d(3, 2, 1),
        "adaptive_avg_pool2d_single": nn.AdaptiveAvgPool2d((2, 4))}.items():
    record(case, module, torch.randn(image))
for case, module in {
        "conv1d_single": nn.Conv1d(2, 3, 3, stride=2, padding=1),
        "conv_transpose1d_single": nn.ConvTranspose1d(2, 3, 3, stride=2),
        "max_pool1d_single": nn.MaxPool1d(3, stride=1), "avg_pool1d_single": nn.AvgPool1d(2),
        "adaptive_avg_pool1d_single": nn.AdaptiveAvgPool1d(3)}.items():
    record(case, module, torch.randn(row))

# ------------------------------------------------------------------------------------ one dimension
record("conv_transpose1d", nn.ConvTranspose1d(3, 4, 3), torch.randn(2, 3, 5))
record("conv_transpose1d_options", nn.ConvTranspose1d(
    4, 6, 3, stride=3, padding=2, output_padding=2, groups=2, dilation=2), torch.randn(2, 4, 5))
record("conv_transpose1d_no_bias", nn.ConvTranspose1d(2, 3, 2, stride=2, bias=False), torch.randn(1, 2, 4))
for case, module in {
        "max_pool1d": nn.MaxPool1d(2), "max_pool1d_overlap": nn.MaxPool1d(3, stride=2, padding=1),
        "max_pool1d_options": nn.MaxPool1d(3, stride=2, padding=1, dilation=2, ceil_mode=True),
        "avg_pool1d": nn.AvgPool1d(2), "avg_pool1d_padding": nn.AvgPool1d(3, stride=2, padding=1),
        "avg_pool1d_inside": nn.AvgPool1d(4, stride=3, padding=2, ceil_mode=True, count_include_pad=False),
        "avg_pool1d_ceil": nn.AvgPool1d(4, stride=3, padding=1, ceil_mode=True),
        "adaptive_avg_pool1d": nn.AdaptiveAvgPool1d(4),
        "adaptive_avg_pool1d_up": nn.AdaptiveAvgPool1d(15)}.items():
    record(case, module, torch.randn(2, 3, 11))


# ----------------------------------------------------------------------------------- instance norms
def instance_norm(case, module, *shape):
    """As batch_norm() in make_conv.py."""
    module(2 * torch.randn(shape) + 1)
    record(case, module, 3 * torch.randn(shape) - 1)
    module.zero_grad()
    record(case + "_eval", module.eval(), 3 * torch.randn(shape) - 1)


instance_norm("instance_norm1d", nn.InstanceNorm1d(3), 4, 3, 5)
instance_norm("instance_norm1d_single", nn.InstanceNorm1d(3, affine=True), 3, 5)
instance_norm("instance_norm1d_tracked", nn.InstanceNorm1d(
    3, eps=0.1, momentum=0.3, affine=True, track_running_stats=True), 4, 3, 5)
instance_norm("instance_norm2d", nn.InstanceNorm2d(2, affine=True), 3, 2, 4, 3)
instance_norm("instance_norm2d_tracked", nn.InstanceNorm2d(2, track_running_stats=True), 3, 2, 4, 3)
instance_norm("instance_norm2d_single", nn.InstanceNorm2d(2, track_running_stats=True), 2, 4, 3)
instance_norm("instance_norm2d_fixed", nn.InstanceNorm2d(
    2, momentum=None, affine=True, track_running_stats=True), 3, 2, 4, 3)

# --------------------------------------------------------------------------------------------- bags
rows = torch.tensor([[0, 5, 2, 2], [5, 1, 0, 2], [1, 1, 1, 1]])
flat, offsets = torch.tensor([0, 5, 2, 1, 5, 1, 1, 2]), torch.tensor([0, 3, 3, 5, 7])
for mode in ("mean", "sum", "max"):
    for name, padding in (("", None), ("_padding", 1)):
        if mode == "max" or padding:
            record(f"bag_{mode}{name}", nn.EmbeddingBag(6, 3, mode=mode, padding_idx=padding), rows)
            record(f"bag_{mode}{name}_offsets", nn.EmbeddingBag(6, 3, mode=mode, padding_idx=padding),
                   x=flat, offsets=offsets)


class WeightedRows(nn.EmbeddingBag):
    def forward(self, x, weights):
        return super().forward(x, per_sample_weights=weights)


for name, padding in (("", None), ("_padding", 1)):
    record(f"bag_weights{name}", WeightedRows(6, 3, mode="sum", padding_idx=padding),
           x=rows, weights=torch.randn(3, 4))
    record(f"bag_weights{name}_offsets", nn.EmbeddingBag(6, 3, mode="sum", padding_idx=padding),
           x=flat, offsets=offsets, weights=torch.randn(8))

save_finite(os.path.join(os.path.dirname(os.path.abspath(__file__)), "images.safetensors"), out)
