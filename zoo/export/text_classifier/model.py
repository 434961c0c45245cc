"""A text classifier in plain PyTorch: the model that tarsier trained, under the same names.

    model = load("model.pt")             # the weights that tarsier kept
    logits = model(tokens, padding)      # (B, T), (B, T) -> (B, classes)

config.json next to this file has the sizes and the parts. B batch, T time, C width.
"""
import json
import os

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))


def sinusoidal(T, C, like):
    """The positions as sines and cosines: (T, C)."""
    even = torch.arange(0, C, 2, dtype=torch.float64, device=like.device)
    angle = torch.arange(T, dtype=torch.float64, device=like.device)[:, None] / 10000 ** (even / C)
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)[:, :C].to(like.dtype)


class Model(nn.Module):
    """Logits of the classes; `padding` (B, T) is true at tokens to ignore."""

    def __init__(self, c):
        super().__init__()
        self.c, width, eps = c, c["width"], c["layer_norm_eps"]
        self.embedding = nn.Embedding(c["vocab_size"], width)
        if c["pairs"]:
            self.pair_embedding = nn.Embedding(c["pairs"] + 1, width)
            self.register_buffer("pair_keys", torch.full((c["pairs"],), -1))
        if c["position"] == "learned":
            self.positions = nn.Embedding(c["max_length"], width)
        self.embedding_norm = nn.LayerNorm(width, eps) if c["norm"] == "post" else None
        self.dropout = nn.Dropout(c["dropout"])
        layer = nn.TransformerEncoderLayer(
            width, c["heads"], c["mlp_width"], c["dropout"], "gelu", eps, batch_first=True,
            norm_first=c["norm"] == "pre")
        self.encoder = nn.TransformerEncoder(
            layer, c["layers"], nn.LayerNorm(width, eps) if c["norm"] == "pre" else None,
            enable_nested_tensor=False)
        self.head = nn.Linear(width, c["classes"])

    def pair_rows(self, tokens):
        """The row of the pair embedding for each token and the one before it; 0: other pairs."""
        rows = torch.zeros_like(tokens)
        keys = tokens[:, :-1] * self.c["vocab_size"] + tokens[:, 1:]
        found = torch.searchsorted(self.pair_keys, keys).clamp(max=len(self.pair_keys) - 1)
        rows[:, 1:] = torch.where(self.pair_keys[found] == keys, found + 1, 0)
        return rows

    def forward(self, tokens, padding=None):
        padding = torch.zeros_like(tokens, dtype=torch.bool) if padding is None else padding
        x = self.embedding(tokens)
        if self.c["pairs"]:
            x = x + self.pair_embedding(self.pair_rows(tokens))
        x = x * self.c["embedding_scale"]
        if self.c["position"] == "learned":
            x = x + self.positions.weight[: tokens.shape[1]]
        if self.c["position"] == "sinusoidal":
            x = x + sinusoidal(*x.shape[1:], x)
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        x = self.encoder(self.dropout(x), src_key_padding_mask=padding)
        if self.c["pooling"] == "class_token":
            return self.head(self.dropout(x[:, 0]))
        seen = (~padding)[..., None].to(x.dtype)
        return self.head(self.dropout((x * seen).sum(1) / seen.sum(1)))

    def loss(self, tokens, labels):
        """The mean cross-entropy of texts without padding, in nats."""
        return F.cross_entropy(self(tokens), labels)
