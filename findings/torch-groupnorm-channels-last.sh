#!/usr/bin/env bash
# PyTorch: group_norm of the same numbers depends on how they lie in memory.
#
# A contiguous image gets an exact mean and variance. In the channels_last format, which the
# documentation recommends for speed, the variance is the mean of the squares less the square of the
# mean, in float32. Where the mean is large next to the spread, that difference is rounding error:
# values of 10000 and a little come out a thousand times too large. Raw sensor counts that were not
# centred look like this. At a mean of 100 the error is in the third digit still.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch
import torch.nn.functional as F

x = 10000 + torch.arange(16.0).reshape(1, 4, 2, 2)
last = x.contiguous(memory_format=torch.channels_last)
exact = F.group_norm(x.double(), 2)
contiguous, channels_last = ((F.group_norm(y, 2) - exact).abs().max().item() for y in (x, last))
print("expected: the same in both memory formats; 10000 … 10015 normalized are −1.5 … 1.5")
print(f"observed: largest error {contiguous:.2g} contiguous, {channels_last:.2g} channels_last")
assert torch.equal(x, last) and contiguous < 1e-4 and channels_last > 0.2
EOF
