#!/usr/bin/env bash
# PyTorch: whether F.pad sees the elements that it cuts depends on the mode.
#
# A negative number on one side cuts elements off, while the other side is padded: the usual way to
# shift a signal. Circular padding goes round what is left. Reflect takes its mirror image from the
# whole input, so what was cut off comes back on the other side. Cutting first and padding then
# agrees with the one and not with the other (there it is even an error: too little is left).
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch
import torch.nn.functional as F

x = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
observed = {mode: F.pad(x, (3, -2), mode=mode)[0].tolist() for mode in ("circular", "reflect")}
circular = F.pad(F.pad(x, (0, -2)), (3, 0), mode="circular")[0].tolist()
try:
    reflect = F.pad(F.pad(x, (0, -2)), (3, 0), mode="reflect")[0].tolist()
except RuntimeError:
    reflect = "error"
print("expected: both modes look at all of 1 … 5, or both at 1, 2, 3 only")
print("observed: padded by (3, −2):", observed)
print("cut first, then padded:", {"circular": circular, "reflect": reflect})
assert observed == {"circular": [1, 2, 3, 1, 2, 3], "reflect": [4, 3, 2, 1, 2, 3]}
assert circular == observed["circular"] and reflect == "error"
EOF
