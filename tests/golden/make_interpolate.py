#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/interpolate_test.cpp with PyTorch.

    python3 tests/golden/make_interpolate.py

writes interpolate.safetensors in its folder. "cases" has a row for every case: the width of the image,
then the width of the result or 0, and the scale factor or 0. A case's image has the row
sin(0), sin(1), ... at every height, and a row of what becomes of it stands in "nearest", "bilinear" and
"corners" (bilinear with align_corners), one case after another.
"""
import os

import torch
import torch.nn.functional as F

from safetensors_file import save

FACTORS = (1 / 3, 0.5, 2 / 3, 0.7, 0.9, 1.0, 1.05, 1.1, 1.25, 1.3, 4 / 3, 1.5, 1.7, 1.9, 2.0, 2.05, 2.1,
           2.5, 2.9, 3.0)
SIZES = (1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 14, 19, 20, 25)
cases, results = [], {"nearest": [], "bilinear": [], "corners": []}
for width in (1, 2, 3, 5, 6, 7, 10, 13):
    image = torch.sin(torch.arange(width, dtype=torch.float64)).expand(1, 1, width, width)
    for size, factor in [(size, 0) for size in SIZES] + [(0, factor) for factor in FACTORS]:
        if int(width * factor) + size == 0:
            continue
        options = {"size": (size, size)} if size else {"scale_factor": factor}
        cases.append([width, size, factor])
        for mode, corners in (("nearest", None), ("bilinear", False), ("corners", True)):
            y = F.interpolate(image, mode="nearest" if mode == "nearest" else "bilinear",
                              align_corners=corners, **options)
            results[mode].append(y[0, 0, 0])
out = {mode: torch.cat(rows) for mode, rows in results.items()}
out["cases"] = torch.tensor(cases, dtype=torch.float64)
save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "interpolate.safetensors"), out)
