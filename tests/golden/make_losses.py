#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/loss_test.cpp and ctc_test.cpp (PyTorch 2.15).

    python3 tests/golden/make_losses.py

writes losses.safetensors in its folder: f64, from a fixed seed. A case has its inputs
("case.input", "case.target", ...) and, for every reduction r, the loss ("case.r.y"), a random
upstream gradient ("case.r.dy") and the gradients of the floating inputs ("case.r.dinput", ...).
"""
import os

import torch
import torch.nn.functional as F

from safetensors_file import save

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240611)
out = {}


def record(case, inputs, loss, constants=None, reductions=("none", "mean", "sum")):
    """`loss` maps the inputs, the constants (no gradients) and reduction=... to a loss."""
    constants = constants or {}
    for name, x in {**inputs, **constants}.items():
        out[f"{case}.{name}"] = x.clone()
    for reduction in reductions:
        leaves = {name: x.clone().requires_grad_(x.is_floating_point()) for name, x in inputs.items()}
        y = loss(**leaves, **constants, reduction=reduction)
        dy = torch.randn_like(y)
        y.backward(dy)
        out[f"{case}.{reduction}.y"], out[f"{case}.{reduction}.dy"] = y, dy
        for name, x in leaves.items():
            if x.requires_grad:
                out[f"{case}.{reduction}.d{name}"] = x.grad


# -------------------------------------------------------------------------------------- regression
pair = {"input": 2 * torch.randn(3, 5), "target": torch.randn(3, 5)}
pair["target"][1, 2] = pair["input"][1, 2]  # no difference at all
record("mse", pair, F.mse_loss)
record("l1", pair, F.l1_loss)
for beta in (1.0, 0.4, 0.0):
    record(f"smooth_l1_{beta}", pair, lambda beta=beta, **a: F.smooth_l1_loss(beta=beta, **a))
for delta in (1.0, 2.5):
    record(f"huber_{delta}", pair, lambda delta=delta, **a: F.huber_loss(delta=delta, **a))

# ---------------------------------------------------------------------------------- classification
for name, shape, target in (("rows", (5, 4), torch.tensor([3, 0, -100, 2, 0])),
                            ("images", (2, 4, 3, 2), torch.randint(0, 4, (2, 3, 2))),
                            ("one", (4,), torch.tensor(2))):
    x = {"input": torch.randn(shape)}
    record(f"nll_{name}", x, F.nll_loss, {"target": target})
    record(f"nll_{name}_weight", x, F.nll_loss, {"target": target, "weight": torch.rand(4)})
record("nll_ignore", {"input": torch.randn(5, 4)}, lambda **a: F.nll_loss(ignore_index=2, **a),
       {"target": torch.tensor([3, 0, 2, 2, 0])})
for smoothing in (0.0, 0.2):
    record(f"cross_entropy_{smoothing}", {"input": 3 * torch.randn(2, 4, 3)},
           lambda s=smoothing, **a: F.cross_entropy(label_smoothing=s, ignore_index=1, **a),
           {"target": torch.randint(0, 4, (2, 3)), "weight": torch.rand(4)})

p = torch.rand(3, 4)
t = torch.rand(3, 4)
record("bce", {"input": p, "target": t}, F.binary_cross_entropy)
record("bce_weight", {"input": p, "target": t}, F.binary_cross_entropy, {"weight": torch.rand(3, 1)})
# Certain probabilities, right and wrong; gradients of the target are infinite in PyTorch there.
record("bce_edge", {"input": torch.tensor([0., 0., 1., 1., 1e-50, 0.5])},
       F.binary_cross_entropy, {"target": torch.tensor([0., 1., 0., 1., 1., 0.])})
logits = {"input": 3 * torch.randn(3, 4), "target": t}
record("bce_logits", logits, F.binary_cross_entropy_with_logits)
record("bce_logits_weight", logits, F.binary_cross_entropy_with_logits, {"weight": torch.rand(4)})
record("bce_logits_pos_weight", logits, F.binary_cross_entropy_with_logits,
       {"pos_weight": 3 * torch.rand(4)})
record("bce_logits_both", logits, F.binary_cross_entropy_with_logits,
       {"weight": torch.rand(3, 1), "pos_weight": 3 * torch.rand(4)})
record("bce_logits_extreme", {"input": torch.tensor([1000., -1000., 1000., -1000., 40., -40., 0.])},
       F.binary_cross_entropy_with_logits, {"target": torch.tensor([1., 1., 0., 0., 1., 1., 0.5])})

all_four = ("none", "mean", "sum", "batchmean")
q = F.softmax(torch.randn(3, 4), 1)
log_p = F.log_softmax(torch.randn(3, 4), 1)
record("kl_div", {"input": log_p, "target": q}, F.kl_div, reductions=all_four)
record("kl_div_log", {"input": log_p, "target": q.log()},
       lambda **a: F.kl_div(log_target=True, **a), reductions=all_four)
record("kl_div_zero", {"input": log_p}, F.kl_div, {"target": F.one_hot(torch.tensor([1, 0, 3]), 4) * 1.0},
       reductions=all_four)


def reduced(x, reduction):
    return {"none": lambda: x, "mean": x.mean, "sum": x.sum}[reduction]()


def dice(input, target, smooth, squared, reduction):  # PyTorch has none
    p, t = input.flatten(2), target.flatten(2)
    size = (p ** 2 + t ** 2 if squared else p + t).sum(-1)
    return reduced(1 - (2 * (p * t).sum(-1) + smooth) / (size + smooth), reduction)


masks = {"input": torch.rand(2, 3, 4, 5), "target": (torch.rand(2, 3, 4, 5) < 0.3) * 1.0}
record("dice", masks, lambda **a: dice(smooth=1, squared=False, **a))
record("dice_squared", masks, lambda **a: dice(smooth=0.1, squared=True, **a))

# -------------------------------------------------------------------------------------- embeddings
signs = torch.tensor([1, -1, -1, 1, -1])
twins = {"input1": torch.randn(5, 3), "input2": torch.randn(5, 3)}
for margin in (0.0, 0.3, -0.5):
    record(f"cosine_{margin}", twins, lambda m=margin, **a: F.cosine_embedding_loss(margin=m, **a),
           {"target": signs})
record("cosine_one", {"input1": torch.randn(3), "input2": torch.randn(3)}, F.cosine_embedding_loss,
       {"target": torch.tensor(-1)})

three = {name: torch.randn(5, 3) for name in ("anchor", "positive", "negative")}
for name, options in {"default": {}, "p1": {"p": 1.0}, "p3": {"p": 3.0, "margin": 0.5},
                      "swap": {"swap": True, "margin": 2.0}, "eps": {"eps": 0.1}}.items():
    record(f"triplet_{name}", three, lambda o=options, **a: F.triplet_margin_loss(**o, **a))
record("triplet_one", {name: torch.randn(3) for name in three}, F.triplet_margin_loss)


def info_nce(query, key, temperature, symmetric, reduction):  # PyTorch has none
    s = F.normalize(query, dim=1) @ F.normalize(key, dim=1).T / temperature
    own = torch.arange(len(s))
    losses = F.cross_entropy(s, own, reduction="none")
    if symmetric:
        losses = (losses + F.cross_entropy(s.T, own, reduction="none")) / 2
    return reduced(losses, reduction)


views = {"query": torch.randn(5, 3), "key": torch.randn(5, 3)}
record("info_nce", views, lambda **a: info_nce(temperature=0.1, symmetric=False, **a))
record("info_nce_symmetric", views, lambda **a: info_nce(temperature=0.5, symmetric=True, **a))


# --------------------------------------------------------------------------------------------- CTC
def ctc(logits, targets, input_lengths, target_lengths, reduction, blank=0, zero_infinity=False):
    """From logits: PyTorch's gradient of log_probs is right only after a log_softmax."""
    return F.ctc_loss(F.log_softmax(logits, -1), targets, input_lengths, target_lengths, blank,
                      reduction, zero_infinity)


T, N, C = 7, 4, 5
logits = {"logits": 2 * torch.randn(T, N, C)}
padded = torch.tensor([[1, 2, 3], [4, 4, 1], [2, 0, 0], [3, 3, 3]])
lengths = {"input_lengths": torch.tensor([7, 5, 6, 7]), "target_lengths": torch.tensor([3, 2, 1, 3])}
record("ctc_padded", logits, ctc, {"targets": padded, **lengths})
flat = torch.cat([row[:n] for row, n in zip(padded, lengths["target_lengths"])])
record("ctc_flat", logits, ctc, {"targets": flat, **lengths})
record("ctc_blank", logits, lambda **a: ctc(blank=4, **a),
       {"targets": padded.clamp(max=3) % 4, **lengths})
record("ctc_empty_target", logits, ctc,
       {"targets": padded, **lengths, "target_lengths": torch.tensor([0, 2, 0, 3])})
record("ctc_one", {"logits": torch.randn(T, C)}, ctc,
       {"targets": torch.tensor([1, 1, 3]), "input_lengths": torch.tensor(6),
        "target_lengths": torch.tensor(3)})
# Sequence 1 needs three frames for "4 4", and has two; sequence 3 has none.
tight = {"targets": padded, "input_lengths": torch.tensor([7, 2, 6, 0]),
         "target_lengths": torch.tensor([3, 2, 1, 2])}
record("ctc_infinite", logits, ctc, tight)
record("ctc_zero_infinity", logits, lambda **a: ctc(zero_infinity=True, **a), tight)
record("ctc_no_frames", logits, ctc,
       {"targets": padded, "input_lengths": torch.tensor([7, 5, 0, 6]),
        "target_lengths": torch.tensor([3, 2, 0, 1])})
T = 60
record("ctc_long", {"logits": 2 * torch.randn(T, 2, 4)}, ctc,
       {"targets": torch.randint(1, 4, (2, 20)), "input_lengths": torch.tensor([60, 51]),
        "target_lengths": torch.tensor([20, 13])})

# ------------------------------------------------------------- cross-entropy against probabilities
for name, shape in (("rows", (5, 4)), ("images", (2, 4, 3, 2)), ("one", (4,))):
    soft = {"input": 3 * torch.randn(shape),
            "target": F.softmax(torch.randn(shape), 0 if len(shape) == 1 else 1)}
    record(f"cross_entropy_soft_{name}", soft, F.cross_entropy)
    record(f"cross_entropy_soft_{name}_both", soft,
           lambda **a: F.cross_entropy(label_smoothing=0.2, **a), {"weight": torch.rand(4)})

save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.safetensors"), out)
