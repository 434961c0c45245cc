#!/usr/bin/env bash
# PyTorch-Ignite: a warm-up of PyTorch, wrapped for Ignite, never gets beyond its first quarter.
#
# LRScheduler asks the wrapped scheduler for its next rate, and advances its counter itself. PyTorch's
# schedulers once knew their first step by that counter; now they know it by a flag that only their own
# step() sets. So the first rate is computed twice over. LinearLR multiplies by its start factor a
# second time and ends at 0.25 in place of 1; exponential decay skips its first rate; the cosine begins
# above the rate that it anneals from. StepLR, the only scheduler in Ignite's examples, is right.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need pytorch-ignite==0.5.5 torch==2.15.0
"$python" - <<'EOF'
import warnings

import torch
from ignite.engine import Engine, Events
from ignite.handlers import LRScheduler
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")


def rates(schedule, wrapped):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, used = schedule(optimizer), []

    def train(engine, batch):
        used.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        if not wrapped:
            scheduler.step()

    trainer = Engine(train)
    if wrapped:
        trainer.add_event_handler(Events.ITERATION_STARTED, LRScheduler(scheduler))
    trainer.run([0] * 5)
    return used


SCHEDULES = {
    "StepLR": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, gamma=0.5),
    "LinearLR": lambda optimizer: lr_scheduler.LinearLR(optimizer, 0.25, 1.0, total_iters=3),
    "ExponentialLR": lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.5),
    "CosineAnnealingLR": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 4),
}
observed = {}
for name, schedule in SCHEDULES.items():
    expected, observed[name] = rates(schedule, False), rates(schedule, True)
    print(f"{name}: expected {expected}, observed {observed[name]}")
    assert (expected == observed[name]) == (name == "StepLR")
assert observed["LinearLR"] == [0.0625, 0.125, 0.1875, 0.25, 0.25]
assert observed["ExponentialLR"][0] == 0.5
assert observed["CosineAnnealingLR"][0] == 1.1716
EOF
