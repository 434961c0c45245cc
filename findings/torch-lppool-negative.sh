#!/usr/bin/env bash
# PyTorch: LPPool with an odd power is NaN on negative values.
#
# It is described as power-average pooling, between sum pooling (power 1) and the maximum of the
# absolute values (power ∞). The absolute values are taken at ∞ only: with power 3 a window of
# negative values has a negative sum of cubes, and its root is NaN. Powers 1, 2 and ∞ of the same
# window are numbers. ONNX's LpPool takes absolute values at all powers, so the model means
# something else there. Nothing warns before the first window whose values are mostly negative.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import math

import torch
import torch.nn.functional as F

window = torch.tensor([[-2.0, 1.0]])
observed = {power: F.lp_pool1d(window, power, 2).item() for power in (1.0, 2.0, 3.0, math.inf)}
print("expected: a norm of (−2, 1) for each power (with 3: 9^(1/3) = 2.08), or a signed root")
print("observed: pooled by power:", observed)
assert math.isnan(observed[3.0])
assert observed[1.0] == -1 and abs(observed[2.0] - math.sqrt(5)) < 1e-6 and observed[math.inf] == 2
EOF
