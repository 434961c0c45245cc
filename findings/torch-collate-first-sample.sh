#!/usr/bin/env bash
# PyTorch: the type of a batch depends on which sample comes first.
#
# DataLoader turns numbers into tensors by looking at the first of the batch: a float makes float64,
# an int lets the rest decide, which then makes float32, or int64 if all are ints. A data set whose
# targets are written 1, 2.5, 3 (as JSON and CSV readers give them) has batches of three types, and
# which one is a matter of the shuffle. Losses then promote, or fail, in some batches only.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch
from torch.utils.data import DataLoader

targets = [2.5, 1, 1, 2.5, 1, 3]
observed = [(batch.tolist(), batch.dtype) for batch in DataLoader(targets, batch_size=2)]
print("expected: one type for all batches of a data set, whatever the order")
print("observed:", observed)
assert [dtype for _, dtype in observed] == [torch.float64, torch.float32, torch.int64]
EOF
