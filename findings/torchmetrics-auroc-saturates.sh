#!/usr/bin/env bash
# torchmetrics: the AUROC of confident logits is that of guessing.
#
# AUROC depends on the order of the scores only, so it should not matter that logits are first sent
# through a sigmoid. But in float32 the sigmoid is exactly 1 from about 17 upwards: 20 and 30 become
# a tie, and ties count one half. Negative logits keep their order, so the result also depends on
# which class is called positive.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchmetrics==1.9.0 torch==2.15.0 scikit-learn==1.9.1
"$python" - <<'EOF'
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.classification import BinaryAUROC

targets = torch.tensor([0, 0, 1, 1])
low = torch.tensor([-31.0, -30.0, -21.0, -20.0])  # the same steps on the other side of 0
high = torch.tensor([20.0, 21.0, 30.0, 31.0])
expected = [roc_auc_score(targets, logits) for logits in (low, high)]
observed = [BinaryAUROC()(logits, targets).item() for logits in (low, high)]
print("expected, from scikit-learn:", expected)
print("observed:", observed, "for logits", low.tolist(), "and", high.tolist())
assert expected == [1, 1] and observed == [1, 0.5]
EOF
