#!/usr/bin/env python3
"""Makes the reference numbers of tests/zoo/gpt_parity_test.cpp: a GPT as nanoGPT has it, in PyTorch.

    python3 tests/golden/make_gpt.py

writes gpt.safetensors in its folder, with two cases, "bias" and "plain" (without biases):
"case.state.<key>" the weights; "case.x" and "case.y" ten batches; "case.logits", "case.loss" and
"case.grad.<key>" of the first; "case.losses" of ten steps of AdamW, one on each batch, and
"case.after.<key>" the weights after them.
"""
import os

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261121)
HERE = os.path.dirname(os.path.abspath(__file__))
V, C, H, T, B, LAYERS = 11, 8, 2, 5, 3, 2


class Block(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(C, bias=bias), nn.LayerNorm(C, bias=bias)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(C, 3 * C, bias), "c_proj": nn.Linear(C, C, bias)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(C, 4 * C, bias), "c_proj": nn.Linear(4 * C, C, bias)})

    def forward(self, x):
        heads = [part.view(B, T, H, C // H).transpose(1, 2)
                 for part in self.attn.c_attn(self.ln_1(x)).split(C, dim=2)]
        y = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.attn.c_proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(V, C), "wpe": nn.Embedding(T, C),
            "h": nn.ModuleList(Block(bias) for _ in range(LAYERS)), "ln_f": nn.LayerNorm(C, bias=bias)})
        self.lm_head = nn.Linear(C, V, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, index):
        t = self.transformer
        x = t.wte(index) + t.wpe(torch.arange(T))
        for block in t.h:
            x = block(x)
        return self.lm_head(t.ln_f(x))

    def loss(self, x, y):
        return F.cross_entropy(self(x).flatten(0, 1), y.flatten())


out = {}
for case, bias in {"bias": True, "plain": False}.items():
    model = Gpt(bias)
    with torch.no_grad():  # the usual small weights are nearly linear, and hide mistakes
        for name, parameter in model.named_parameters():
            center = 1 if "ln" in name and name.endswith("weight") else 0
            parameter.copy_(center + 0.4 * torch.randn_like(parameter))
    text = torch.randint(0, V, (10, B, T + 1))
    x, y = text[..., :-1], text[..., 1:]
    out.update({f"{case}.state.{name}": value.clone() for name, value in model.state_dict().items()})
    out.update({f"{case}.x": x, f"{case}.y": y, f"{case}.logits": model(x[0])})

    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    # The bias of the keys has no influence, so that its gradient is rounding error. The default eps,
    # 1e-8, makes steps of it that are visible in f64.
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=1e-2, betas=(0.9, 0.95), eps=1e-6)
    losses = []
    for step in range(10):
        optimizer.zero_grad()
        loss = model.loss(x[step], y[step])
        loss.backward()
        if step == 0:
            out.update({f"{case}.grad.{name}": parameter.grad.clone()
                        for name, parameter in model.named_parameters()})
        optimizer.step()
        losses.append(loss.detach())
    out.update({f"{case}.loss": losses[0], f"{case}.losses": torch.stack(losses)})
    out.update({f"{case}.after.{name}": value.clone() for name, value in model.state_dict().items()})

save_finite(os.path.join(HERE, "gpt.safetensors"), out)
