#!/usr/bin/env bash
# torchmetrics: the Matthews correlation of a model that always says no is nearly 1.
#
# The Matthews correlation is there for rare classes, where accuracy flatters a model that never
# finds one. For constant predictions it is 0/0, and scikit-learn counts it as 0: nothing was
# learned. torchmetrics puts a limit in its place that depends on how rare the class is: with one
# positive among a thousand, all predicted negative, the result is 0.998, with ten 0.31, and without
# any it is 1. The rarer the class, the better such a model looks. The documentation does not say so.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchmetrics==1.9.0 torch==2.15.0 scikit-learn==1.9.1
"$python" - <<'EOF'
import torch
from sklearn.metrics import matthews_corrcoef
from torchmetrics.classification import BinaryMatthewsCorrCoef

always_no = torch.zeros(1000, dtype=torch.long)
expected, observed = {}, {}
for positives in (1, 10, 100, 500):
    targets = (torch.arange(1000) < positives).long()
    expected[positives] = float(matthews_corrcoef(targets, always_no))
    observed[positives] = round(BinaryMatthewsCorrCoef()(always_no, targets).item(), 3)
print("expected, from scikit-learn, by the number of positives:", expected)
print("observed, from torchmetrics:", observed)
assert set(expected.values()) == {0} and observed == {1: 0.998, 10: 0.311, 100: 0.084, 500: 0}
assert BinaryMatthewsCorrCoef()(always_no, always_no).item() == 1
EOF
