#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/kinks_test.cpp with PyTorch.

    python3 tests/golden/make_kinks.py

writes kinks.safetensors in its folder: gradients where a function has a corner or elements are equal,
as "name.x", "name.x2", ..., and for the sum of the results "name.dx", "name.dx2", ... (f64).
"""
import os

import torch
import torch.nn.functional as F

from safetensors_file import save

out = {}


def record(name, function, *inputs):
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    gradients = torch.autograd.grad(function(*leaves).sum(), leaves)
    for i, (x, dx) in enumerate(zip(leaves, gradients)):
        suffix = "" if i == 0 else str(i + 1)
        out[f"{name}.x{suffix}"], out[f"{name}.dx{suffix}"] = x.detach(), dx.contiguous()


corners = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
zeros = torch.zeros(7, dtype=torch.float64)
record("clamp", lambda x: x.clamp(0, 1), corners)
record("clamp_min", lambda x: x.clamp(min=0.5), corners)
record("clamp_max", lambda x: x.clamp(max=-0.5), corners)
record("clamp_point", lambda x: x.clamp(1, 1), corners)
record("clamp_crossed", lambda x: x.clamp(2, -1), corners)
record("relu", torch.relu, corners)
record("leaky_relu", lambda x: F.leaky_relu(x, 0.1), corners)
record("elu", lambda x: F.elu(x, 1.5), corners)
record("softplus", lambda x: F.softplus(x, 2, 2), corners)
record("abs", torch.abs, corners)
record("sign", torch.sign, corners)
record("square_root", torch.sqrt, [1.0, 4.0])
record("power", lambda x: x.pow(2), corners)
record("power_none", lambda x: x.pow(0), corners)
record("power_tensor", torch.pow, [0.0, 0.0, 2.0], [0.0, 2.0, 0.0])
record("maximum", torch.maximum, corners, [0.0] * 7)
record("minimum", torch.minimum, corners, [0.5] * 7)
equal = [1.0, 2.0, 2.0, 1.0, 0.5, 0.5]
record("amax", torch.amax, equal)
record("amin", torch.amin, equal)
record("max", torch.max, equal)
record("min", torch.min, equal)
record("max_along", lambda x: x.max(0).values, equal)
record("min_along", lambda x: x.min(0).values, equal)
record("prod", torch.prod, [0.0, 2.0, 0.0])
record("prod_one", torch.prod, [3.0, 2.0, 0.0])
for p in (0.5, 1, 1.5, 2, 3, float("inf")):
    record(f"norm_{p}", lambda x, p=p: torch.linalg.vector_norm(x, p), [0.0, -3.0, 3.0])
    if p != 0.5:  # NaN there
        record(f"norm_{p}_zero", lambda x, p=p: torch.linalg.vector_norm(x, p), [0.0, 0.0])
record("stddev", torch.std, [1.0, 1.0, 1.0])
record("max_pool2d", lambda x: F.max_pool2d(x, 2), [[[[1.0, 1.0, 0.0, 2.0], [1.0, 0.0, 2.0, 2.0]]]])
record("l1", lambda x: F.l1_loss(x, zeros, reduction="none"), corners)
for beta in (0.0, 0.5, 1.0):
    record(f"smooth_l1_{beta}",
           lambda x, beta=beta: F.smooth_l1_loss(x, zeros, reduction="none", beta=beta), corners)
for delta in (0.5, 1.0):
    record(f"huber_{delta}",
           lambda x, delta=delta: F.huber_loss(x, zeros, reduction="none", delta=delta), corners)
one = torch.ones(1, dtype=torch.float64)
record("cosine_zero", lambda a, b: F.cosine_embedding_loss(a, b, -one), [[0.0, 0, 0]], [[1.0, 2, 3]])
record("cosine_square", lambda a, b: F.cosine_embedding_loss(a, b, -one), [[1.0, 0]], [[0.0, 1]])
record("cosine_same", lambda a, b: F.cosine_embedding_loss(a, b, one), [[1.0, 2]], [[1.0, 2]])
record("triplet", lambda a, p, n: F.triplet_margin_loss(a, p, n, eps=0), [[0.0]], [[1.0]], [[2.0]])
record("triplet_swap", lambda a, p, n: F.triplet_margin_loss(a, p, n, eps=0, swap=True),
       [[0.0]], [[2.0]], [[1.0]])
record("binary_cross_entropy",
       lambda p: F.binary_cross_entropy(p, torch.tensor([0.0, 1, 1, 0]).double(), reduction="none"),
       [0.0, 1.0, 0.0, 1.0])
save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kinks.safetensors"), out)
