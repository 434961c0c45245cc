#!/usr/bin/env bash
# safetensors 0.8: save_file of a transposed NumPy array writes other values, without a word.
#
# safetensors.torch refuses a tensor that is not contiguous, and says what to do. safetensors.numpy
# takes it, writes the array's memory as it lies, and its shape as it is seen: what is loaded has the
# right shape and the numbers in another order. (0.7 wrote it rightly.) Weights transposed for
# another framework's layout are such arrays; so is a column of a matrix.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need safetensors==0.8.0 numpy==2.4.6
"$python" - <<'EOF'
import os
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

weight = np.arange(6.0).reshape(2, 3)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "weight.safetensors")
    save_file({"weight": weight.T, "columns": weight[:, ::2]}, path)
    loaded = load_file(path)
print("expected:", weight.T.tolist(), weight[:, ::2].tolist())
print("observed:", loaded["weight"].tolist(), loaded["columns"].tolist())
assert loaded["weight"].shape == weight.T.shape
assert loaded["weight"].tolist() == [[0, 1], [2, 3], [4, 5]]
assert loaded["columns"].tolist() == [[0, 1], [2, 3]]
EOF
