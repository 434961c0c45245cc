#!/usr/bin/env bash
# torchmetrics: the accuracy of the same logits depends on how they are cut into batches.
#
# Binary metrics take probabilities or logits, and tell the two apart for each call of update():
# where all values of a batch lie in [0, 1] they are probabilities, else logits. A batch of modest
# positive logits is taken for probabilities, and those below 0.5, which mean "yes", count as "no".
# The documentation says so for one call. That the result of an epoch changes with the batch size
# follows, and surprises.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchmetrics==1.9.0 torch==2.15.0
"$python" - <<'EOF'
import torch
from torchmetrics.classification import BinaryAccuracy

logits = torch.tensor([0.2, 0.4, -3.0, 2.0])
targets = torch.tensor([1, 1, 0, 1])  # a logit above 0 means 1: all are right


def accuracy(batch_size):
    metric = BinaryAccuracy()
    for first in range(0, 4, batch_size):
        metric.update(logits[first : first + batch_size], targets[first : first + batch_size])
    return metric.compute().item()


observed = {size: accuracy(size) for size in (4, 2, 1)}
print("expected: the same for any batch size, 1.0")
print("observed: accuracy by batch size", observed)
assert observed == {4: 1.0, 2: 0.5, 1: 0.5}
EOF
