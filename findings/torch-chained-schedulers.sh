#!/usr/bin/env bash
# PyTorch: a warm-up chained with a LambdaLR does not warm up.
#
# ChainedScheduler takes schedules one after the other, and the documentation says that each works on
# the rate of the one before. Some multiply the rate that they find (LinearLR, ExponentialLR). Others
# set it from the initial rate and forget what they find (LambdaLR, CosineAnnealingWarmRestarts). So
# a warm-up in front of a LambdaLR is lost without a word. The other way round, an exponential decay
# of a LambdaLR decays once, and then no further.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" -W error - <<'EOF'
import torch
from torch.optim import lr_scheduler as schedules


def rates(*makers):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedules.ChainedScheduler([make(optimizer) for make in makers], optimizer=optimizer)
    out = []
    for _ in range(5):
        out.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    return out


def warm_up(optimizer):
    return schedules.LinearLR(optimizer, start_factor=0.25, total_iters=3)


def constant(optimizer):
    return schedules.LambdaLR(optimizer, lambda epoch: 1.0)


def decay(optimizer):
    return schedules.ExponentialLR(optimizer, 0.5)


observed = {
    "warm-up, decay": rates(warm_up, decay),
    "warm-up, LambdaLR of 1": rates(warm_up, constant),
    "LambdaLR of 1, decay": rates(constant, decay),
}
print("expected: products: 0.25 0.25 0.1875 …, then 0.25 0.5 0.75 1 1, then 1 0.5 0.25 …")
for name, values in observed.items():
    print(f"observed: {name}: {values}")
assert list(observed.values()) == [
    [0.25, 0.25, 0.1875, 0.125, 0.0625], [1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.5, 0.5]]
EOF
