#!/usr/bin/env bash
# PyTorch: EmbeddingBag with mode "max" loses a NaN unless it stands first.
#
# torch.max, max pooling and amax give NaN as soon as one of the values is NaN. EmbeddingBag compares
# with ">", which is false for NaN: a broken row of the table is skipped when another comes before it,
# and hides every other row when it comes first. So whether diverged weights are seen depends on the
# order of the words in a bag, which should not matter at all. The gradient follows: none for the NaN.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import math

import torch
import torch.nn.functional as F

table = torch.tensor([[1.0], [math.nan], [2.0]])
bags = {"NaN first": [1, 0, 2], "NaN second": [0, 1, 2], "NaN last": [0, 2, 1]}
observed = {
    name: F.embedding_bag(torch.tensor([bag]), table, mode="max").item() for name, bag in bags.items()
}
print("expected: NaN for every order, as max of the same rows:", table.max().item())
print("observed:", observed)
assert math.isnan(table.max().item())
assert math.isnan(observed["NaN first"])
assert observed["NaN second"] == observed["NaN last"] == 2
EOF
