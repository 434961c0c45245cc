#!/usr/bin/env bash
# PyTorch 2.15: the gradient of clamp at its bounds depends on how the bound is written.
#
# clamp(x, 0, 1) gives 0 at x = 0 and x = 1 (older versions gave 1), with the bounds as tensors it
# gives 1/2 there. So relu(x) and clamp(x, min=0) agree at 0, and clamp(x, min=tensor(0.)) differs
# from both; and losses that are made of clamp (cosine_embedding_loss, triplet_margin_loss) have no
# gradient for pairs that lie exactly on the margin. Features that were cut to [0, 1] before, by a
# data set or a layer, are at the bounds often, and do not learn through a second clamp any more.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch


def gradient(function):
    x = torch.tensor([0.0, 0.5, 1.0], requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


zero, one = torch.tensor(0.0), torch.tensor(1.0)
observed = {
    "clamp(x, 0, 1)": gradient(lambda x: torch.clamp(x, 0, 1)),
    "clamp(x, tensor(0.), tensor(1.))": gradient(lambda x: torch.clamp(x, zero, one)),
    "relu(x)": gradient(torch.relu),
    "clamp(x, min=tensor(0.))": gradient(lambda x: torch.clamp(x, min=zero)),
}
print("expected at x = 0, 1/2, 1: one answer, whether a bound is a number or a tensor")
for name, values in observed.items():
    print("observed:", name, values)
assert list(observed.values()) == [[0, 1, 0], [0.5, 1, 0.5], [0, 1, 1], [0.5, 1, 1]]
EOF
