#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn and tests/optim with PyTorch.

    python3 tests/golden/make_golden.py

writes layers.safetensors and optim.safetensors in its folder: f64, with random inputs, weights and
upstream gradients from a fixed seed. Names are "case.x", "case.y", "case.dy", "case.dx",
"case.state.<key>" and "case.grad.<key>".
"""
import math
import os

import torch

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240607)
HERE = os.path.dirname(os.path.abspath(__file__))


out = {}


def randomize(module):
    """LayerNorm's 1 and 0, and the zero biases, would hide mistakes."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))


def record(case, module, x):
    """Runs, walks back from a random upstream gradient, and notes everything."""
    out[f"{case}.x"] = x.detach().clone()
    x.requires_grad_(x.is_floating_point())
    for name, value in module.state_dict().items():
        out[f"{case}.state.{name}"] = value.clone()
    y = module(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    out[f"{case}.y"], out[f"{case}.dy"] = y, dy
    if x.is_floating_point():
        out[f"{case}.dx"] = x.grad
    for name, parameter in module.named_parameters():
        out[f"{case}.grad.{name}"] = parameter.grad


# ------------------------------------------------------------------------------------------ layers
for case, module in {"linear": torch.nn.Linear(5, 3), "linear_no_bias": torch.nn.Linear(5, 3, bias=False),
                     "layer_norm": torch.nn.LayerNorm(5),
                     "layer_norm_eps": torch.nn.LayerNorm(5, eps=0.1),
                     "layer_norm_plain": torch.nn.LayerNorm(5, elementwise_affine=False),
                     "gelu": torch.nn.GELU(), "gelu_tanh": torch.nn.GELU(approximate="tanh")}.items():
    randomize(module)
    record(case, module, 3 * torch.randn(2, 4, 5))

for case, padding in {"embedding": None, "embedding_padding": 2}.items():
    module = torch.nn.Embedding(6, 3, padding_idx=padding)
    randomize(module)
    record(case, module, torch.tensor([[0, 5, 2, 2], [5, 1, 0, 2]]))

save_finite(os.path.join(HERE, "layers.safetensors"), out)


# -------------------------------------------------------------------------------------- optimisers
def get_lr(it, learning_rate, min_lr, warmup_iters, lr_decay_iters):
    """nanoGPT's train.py."""
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    if it > lr_decay_iters:
        return min_lr
    decay_ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (learning_rate - min_lr)


out = {"schedule": torch.tensor([get_lr(i, 0.1, 0.01, 10, 80) for i in range(100)])}
STEPS, NOTED = 100, (0, 1, 2, 3, 9, 49, 99)
out["grad.w"], out["grad.b"] = torch.randn(STEPS, 3, 7), torch.randn(STEPS, 5)
out["start.w"], out["start.b"] = torch.randn(3, 7), torch.randn(5)


def trajectory(case, make):
    """Two groups; the learning rate of the first follows the schedule; b has no gradient in every
    third step."""
    w, b = out["start.w"].clone().requires_grad_(), out["start.b"].clone().requires_grad_()
    optimizer = make(w, b)
    after_w, after_b = [], []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = float(out["schedule"][step])
        w.grad = out["grad.w"][step].clone()
        b.grad = None if step % 3 == 2 else out["grad.b"][step].clone()
        optimizer.step()
        if step in NOTED:
            after_w.append(w.detach().clone())
            after_b.append(b.detach().clone())
    out[f"{case}.w"], out[f"{case}.b"] = torch.stack(after_w), torch.stack(after_b)


trajectory("adamw", lambda w, b: torch.optim.AdamW(
    [{"params": [w]}, {"params": [b], "weight_decay": 0, "lr": 0.02}], betas=(0.9, 0.95),
    weight_decay=0.1))
trajectory("adamw_defaults", lambda w, b: torch.optim.AdamW([{"params": [w]}, {"params": [b]}]))
trajectory("adam", lambda w, b: torch.optim.Adam(
    [{"params": [w]}, {"params": [b], "lr": 0.02}], weight_decay=0.1, eps=1e-6))
trajectory("sgd", lambda w, b: torch.optim.SGD([{"params": [w]}, {"params": [b]}], lr=0.03))
trajectory("sgd_momentum", lambda w, b: torch.optim.SGD(
    [{"params": [w]}, {"params": [b]}], lr=0.03, momentum=0.9, dampening=0.2, weight_decay=0.1))
trajectory("sgd_nesterov", lambda w, b: torch.optim.SGD(
    [{"params": [w]}, {"params": [b]}], lr=0.03, momentum=0.8, nesterov=True))

for case, max_norm in {"clip_small": 0.5, "clip_large": 50.0}.items():
    w, b = torch.zeros(3, 7, requires_grad=True), torch.zeros(5, requires_grad=True)
    w.grad, b.grad = out["grad.w"][0].clone(), out["grad.b"][0].clone()
    out[f"{case}.norm"] = torch.nn.utils.clip_grad_norm_([w, b], max_norm).reshape(())
    out[f"{case}.w"], out[f"{case}.b"] = w.grad, b.grad
w = torch.zeros(3, 7, requires_grad=True)
w.grad = out["grad.w"][0].clone()
torch.nn.utils.clip_grad_value_([w], 0.7)
out["clip_value.w"] = w.grad
save_finite(os.path.join(HERE, "optim.safetensors"), out)
