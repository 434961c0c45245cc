#!/usr/bin/env bash
# PyTorch: InstanceNorm with momentum=None never learns its running statistics.
#
# In BatchNorm, momentum=None makes the running statistics the plain average of all batches. InstanceNorm
# takes the same argument, keeps a counter of batches as well, and does neither count nor average: the
# statistics stay at mean 0 and variance 1, and in eval() the layer passes its input through unchanged.
# With a number as momentum the statistics are learned, but the counter stays 0 all the same.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch
from torch import nn

batch = torch.tensor([[[9.0, 11.0]], [[8.0, 12.0]]])  # two examples, one channel: mean 10
observed = {}
for name, make in {"BatchNorm1d": nn.BatchNorm1d, "InstanceNorm1d": nn.InstanceNorm1d}.items():
    for momentum in (None, 0.5):
        norm = make(1, momentum=momentum, track_running_stats=True)
        for _ in range(3):
            norm(batch)
        observed[name, momentum] = (norm.running_mean.item(), norm.num_batches_tracked.item())
        if name == "InstanceNorm1d" and momentum is None:
            norm.eval()
            passed_through = torch.allclose(norm(batch), batch, rtol=1e-4)
print("expected: after three batches of mean 10, momentum=None gives a running mean of 10")
for key, (mean, count) in observed.items():
    print("observed:", *key, "→ running mean", mean, "after a count of", count)
assert observed["BatchNorm1d", None] == (10, 3)
assert observed["InstanceNorm1d", None] == (0, 0) and passed_through
assert observed["InstanceNorm1d", 0.5] == (8.75, 0)
EOF
