"""A GPT in plain PyTorch: the model that tarsier trained, under the same names.

    model = load("model.pt")         # the weights that tarsier kept
    logits = model(tokens)           # (B, T) -> (B, T, vocabulary)

config.json next to this file has the sizes and the parts. B batch, T time, C width, H heads,
D = C/H the size of a head.
"""
import json
import math
import os

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Norm(nn.Module):
    """Layer norm or RMSNorm over the last dimension."""

    def __init__(self, c):
        super().__init__()
        self.rms, self.eps = c["norm"] == "rms", c["layer_norm_eps"]
        self.weight = nn.Parameter(torch.ones(c["n_embd"]))
        with_bias = c["bias"] and not self.rms
        self.bias = nn.Parameter(torch.zeros(c["n_embd"])) if with_bias else None

    def forward(self, x):
        if self.rms:
            return F.rms_norm(x, self.weight.shape, self.weight, self.eps)
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def rotated(x):
    """Queries or keys (B, H, T, D), turned by angles that grow with the position."""
    T, half = x.shape[-2], x.shape[-1] // 2
    frequency = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=x.device) / half)
    angle = torch.arange(T, dtype=torch.float64, device=x.device)[:, None] * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def alibi_slopes(heads):
    """How fast the scores of each head fall with the distance."""
    below = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * h / below) for h in range(1, below + 1)]
    between = [2 ** (-8 * h / (2 * below)) for h in range(1, 2 * below + 1, 2)]
    return torch.tensor(slopes + between[: heads - below])


class CausalSelfAttention(nn.Module):
    """Every position looks at itself and the block_size - 1 before it."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.c_attn = nn.Linear(c["n_embd"], 3 * c["n_embd"], bias=c["bias"])
        self.c_proj = nn.Linear(c["n_embd"], c["n_embd"], bias=c["bias"])
        self.resid_dropout = nn.Dropout(c["dropout"])

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (part.view(B, T, self.c["n_head"], -1).transpose(1, 2)
                   for part in self.c_attn(x).split(C, dim=2))
        if self.c["qk_norm"]:
            q, k = (F.rms_norm(part, part.shape[-1:], eps=1e-6) for part in (q, k))
        if self.c["position"] == "rotary":
            q, k = rotated(q), rotated(k)
        place = torch.arange(T, device=x.device)
        distance = place[:, None] - place
        seen = (distance >= 0) & (distance < self.c["block_size"])
        bias = torch.zeros(T, T, device=x.device, dtype=x.dtype).masked_fill(~seen, -math.inf)
        if self.c["position"] == "alibi":
            slopes = alibi_slopes(self.c["n_head"]).to(x.device, x.dtype)
            bias = bias - slopes[:, None, None] * distance.abs()
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias, dropout_p=self.c["dropout"] if self.training else 0)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.kind = c["mlp"]
        width = c["mlp_width"]
        self.c_fc = nn.Linear(c["n_embd"], (2 if self.kind == "swiglu" else 1) * width, bias=c["bias"])
        self.c_proj = nn.Linear(width, c["n_embd"], bias=c["bias"])
        self.dropout = nn.Dropout(c["dropout"])

    def forward(self, x):
        x = self.c_fc(x)
        if self.kind == "swiglu":
            a, b = x.chunk(2, -1)
            x = a * F.silu(b)
        else:
            x = F.relu(x).square() if self.kind == "relu2" else F.gelu(x)
        return self.dropout(self.c_proj(x))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1, self.attn = Norm(c), CausalSelfAttention(c)
        self.ln_2, self.mlp = Norm(c), MLP(c)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


def sinusoidal(T, C, like):
    """The positions as sines and cosines: (T, C)."""
    even = torch.arange(0, C, 2, dtype=torch.float64, device=like.device)
    angle = torch.arange(T, dtype=torch.float64, device=like.device)[:, None] / 10000 ** (even / C)
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)[:, :C].to(like.dtype)


class Body(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.wte = nn.Embedding(c["vocab_size"], c["n_embd"])
        if c["position"] == "learned":
            self.wpe = nn.Embedding(c["block_size"], c["n_embd"])
        self.drop = nn.Dropout(c["dropout"])
        self.h = nn.ModuleList(Block(c) for _ in range(c["n_layer"]))
        self.ln_f = Norm(c)

    def forward(self, tokens):
        T, C = tokens.shape[1], self.c["n_embd"]
        x = self.wte(tokens)
        if self.c["position"] == "learned":
            x = x + self.wpe.weight[:T]
        if self.c["position"] == "sinusoidal":
            x = x * math.sqrt(C)
            x = x + sinusoidal(T, C, x)
        x = self.drop(x)
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class Model(nn.Module):
    """Logits of the next token at every position: (B, T) -> (B, T, vocabulary)."""

    def __init__(self, c):
        super().__init__()
        self.config = c
        self.transformer = Body(c)
        self.lm_head = nn.Linear(c["n_embd"], c["vocab_size"], bias=False)
        if c["tied"]:
            self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens):
        return self.lm_head(self.transformer(tokens))

    def loss(self, tokens, targets):
        """The mean cross-entropy, in nats per token."""
        return F.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())
