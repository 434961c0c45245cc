#!/usr/bin/env bash
# PyTorch: OneCycleLR does not end where it says: the last step() raises the rate again.
#
# The policy goes down to max_lr / 25 / 1e4 = 4e-6 · max_lr. With total_steps = 10 there are ten
# rates, and the tenth is that minimum. The usual loop, optimizer.step() and then scheduler.step(),
# calls step() ten times: the last call computes an eleventh rate, past the end of the cosine, which
# turns upwards there: thousands of times the minimum. Only the call after that is an error. Training
# that goes on a little at "the final rate" (an averaging phase, a fine-tune) goes on with this one.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch

optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
used = []
for _ in range(10):
    used.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    schedule.step()
final = optimizer.param_groups[0]["lr"]
print("expected: the rate stays at", used[-1], "when the cycle is over, or an error")
print("observed:", final)
try:
    schedule.step()
    refused = False
except ValueError as error:
    refused = True
    print("         ", "only the next call:", error)
assert abs(used[-1] - 4e-6) < 1e-12 and final > 1000 * used[-1] and refused
EOF
