#!/usr/bin/env bash
# torchvision: whether a box is suppressed depends on the number of its class.
#
# batched_nms keeps classes apart by moving each to a place of its own: it adds the class number
# times the largest coordinate. float32 has 24 bits: for class 20000 in an image of 2000 pixels a box
# is then known to 4 pixels, and overlaps change. Such numbers come from large vocabularies, and from
# numbering image × class to treat a batch at once (250 images of 80 classes).
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchvision==0.29.2 torch==2.15.0
"$python" - <<'EOF'
import torch
from torchvision.ops import batched_nms

boxes = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 5.5], [1900, 1000, 2000, 1050]])
scores = torch.tensor([0.9, 0.8, 0.7])  # the first two overlap by 0.55


def kept(label):
    return batched_nms(boxes, scores, torch.tensor([label, label, 0]), iou_threshold=0.5).tolist()


observed = {label: kept(label) for label in (1, 20, 200, 20000)}
print("expected: boxes 0 and 2, whatever the number of the class")
print("observed: kept, by the class of boxes 0 and 1:", observed)
assert observed == {1: [0, 2], 20: [0, 2], 200: [0, 2], 20000: [0, 1, 2]}
EOF
