#!/usr/bin/python3
"""Makes the reference numbers of tests/optim/parity_test.cpp with PyTorch (written with 2.15; Muon
needs 2.9, Adafactor 2.5).

    python3 tests/golden/make_optim.py

writes trajectories.safetensors in its folder: the gradients (f32), the weights after every tenth of
100 steps of each optimiser (f64), and the learning rates of 100 steps of each schedule.
"""
import math
import os
import warnings

import torch
from torch import optim
from torch.optim import lr_scheduler

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20241121)
warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 100
SHAPES = {"wide": (2, 5), "tall": (4, 3), "bias": (3,)}
# Singular values as far apart as these show what Muon does.
START = {name: torch.randn(shape).float() for name, shape in SHAPES.items()}
GRADS = {name: torch.randn(STEPS, *shape).float() for name, shape in SHAPES.items()}
out = {f"start.{name}": x for name, x in START.items()} | {f"grad.{name}": x for name, x in GRADS.items()}


# -------------------------------------------------------------------------------------- optimisers
def trajectory(case, make, names=tuple(SHAPES), reshape=None):
    """The learning rate falls to a half in step 50; bias has no gradient in every third step.
    `make` gets a parameter group per name."""
    weights = {n: START[n].double().reshape((reshape or {}).get(n, SHAPES[n])).requires_grad_() for n in names}
    optimizer = make([{"params": [w]} for w in weights.values()])
    noted = []
    for step in range(STEPS):
        if step == 50:
            for group in optimizer.param_groups:
                group["lr"] *= 0.5
        for name, w in weights.items():
            w.grad = GRADS[name][step].double().reshape(w.shape)
        if "bias" in weights and step % 3 == 2:
            weights["bias"].grad = None
        optimizer.step()
        if step % 10 == 9:
            noted.append(torch.cat([w.detach().flatten() for w in weights.values()]))
    out[case] = torch.stack(noted)


class Lion(optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                g = -w.grad if group["maximize"] else w.grad
                m = self.state[w].setdefault("exp_avg", torch.zeros_like(w))
                update = torch.sign(beta1 * m + (1 - beta1) * g)
                w.sub_(lr * (update + group["weight_decay"] * w))
                m.copy_(beta2 * m + (1 - beta2) * g)


trajectory("sgd", lambda p: optim.SGD(p, lr=0.03))
trajectory("sgd_all", lambda p: optim.SGD(p, lr=0.03, momentum=0.9, dampening=0.2, weight_decay=0.1, maximize=True))
trajectory("sgd_nesterov", lambda p: optim.SGD(p, lr=0.03, momentum=0.8, weight_decay=0.1, nesterov=True))
trajectory("adam", lambda p: optim.Adam(p, lr=0.02))
trajectory("adam_amsgrad", lambda p: optim.Adam(
    p, lr=0.02, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1, amsgrad=True, maximize=True))
trajectory("adamw", lambda p: optim.AdamW(p, lr=0.02))
trajectory("adamw_amsgrad", lambda p: optim.AdamW(
    p, lr=0.02, betas=(0.8, 0.9), weight_decay=0.2, amsgrad=True, maximize=True))
trajectory("adagrad", lambda p: optim.Adagrad(p))
trajectory("adagrad_all", lambda p: optim.Adagrad(
    p, lr=0.3, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-3, maximize=True))
trajectory("rmsprop", lambda p: optim.RMSprop(p))
trajectory("rmsprop_momentum", lambda p: optim.RMSprop(p, alpha=0.9, momentum=0.7, weight_decay=0.1))
trajectory("rmsprop_centered", lambda p: optim.RMSprop(p, alpha=0.9, eps=1e-3, centered=True))
trajectory("rmsprop_all", lambda p: optim.RMSprop(
    p, lr=0.005, alpha=0.95, eps=1e-3, weight_decay=0.1, momentum=0.5, centered=True, maximize=True))
trajectory("nadam", lambda p: optim.NAdam(p))
trajectory("nadam_all", lambda p: optim.NAdam(
    p, lr=0.01, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1, momentum_decay=0.3, maximize=True))
trajectory("nadam_decoupled", lambda p: optim.NAdam(p, lr=0.02, weight_decay=0.2, decoupled_weight_decay=True))
trajectory("radam", lambda p: optim.RAdam(p))
trajectory("radam_all", lambda p: optim.RAdam(
    p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1, maximize=True))
trajectory("radam_decoupled", lambda p: optim.RAdam(p, lr=0.02, weight_decay=0.2, decoupled_weight_decay=True))
# v is never trusted here: only steps along the mean gradient.
trajectory("radam_never", lambda p: optim.RAdam(p, betas=(0.9, 0.6)))
trajectory("adadelta", lambda p: optim.Adadelta(p))
trajectory("adadelta_all", lambda p: optim.Adadelta(
    p, lr=0.7, rho=0.8, eps=1e-3, weight_decay=0.1, maximize=True))
trajectory("lion", lambda p: Lion(p))
trajectory("lion_all", lambda p: Lion(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.3, maximize=True))
trajectory("adafactor", lambda p: optim.Adafactor(p))
trajectory("adafactor_all", lambda p: optim.Adafactor(
    p, lr=0.3, beta2_decay=-0.6, eps=(0.9, 0.4), d=1.2, weight_decay=0.1, maximize=True))
# Beyond matrices the last two dimensions are factored.
trajectory("adafactor_3d", lambda p: optim.Adafactor(p, lr=0.3), reshape={"tall": (2, 2, 3)})

# Muon computes in the dtype of the weights here, and rounds to bfloat16 in PyTorch.
bfloat16, torch.bfloat16 = torch.bfloat16, torch.float64
matrices = ("wide", "tall")
trajectory("muon", lambda p: optim.Muon(p, lr=0.02), matrices)
trajectory("muon_all", lambda p: optim.Muon(
    p, lr=0.02, weight_decay=0.3, momentum=0.8, nesterov=False, ns_coefficients=(3, -3.2, 1.2),
    eps=0.5, ns_steps=3, adjust_lr_fn="match_rms_adamw"), matrices)
trajectory("muon_spectral", lambda p: optim.Muon(p, lr=0.02, adjust_lr_fn="spectral_unclamped"), matrices)
torch.bfloat16 = bfloat16
trajectory("muon_bfloat16", lambda p: optim.Muon(p, lr=0.02), matrices)


def added(case, make, **options):
    """Starts with `wide`; step 20 adds `tall` with options of its own, step 30 `bias` with none."""
    weights = {n: START[n].double().requires_grad_() for n in SHAPES}
    optimizer = make([weights["wide"]])
    noted = []
    for step in range(STEPS):
        if step == 20:
            optimizer.add_param_group({"params": [weights["tall"]], **options})
        if step == 30:
            optimizer.add_param_group({"params": [weights["bias"]]})
        for name, w in weights.items():
            w.grad = GRADS[name][step].double()
        optimizer.step()
        if step % 10 == 9:
            noted.append(torch.cat([w.detach().flatten() for w in weights.values()]))
    out[f"added.{case}"] = torch.stack(noted)


added("sgd", lambda p: optim.SGD(p, lr=0.03, momentum=0.9), lr=0.01, weight_decay=0.1)
added("adamw", lambda p: optim.AdamW(p, lr=0.02, betas=(0.8, 0.9)), lr=0.05)
added("nadam", lambda p: optim.NAdam(p, lr=0.02, momentum_decay=0.1), betas=(0.7, 0.9))


# ----------------------------------------------------------------------------------------- clipping
for name, kind in {"one": 1.0, "two": 2.0, "three": 3.0, "infinity": math.inf}.items():
    weights = [torch.zeros(shape, requires_grad=True) for shape in SHAPES.values()]
    for w, grad in zip(weights, GRADS.values()):
        w.grad = grad[0].double()
    norm = torch.nn.utils.clip_grad_norm_(weights, 1.5, norm_type=kind)
    out[f"clip.{name}"] = torch.cat([norm.reshape(1)] + [w.grad.flatten() for w in weights])


# ---------------------------------------------------------------------------------------- schedules
def rates(case, make, lr=0.1):
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = make(optimizer)
    noted = []
    for _ in range(STEPS):
        noted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    out[f"schedule.{case}"] = torch.tensor(noted)


rates("constant", lambda o: lr_scheduler.ConstantLR(o))
rates("constant_half", lambda o: lr_scheduler.ConstantLR(o, 0.5, 33))
rates("linear", lambda o: lr_scheduler.LinearLR(o))
rates("linear_down", lambda o: lr_scheduler.LinearLR(o, 0.9, 0.2, 70))
rates("step", lambda o: lr_scheduler.StepLR(o, 15))
rates("step_half", lambda o: lr_scheduler.StepLR(o, 7, 0.5))
rates("multi_step", lambda o: lr_scheduler.MultiStepLR(o, [30, 12, 30, 80], 0.3))
rates("exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.97))
rates("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.01))
rates("restarts", lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 13))
rates("restarts_longer", lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, 2, 0.02))
one_cycle = lambda **options: lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=101, cycle_momentum=False, **options)
rates("one_cycle", one_cycle())
rates("one_cycle_linear", one_cycle(pct_start=0.2, anneal_strategy="linear", div_factor=10, final_div_factor=50))
rates("one_cycle_down", one_cycle(pct_start=0.005))
rates("one_cycle_three", one_cycle(pct_start=0.4, three_phase=True))
rates("noam", lambda o: lr_scheduler.LambdaLR(o, lambda t: 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 20**-1.5)), lr=2.0)
rates("chained", lambda o: lr_scheduler.ChainedScheduler(
    [lr_scheduler.LinearLR(o, 0.1, 1, 20), lr_scheduler.ExponentialLR(o, 0.98), lr_scheduler.StepLR(o, 40, 0.5)]))
rates("sequential", lambda o: lr_scheduler.SequentialLR(
    o, [lr_scheduler.LinearLR(o, 0.1, 1, 20), lr_scheduler.CosineAnnealingLR(o, 50, 0.01),
        lr_scheduler.ExponentialLR(o, 0.9)], [20, 60]))

# A loss that falls, stays, jumps and falls again; and an accuracy.
metric = torch.cat([torch.linspace(3, 1, 20), torch.full((40,), 1.0), torch.full((10,), 0.9),
                    torch.linspace(0.9, 0.8999, 30)]) + 0.01 * torch.sin(torch.arange(100.0))
out["plateau.metric"] = metric
for case, options in {"defaults": {}, "all": dict(factor=0.5, patience=3, threshold=0.05, threshold_mode="abs",
                                                  cooldown=4, min_lr=0.004, eps=1e-3),
                      "max": dict(mode="max", patience=2, threshold=0.01, factor=0.7),
                      "max_abs": dict(mode="max", patience=5, threshold=0.1, threshold_mode="abs")}.items():
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    noted = []
    for value in metric:
        plateau.step(-value.item() + 4 if options.get("mode") == "max" else value.item())
        noted.append(optimizer.param_groups[0]["lr"])
    out[f"plateau.{case}"] = torch.tensor(noted)


# -------------------------------------------------------------------------------------------- file
save_finite(os.path.join(HERE, "trajectories.safetensors"), out)
