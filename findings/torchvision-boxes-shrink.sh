#!/usr/bin/env bash
# torchvision: boxes of whole pixels move and shrink when their format is changed and changed back.
#
# A box from 0 to 3 has its centre at 1.5. convert_bounding_box_format keeps the integer type that
# labels often have, and drops the half, twice on a round trip: the box comes back as 0 to 2, another
# as shifted by one. torchvision.ops.box_convert makes floats of the same integers, and is exact.
# A pipeline that has a step in each format loses a pixel each time, which small objects notice.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchvision==0.29.2 torch==2.15.0
"$python" - <<'EOF'
import torch
from torchvision import ops, tv_tensors
from torchvision.transforms.v2 import functional

numbers = torch.tensor([[0, 0, 3, 3], [1, 2, 6, 5]])
boxes = tv_tensors.BoundingBoxes(numbers, format="XYXY", canvas_size=(8, 8))
for format in ("CXCYWH", "XYXY"):
    boxes = functional.convert_bounding_box_format(boxes, new_format=format)
exact = ops.box_convert(ops.box_convert(numbers, "xyxy", "cxcywh"), "cxcywh", "xyxy")
print("expected: the same boxes after XYXY → CXCYWH → XYXY:", numbers.tolist())
print("observed: box_convert:", exact.tolist())
print("observed: convert_bounding_box_format:", boxes.tolist())
assert torch.equal(exact, numbers.float())
assert boxes.tolist() == [[0, 0, 2, 2], [0, 1, 5, 4]]
EOF
