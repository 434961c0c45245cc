#!/usr/bin/env bash
# PyTorch: ReduceLROnPlateau takes a negative metric for better when it stays, and even gets worse.
#
# With the default `threshold_mode="rel"` a value is better where it is below best · (1 − 1e-4). For a
# best of −1 that bound is −0.9999, which is worse than the best itself. A loss that stands still at
# −1 counts as progress in every epoch, and the rate is never reduced: log likelihoods of densities,
# negated scores and margins are such losses. threshold_mode="abs" does what is meant.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch


def rate_after(metrics, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, **options)
    for metric in metrics:
        plateau.step(metric)
    return optimizer.param_groups[0]["lr"]


still = [1.0] * 30
worse = [-1 + 1e-5 * epoch for epoch in range(30)]
print("expected: a rate far below 1 after 30 epochs without progress")
print("observed: constant 1:", rate_after(still), " constant -1:", rate_after([-1.0] * 30))
print("          rising from -1:", rate_after(worse))
print("          constant -1, abs:", rate_after([-1.0] * 30, threshold_mode="abs"))
assert rate_after(still) < 1e-6
assert rate_after([-1.0] * 30) == 1 and rate_after(worse) == 1
assert rate_after([-1.0] * 30, threshold_mode="abs") < 1e-6
EOF
