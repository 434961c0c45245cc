#!/usr/bin/env bash
# torchvision: keypoints turned with their image land one pixel off.
#
# Flips take a keypoint for the number of a pixel: in an image 4 wide, 0 becomes 3, and that is where
# the pixel goes. rotate() takes it for a place between 0 and 4: turned by 180°, 0 becomes 4, which is
# outside of the image. Turning by 180° and flipping both ways are the same for images, and not for
# their keypoints. On small heat maps a pixel is much, and training with both kinds of augmentation
# gets labels of two kinds.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchvision==0.29.2 torch==2.15.0
"$python" - <<'EOF'
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

image = tv_tensors.Image(torch.zeros(1, 4, 4))
image[0, 1, 0] = 1  # row 1, column 0
point = tv_tensors.KeyPoints([[0.0, 1.0]], canvas_size=(4, 4))  # x = 0, y = 1: that pixel


def flipped(x):
    return functional.vertical_flip(functional.horizontal_flip(x))


def turned(x):
    return functional.rotate(x, 180)


observed = {}
for name, change in {"flipped both ways": flipped, "turned by 180°": turned}.items():
    row, column = change(image)[0].nonzero()[0].tolist()
    observed[name] = [column, row], change(point)[0].tolist()
print("expected: the keypoint goes where the pixel goes")
for name, (pixel, keypoint) in observed.items():
    print(f"observed: {name}: pixel {pixel}, keypoint {keypoint}")
assert observed == {"flipped both ways": ([3, 2], [3, 2]), "turned by 180°": ([3, 2], [4, 3])}
EOF
