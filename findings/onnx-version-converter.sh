#!/usr/bin/env bash
# ONNX: converting a model to another opset version changes what it computes.
#
# version_converter is there to keep the meaning. For Softmax it does: before opset 13 it ran over all
# axes from the given one on, after that over one axis, and an upgrade puts a Flatten around it. For
# Hardmax, which changed in the same way, the upgrade leaves the node as it is, and the downgrade of
# Softmax does so as well. Resize and Upsample keep their attributes, but the default position of a
# pixel moved by half in opset 11: a linear upsampling is another picture afterwards. No step warns,
# and the checker accepts all of these models.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$python" - <<'EOF'
import numpy as np
import onnxruntime
from onnx import checker, parser, version_converter

SCALES = "s = Constant<value = float[3] {1.0, 1.0, 2.0}>()"
MODELS = {  # the node, and the versions it is converted from and to
    "Softmax up": ("y = Softmax<axis = 1>(x)", 11, 13),
    "Softmax down": ("y = Softmax<axis = 1>(x)", 13, 11),
    "Hardmax up": ("y = Hardmax<axis = 1>(x)", 11, 13),
    "Resize up": (SCALES + ' y = Resize<mode = "linear">(x, s)', 10, 11),
    "Upsample up": (SCALES + ' y = Upsample<mode = "linear">(x, s)', 9, 11),
}
x = np.array([[[1, 2], [3, 5]]], np.float32)


def computed(model):
    checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


changed = {}
print("expected: the same result before and after converting")
for name, (nodes, version, target) in MODELS.items():
    model = parser.parse_model(f'<ir_version: 7, opset_import: ["" : {version}]> '
                               f"g (float[1,2,2] x) => (float[a,b,c] y) {{ {nodes} }}")
    before = computed(model)
    after = computed(version_converter.convert_version(model, target))
    changed[name] = not np.allclose(before, after, atol=1e-3)
    print(f"observed: {name}, {version} to {target}:", before.astype(float).round(2).tolist(), "then",
          after.astype(float).round(2).tolist())
assert changed == {"Softmax up": False, "Softmax down": True, "Hardmax up": True,
                   "Resize up": True, "Upsample up": True}
EOF
