#!/usr/bin/env bash
# PyTorch: interpolate() to the size that the image has drops a pixel.
#
# scale_factor=1.3 makes two pixels of two (2 · 1.3 is rounded down). "linear" then returns its input.
# "nearest" does not: it looks up pixels by the factor that was given, ⌊i / 1.3⌋, so the second pixel
# is gone and the first stands twice. With size=2 instead, the same call is the identity.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch
from torch.nn.functional import interpolate

x = torch.tensor([[[0.0, 1.0]]])
by_factor = {mode: interpolate(x, scale_factor=1.3, mode=mode).flatten().tolist()
             for mode in ("linear", "nearest")}
by_size = interpolate(x, size=2, mode="nearest").flatten().tolist()
print("expected: [0.0, 1.0], for the size stays the same")
print("observed:", by_factor, " nearest with size=2:", by_size)
assert by_factor == {"linear": [0, 1], "nearest": [0, 0]} and by_size == [0, 1]
EOF
