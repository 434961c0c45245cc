#!/usr/bin/env bash
# PyTorch: RMSprop(centered=True) turns a constant gradient into NaN.
#
# It divides by the root of the running variance: the mean square less the squared mean. When a
# gradient stays the same the two become equal, so the steps grow: after some thousand steps with
# the default alpha=0.99 they are hundreds of times the rate, where the plain optimizer's are the
# rate itself. With alpha=0.9 it goes faster, and then rounding makes the variance negative: its
# root is NaN, and so is the weight for good. The gradient of any weight that enters a loss linearly
# is constant, and so is one that clipping by value cuts off.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import math

import torch


def largest_step(steps, gradient, **options):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.RMSprop([weight], lr=0.01, **options)
    largest = 0.0
    for _ in range(steps):
        before = weight.item()
        weight.grad = torch.full((1,), gradient)
        optimizer.step()
        largest = max(largest, abs(weight.item() - before))
    return largest, weight.item()


plain, _ = largest_step(3000, 1.0)
centered, _ = largest_step(3000, 1.0, centered=True)
weights = [largest_step(500, g, alpha=0.9, centered=True)[1] for g in (0.7, 3.0, 5.0, 100.0)]
print("expected: steps of about lr = 0.01, at most 0.1 at the start, and finite weights")
print(f"observed: largest step {plain:.2g} plain, {centered:.2g} centered")
print("observed: weights after 500 steps with alpha=0.9, for gradients 0.7, 3, 5, 100:", weights)
assert plain <= 0.11 and centered > 1
assert any(math.isnan(weight) for weight in weights)
EOF
