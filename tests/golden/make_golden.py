#!/usr/bin/python3
"""Makes the reference numbers of tests/nn and tests/optim with PyTorch (written with 1.13).

    /usr/bin/python3 tests/golden/make_golden.py

writes layers.safetensors and optim.safetensors beside itself: f64, with random inputs, weights and
upstream gradients from a fixed seed. Names are "case.x", "case.y", "case.dy", "case.dx",
"case.state.<key>" and "case.grad.<key>".
"""
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

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


def record(case, module, inputs, run):
    """Runs, walks back from a random upstream gradient, and notes everything."""
    for name, x in inputs.items():
        out[f"{case}.{name}"] = x.detach().clone()
        if x.is_floating_point():
            x.requires_grad_(True)
    if module is not None:
        for name, value in module.state_dict().items():
            out[f"{case}.state.{name}"] = value.clone()
    y = run(*inputs.values())
    dy = torch.randn_like(y)
    y.backward(dy)
    out[f"{case}.y"], out[f"{case}.dy"] = y, dy
    for name, x in inputs.items():
        if x.is_floating_point():
            out[f"{case}.d{name}"] = x.grad
    if module is not None:
        for name, parameter in module.named_parameters():
            out[f"{case}.grad.{name}"] = parameter.grad


# ------------------------------------------------------------------------------------------ layers
for case, module in {"linear": torch.nn.Linear(5, 3), "linear_no_bias": torch.nn.Linear(5, 3, bias=False),
                     "layer_norm": torch.nn.LayerNorm(5),
                     "layer_norm_eps": torch.nn.LayerNorm(5, eps=0.1),
                     "layer_norm_plain": torch.nn.LayerNorm(5, elementwise_affine=False),
                     "gelu": torch.nn.GELU(), "gelu_tanh": torch.nn.GELU(approximate="tanh")}.items():
    randomize(module)
    record(case, module, {"x": 3 * torch.randn(2, 4, 5)}, module)

for case, padding in {"embedding": None, "embedding_padding": 2}.items():
    module = torch.nn.Embedding(6, 3, padding_idx=padding)
    randomize(module)
    record(case, module, {"x": torch.tensor([[0, 5, 2, 2], [5, 1, 0, 2]])}, module)


# --------------------------------------------------------------------------------------- attention
def attention(case, T, S, self_attention=False, **options):
    B, C, H = 3, 8, 2
    module = torch.nn.MultiheadAttention(C, H, **options.pop("module", {}))
    randomize(module)
    shape = (lambda n: (B, n, C)) if module.batch_first else (lambda n: (n, B, C))
    for name in ("attn_mask", "key_padding_mask"):
        if name in options:
            out[f"{case}.{name}"] = options[name]
    if self_attention:
        inputs = {"x": torch.randn(shape(T))}
        spread = lambda x: (x, x, x)
    else:
        inputs = {name: torch.randn(shape(n)) for name, n in
                  (("query", T), ("key", S), ("value", S))}
        spread = lambda *three: three
    record(case, module, inputs, lambda *given: module(*spread(*given), need_weights=False, **options)[0])
    given = spread(*[out[f"{case}.{name}"] for name in inputs])
    out[f"{case}.weights"] = module(*given, **options)[1]
    out[f"{case}.weights_by_head"] = module(*given, average_attn_weights=False, **options)[1]


padding = torch.tensor([[False] * 5, [False, False, True, True, True], [True, False, False, True, False]])
causal = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
attention("mha_self", 5, 5, self_attention=True)
attention("mha_no_bias", 5, 5, self_attention=True, module={"bias": False})
attention("mha_causal", 5, 5, self_attention=True, attn_mask=causal, module={"batch_first": True})
attention("mha_cross", 4, 5, module={"batch_first": True})
attention("mha_padding", 4, 5, key_padding_mask=padding)
some = torch.rand(4, 5) < 0.5
some[:, 2] = False  # every query sees a key
attention("mha_mask", 4, 5, attn_mask=some)
attention("mha_heads", 4, 5, attn_mask=torch.randn(6, 4, 5), module={"batch_first": True})
attention("mha_both", 5, 5, self_attention=True, attn_mask=causal, key_padding_mask=padding * torch.tensor([0, 1, 1, 1, 1]).bool())
attention("mha_both_float", 4, 5, attn_mask=torch.randn(4, 5), key_padding_mask=padding)

# Queries that may look at nothing: PyTorch gives NaN there, so the function is written out, with
# weights of 0 for such rows.
B, T, S, C, H = 3, 4, 5, 8, 2
module = torch.nn.MultiheadAttention(C, H, batch_first=True)
randomize(module)
blind = torch.rand(T, S) < 0.5
blind[1] = True
all_padding = padding.clone()
all_padding[2] = True
out["mha_blind.attn_mask"], out["mha_blind.key_padding_mask"] = blind, all_padding


def blind_attention(query, key, value):
    maps = zip((query, key, value), module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3))
    q, k, v = [F.linear(x, w, b).view(B, -1, H, C // H).transpose(1, 2) for x, w, b in maps]
    hidden = blind | all_padding[:, None, None, :]
    scores = (q @ k.transpose(-2, -1) / math.sqrt(C // H)).masked_fill(hidden, -1e30)
    weights = torch.softmax(scores, -1) * ~hidden
    out["mha_blind.weights_by_head"] = weights
    out["mha_blind.weights"] = weights.mean(1)
    return module.out_proj((weights @ v).transpose(1, 2).reshape(B, T, C))


record("mha_blind", module, {"query": torch.randn(B, T, C), "key": torch.randn(B, S, C),
                             "value": torch.randn(B, S, C)}, blind_attention)
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
