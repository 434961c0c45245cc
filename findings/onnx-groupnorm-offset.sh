#!/usr/bin/env bash
# ONNX: GroupNormalization of values around 10000 gives 1107 in place of 1.5.
#
# The standard defines the operator by a formula, and by a function of simpler operators, which
# runtimes without a kernel for it run. That function takes for the variance the mean of the squares
# less the square of the mean, in float32: rounding error where the mean is large, and NaN where it
# comes out below 0. onnxruntime runs it so. LayerNormalization over the same elements is exact: with
# one group, no scale and no bias the two are the same thing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$python" - <<'EOF'
import numpy as np
import onnxruntime
from onnx import parser

channels, elements = np.ones(2, np.float32), np.ones((2, 4), np.float32)
MODELS = {
    "GroupNormalization": ("y = GroupNormalization<num_groups = 1>(x, scale, bias)", channels),
    "LayerNormalization": ("y = LayerNormalization<axis = 1>(x, scale, bias)", elements),
}


def largest(name, offset):
    node, scale = MODELS[name]
    shape = ",".join(map(str, scale.shape))
    model = parser.parse_model(
        f'<ir_version: 10, opset_import: ["" : 21]> g (float[1,2,4] x, float[{shape}] scale, '
        f"float[{shape}] bias) => (float[1,2,4] y) {{ {node} }}")
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    x = offset + np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    return float(session.run(None, {"x": x, "scale": scale, "bias": 0 * scale})[0].max())


observed = {name: [largest(name, offset) for offset in (0, 10000)] for name in MODELS}
print("expected: 1.5275 as the largest of eight numbers in a row, from 0 or from 10000")
print("observed:", observed)
group, layer = observed.values()
assert abs(group[0] - 1.5275) < 1e-3 and all(abs(value - 1.5275) < 1e-3 for value in layer)
assert not abs(group[1] - 1.5275) < 0.2
EOF
