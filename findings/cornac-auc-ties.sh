#!/usr/bin/env bash
# cornac: the AUC of a model that knows nothing is 0, not a half.
#
# An AUC of 0.5 stands for guessing; equal scores are half right in every usual definition of the area
# under the ROC curve, which the class is named after. cornac.metrics.AUC counts a pair only if the item
# that was chosen has the greater score. Equal scores are as wrong as reversed ones: a constant model
# gets 0, and a model that rounds its scores, or counts something (purchases, common neighbours), gets
# less than one that adds noise to the same counts.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need cornac==3.0.1 numpy==2.4.6
"$python" - <<'EOF'
import numpy as np
from cornac.metrics import AUC

chosen = np.array([1, 3])
others = np.setdiff1d(np.arange(6), chosen)
SCORES = {
    "constant": np.zeros(6),
    "counts": np.array([1.0, 2, 0, 1, 0, 1]),
    "counts and noise": np.array([1.0, 2, 0, 1, 0, 1]) + np.array([0.01, 0, 0, 0.02, 0, 0.03]),
}
observed = {}
for name, scores in SCORES.items():
    difference = np.subtract.outer(scores[chosen], scores[others])
    expected = ((difference > 0) + (difference == 0) / 2).mean()
    observed[name] = float(AUC().compute(item_indices=np.arange(6), pd_scores=scores, gt_pos=chosen))
    print(f"{name}: expected {expected:.4g}, observed {observed[name]:.4g}")
assert observed == {"constant": 0, "counts": 0.75, "counts and noise": 0.875}
EOF
