#!/usr/bin/env bash
# ensemble-boxes: Soft-NMS does not soften anything.
#
# Soft-NMS (Bodla et al. 2017) keeps overlapping boxes and lowers their scores. soft_nms() computes
# the lower scores, puts the boxes in their order, and returns the scores from before. So the AP of
# what comes out is that of what goes in; only boxes whose lowered score is below `thresh` (0.001)
# are missing. Whoever sorts or filters by score gets every duplicate at full confidence.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need ensemble-boxes==1.0.9 numpy==2.3.5
"$python" - <<'EOF'
import numpy as np
from ensemble_boxes import soft_nms

boxes = [[0.1, 0.1, 0.4, 0.4], [0.1, 0.1, 0.4, 0.3], [0.6, 0.6, 0.9, 0.9]]
scores = [0.9, 0.8, 0.5]
overlap = 2 / 3  # of the first two
lowered = {1: 0.8 * (1 - overlap), 2: 0.8 * np.exp(-overlap**2 / 0.5)}
for method, name in ((1, "linear"), (2, "Gaussian")):
    _, after, _ = soft_nms([boxes], [scores], [[0, 0, 0]], method=method, iou_thr=0.5, sigma=0.5)
    print(f"{name}: expected 0.9, 0.5, {lowered[method]:.3f}; observed {after.tolist()}")
    assert after.tolist() == [0.9, 0.5, 0.8]
EOF
