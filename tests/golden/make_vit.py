#!/usr/bin/env python3
"""Makes the reference numbers of tests/zoo/vit_parity_test.cpp with PyTorch.

    python3 tests/golden/make_vit.py

writes vit.safetensors in its folder: for each case images, labels, the weights at the start
("case.state.<key>"), logits, loss, the gradient of every weight ("case.grad.<key>") and of the
images, and the losses of ten steps of AdamW on that batch ("case.curve").
"""
import os
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261121)
HERE = os.path.dirname(os.path.abspath(__file__))
out = {}

CHANNELS, HEIGHT, WIDTH, PATCH, CLASSES = 3, 12, 8, 4, 5
D, LAYERS, HEADS, MLP = 12, 2, 3, 20


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2021, under the names of zoo/vit/vit.h."""

    def __init__(self, class_token, convolutions):
        super().__init__()
        if convolutions:  # Xiao et al. 2021
            self.stem = nn.Sequential(OrderedDict([
                ("conv1", nn.Conv2d(CHANNELS, D // 2, 3, stride=2, padding=1, bias=False)),
                ("norm1", nn.BatchNorm2d(D // 2)), ("relu1", nn.ReLU()),
                ("conv2", nn.Conv2d(D // 2, D, 3, stride=2, padding=1, bias=False)),
                ("norm2", nn.BatchNorm2d(D)), ("relu2", nn.ReLU()),
                ("patches", nn.Conv2d(D, D, 1))]))
        else:
            self.stem = nn.Sequential(OrderedDict([
                ("patches", nn.Conv2d(CHANNELS, D, PATCH, stride=PATCH))]))
        tokens = (HEIGHT // PATCH) * (WIDTH // PATCH) + class_token
        self.class_token = nn.Parameter(torch.zeros(1, 1, D)) if class_token else None
        self.position_embedding = nn.Parameter(torch.zeros(1, tokens, D))
        layer = nn.TransformerEncoderLayer(D, HEADS, MLP, dropout=0, activation="gelu",
                                           layer_norm_eps=1e-6, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(D, 1e-6),
                                             enable_nested_tensor=False)
        self.head = nn.Linear(D, CLASSES)

    def forward(self, images):
        x = self.stem(images).flatten(2).transpose(1, 2)
        if self.class_token is not None:
            x = torch.cat([self.class_token.expand(len(x), 1, D), x], 1)
        x = self.encoder(x + self.position_embedding)
        return self.head(x[:, 0] if self.class_token is not None else x.mean(1))


def record(case, class_token, convolutions):
    model = VisionTransformer(class_token, convolutions)
    with torch.no_grad():  # the usual small weights are nearly linear, and hide mistakes
        for name, weight in model.named_parameters():
            center = 1 if "norm" in name and name.endswith("weight") else 0
            weight.copy_(center + 0.3 * torch.randn_like(weight))
    images = torch.randn(4, CHANNELS, HEIGHT, WIDTH, requires_grad=True)
    labels = torch.randint(0, CLASSES, (4,))
    out.update({f"{case}.images": images, f"{case}.labels": labels})
    for name, value in model.state_dict().items():
        out[f"{case}.state.{name}"] = value.clone()

    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    out.update({f"{case}.logits": logits, f"{case}.loss": loss, f"{case}.dimages": images.grad})
    for name, weight in model.named_parameters():
        out[f"{case}.grad.{name}"] = weight.grad.clone()

    model.load_state_dict({name: out[f"{case}.state.{name}"] for name in model.state_dict()})
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    curve = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images.detach()), labels)
        loss.backward()
        optimizer.step()
        curve.append(loss.detach())
    out[f"{case}.curve"] = torch.stack(curve)
    print(case, [round(float(loss), 4) for loss in curve])


record("class_token", class_token=True, convolutions=False)
record("mean", class_token=False, convolutions=True)
save_finite(os.path.join(HERE, "vit.safetensors"), out)
