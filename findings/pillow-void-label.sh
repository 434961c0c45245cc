#!/usr/bin/env bash
# Pillow: a mask loses the label 255, "void", when it is saved with the colours of its classes.
#
# Masks of segmentation are PNG files with a palette: each index is a class, and 255 is what is not
# scored (Pascal VOC). Pillow stores indices in as many bits as the palette's size needs. Twelve
# colours for twelve classes make four bits, and of 255 the lowest four are left: 15. With three
# classes void becomes 3; with two it becomes class 1, which is scored. Pillow says nothing, and the
# image in memory stays right. From 17 colours on all is well, as it is with VOC's own 21 classes.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need pillow==13.0.0
"$python" - <<'EOF'
import io
from PIL import Image

VOID = 255
found = {}
for classes in (2, 3, 5, 12, 16, 17, 21):
    mask = Image.new("P", (4, 4))
    mask.putdata([0] * 8 + [classes - 1] * 4 + [VOID] * 4)
    mask.putpalette([37 * i % 256 for i in range(3 * classes)])
    file = io.BytesIO()
    mask.save(file, "PNG")
    assert mask.getpixel((0, 3)) == VOID
    read = Image.open(file)
    assert read.mode == "P" and read.getpixel((0, 2)) == classes - 1
    found[classes] = read.getpixel((0, 3))
print("expected: a pixel of index 255 is read back as 255, with any number of colours")
print("observed, colours: index read back:", found)
assert found == {2: 1, 3: 3, 5: 15, 12: 15, 16: 15, 17: 255, 21: 255}
EOF
