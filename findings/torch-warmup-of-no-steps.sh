#!/usr/bin/env bash
# PyTorch: a warm-up of no steps never ends.
#
# LinearLR and ConstantLR multiply the rate by a factor until total_iters steps are done. With
# total_iters=0 there is nothing to wait for, but the factor is applied when the schedule is made,
# and taken away only at the step whose number is total_iters: step 0 is over by then. Training goes
# on with a tenth of the rate. 0 is what "no warm-up" is in a sweep over its length, and what a short
# run makes of "3 % of the steps".
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" -W error - <<'EOF'
import torch
from torch.optim import lr_scheduler as schedules


def rates(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    out = []
    for _ in range(4):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


print("expected: [1, 1, 1, 1] without warm-up steps, as with one step from the second rate on")
for name, make in {
    "LinearLR": lambda optimizer, n: schedules.LinearLR(optimizer, start_factor=0.1, total_iters=n),
    "ConstantLR": lambda optimizer, n: schedules.ConstantLR(optimizer, factor=0.1, total_iters=n),
}.items():
    none, one = (rates(lambda optimizer: make(optimizer, n)) for n in (0, 1))
    print(f"observed: {name}: total_iters=0 {none}, total_iters=1 {one}")
    assert none == [0.1] * 4 and one == [0.1, 1, 1, 1]
EOF
