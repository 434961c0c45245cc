"""A Vision Transformer in plain PyTorch: the model that tarsier trained, under the same names.

    model = load("model.pt")         # the weights that tarsier kept
    logits = model(images)           # (B, channels, height, width) -> (B, classes)

config.json next to this file has the sizes and the parts. B batch, N patches, C width.
"""
import json
import os
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))


def stem_of(c):
    """Images as vectors of patches: (B, channels, height, width) -> (B, C, rows, columns)."""
    parts, width = OrderedDict(), c["width"]
    if c["stem"] == "patches":
        parts["patches"] = nn.Conv2d(c["channels"], width, c["patch_size"], c["patch_size"])
        return nn.Sequential(parts)
    before = c["channels"]
    for i, after in enumerate(c["stem_widths"], 1):  # each halves the size
        parts[f"conv{i}"] = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        parts[f"norm{i}"] = nn.BatchNorm2d(after)
        parts[f"relu{i}"] = nn.ReLU()
        before = after
    parts["patches"] = nn.Conv2d(before, width, 1)
    return nn.Sequential(parts)


class Model(nn.Module):
    """Logits of the classes: (B, channels, height, width) -> (B, classes)."""

    def __init__(self, c):
        super().__init__()
        with_token = c["pooling"] == "class_token"
        positions = c["patches"] + (1 if with_token else 0)
        self.stem = stem_of(c)
        self.class_token = nn.Parameter(torch.zeros(1, 1, c["width"])) if with_token else None
        self.position_embedding = nn.Parameter(torch.zeros(1, positions, c["width"]))
        self.dropout = nn.Dropout(c["dropout"])
        layer = nn.TransformerEncoderLayer(
            c["width"], c["heads"], c["mlp_width"], c["dropout"], c["activation"],
            c["layer_norm_eps"], batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(
            layer, c["layers"], nn.LayerNorm(c["width"], c["layer_norm_eps"]),
            enable_nested_tensor=False)
        self.head = nn.Linear(c["width"], c["classes"])

    def forward(self, images):
        x = self.stem(images).flatten(2).transpose(1, 2)  # (B, N, C)
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(len(x), 1, -1), x), 1)
        x = self.encoder(self.dropout(x + self.position_embedding))
        return self.head(x[:, 0] if self.class_token is not None else x.mean(1))

    def loss(self, images, labels):
        """The mean cross-entropy, in nats."""
        return F.cross_entropy(self(images), labels)
