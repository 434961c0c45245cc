#!/usr/bin/env bash
# PyTorch: the same attention gives NaN under no_grad() and zeros without it.
#
# A row of a batch whose keys are all padding attends to nothing. In eval mode and without
# need_weights, MultiheadAttention gives the bias of its output there (attention of 0) as long as
# gradients are recorded. Under no_grad it takes its fast path, and the row is NaN: a model that was
# checked with gradients on breaks where it is used. Such rows are in last batches that are filled
# up, and are what a missing modality or an empty text becomes.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch

torch.manual_seed(0)
attention = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()
x = torch.randn(2, 5, 8)
padding = torch.tensor([[True] * 5, [False] * 5])


def padded_row():
    y, _ = attention(x, x, x, key_padding_mask=padding, need_weights=False)
    return y[0]


recorded = padded_row()
with torch.no_grad():
    unrecorded = padded_row()
print("expected: the same numbers with and without recording of gradients")
print("observed with recording:", recorded[0].tolist())
print("observed under no_grad():", unrecorded[0].tolist())
assert torch.equal(recorded, attention.out_proj.bias.expand(5, 8))
assert unrecorded.isnan().all()
EOF
