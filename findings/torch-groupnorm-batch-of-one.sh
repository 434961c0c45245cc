#!/usr/bin/env bash
# PyTorch: group norm refuses a sample that it takes in a batch of two, although samples do not meet.
#
# With a group for each channel (instance norm) a 1 × 1 map has one value a group, and the answer is
# the bias. Two samples get it. One sample alone is an error "when training", in eval() too: the check
# counts the values of a group over all samples of the batch. A network whose map shrinks to a pixel
# passes its tests in batches, and fails on the first single picture.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch

norm = torch.nn.GroupNorm(4, 4).eval()
torch.nn.init.constant_(norm.bias, 0.5)
two = torch.arange(8.0).reshape(2, 4, 1, 1)
both = norm(two).flatten().tolist()
try:
    norm(two[:1])
    alone = "no error"
except ValueError as error:
    alone = str(error)
print("expected: the first sample gets the same answer alone as in a batch of two")
print(f"observed: {sorted({round(x, 4) for x in both})} for both; alone: {alone}")
assert all(abs(x - 0.5) < 1e-3 for x in both)
assert not norm.training and "when training" in alone
EOF
