#!/usr/bin/env bash
# torchmetrics: R² does not see how wrong a prediction is when the values are large.
#
# R2Score keeps the sum of the targets and of their squares, in float32, and takes the one from the
# other. Of 10000, 10001 and 10002 that leaves nothing, and a variance of 0 makes the result 0: for
# predictions that are nearly right, for the mean, and for the reverse order, which scikit-learn
# gives 0.98, 0 and −3. With a thousand targets near 2020 the first digit is wrong. Years, prices,
# kelvins and pressures are such targets.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchmetrics==1.9.0 torch==2.15.0 scikit-learn==1.9.1
"$python" - <<'EOF'
import torch
from sklearn.metrics import r2_score
from torchmetrics.regression import R2Score

targets = torch.tensor([10000.0, 10001.0, 10002.0])
predictions = {
    "nearly right": targets + torch.tensor([0.125, -0.125, 0.125]),
    "the mean": torch.full((3,), 10001.0),
    "reversed": targets.flip(0),
}
expected = [r2_score(targets.double(), p.double()) for p in predictions.values()]
observed = [R2Score()(p, targets).item() for p in predictions.values()]
print("expected, from scikit-learn:", dict(zip(predictions, expected)))
print("observed, from torchmetrics:", dict(zip(predictions, observed)))
assert observed == [0, 0, 0] and expected[0] > 0.97 and expected[1:] == [0, -3]
EOF
