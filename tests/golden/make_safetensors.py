#!/usr/bin/env python3
"""Makes python.safetensors with the original library: a file that our reader must read.
tests/nn/safetensors_test.cpp knows its values.

    python3 tests/golden/make_safetensors.py
"""
import os

import numpy as np
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))

save_file({
    "bool": torch.tensor([True, False, True]),
    "f32": torch.tensor([[1.5, -2, 3], [4, 5, 1e-3]]),
    "f64": torch.tensor([np.pi, -0.0], dtype=torch.float64),
    "i64": torch.tensor([-2**63, 0, 2**63 - 1]),
    "f16": torch.from_numpy(np.array([1, -0.5, 65504, 6e-8, np.inf, -np.nan], "<f2")),
    # The upper halves of f32, cut off.
    "bf16": torch.from_numpy((np.array([1, -2.5, 3e38], "<f4").view("<u4") >> 16).astype("<u2"))
                 .view(torch.bfloat16),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 3),
    "ünï.\"name\"": torch.tensor([1.0]),
}, os.path.join(HERE, "python.safetensors"), {"format": "pt", "note": "line\nbreak"})
