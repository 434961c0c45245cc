#!/usr/bin/env bash
# PyTorch: SoftMarginLoss of a confident wrong score is infinite, and its gradient is NaN.
#
# log(1 + exp(−y·x)) is the logistic loss. BCEWithLogitsLoss computes the same with targets 0 and 1
# in place of −1 and 1, and multilabel_soft_margin_loss is the same again for several labels: both
# stay finite. soft_margin_loss alone computes the formula as it stands, so exp overflows: at −89 in
# float32, and at −12 in float16. One such example makes every weight NaN.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import math

import torch
import torch.nn.functional as F


def loss_and_gradient(function):
    x = torch.tensor([[-100.0]], requires_grad=True)
    loss = function(x, torch.ones(1, 1))
    loss.backward()
    return loss.item(), x.grad.item()


observed = {f.__name__: loss_and_gradient(f) for f in (
    F.binary_cross_entropy_with_logits, F.multilabel_soft_margin_loss, F.soft_margin_loss)}
half = F.soft_margin_loss(torch.tensor([-12.0], dtype=torch.float16), torch.ones(1).half()).item()
print("expected: a loss of 100 and a gradient of −1 from all three, at a score of −100 for target 1")
for name, values in observed.items():
    print("observed:", name, values)
print("observed: soft_margin_loss of −12 in float16:", half)
loss, gradient = observed.pop("soft_margin_loss")
assert loss == math.inf and math.isnan(gradient) and half == math.inf
assert list(observed.values()) == [(100, -1), (100, -1)]
EOF
