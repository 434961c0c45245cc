#!/usr/bin/env python3
"""Makes python.safetensors with the original library: a file that our reader must read.
tests/nn/safetensors_test.cpp knows its values. And dtypes.safetensors with every dtype of the
format, also those that PyTorch cannot write; "F8_E4M3.f32" and the like are what PyTorch makes of
all 256 bytes.

    python3 tests/golden/make_safetensors.py
"""
import json
import os
import struct

import numpy as np
import safetensors
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

entries = [
    ("C64", [1], np.array([1 + 2j], "<c8")),
    ("I64", [2], np.array([-2**63, 2**63 - 1], "<i8")),
    ("U64", [2], np.array([0, 2**63 - 1], "<u8")),
    ("U64.large", [1], np.array([2**63], "<u8")),
    ("I32", [2], np.array([-2**31, 2**31 - 1], "<i4")),
    ("U32", [2], np.array([1, 2**32 - 1], "<u4")),
    ("I16", [2], np.array([-2**15, 2**15 - 1], "<i2")),
    ("U16", [2], np.array([1, 2**16 - 1], "<u2")),
    ("F6_E2M3", [4], np.zeros(3, "u1")),
    ("I8", [2], np.array([-128, 127], "i1")),
    ("U8", [3], np.array([0, 1, 255], "u1")),
    ("F6_E3M2", [4], np.zeros(3, "u1")),
    ("F4", [2, 3], np.zeros(3, "u1")),
    ("nine", [1] * 9, np.zeros(1, "<f4")),
]
for name, dtype in {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
                    "F8_E4M3FNUZ": torch.float8_e4m3fnuz, "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
                    "F8_E8M0": torch.float8_e8m0fnu}.items():
    every = torch.arange(256, dtype=torch.uint8)
    entries.append((name, [256], every.numpy()))
    entries.append((name + ".f32", [256], every.view(dtype).float().numpy()))
header, data = {}, b""
for name, shape, values in entries:
    raw = values.tobytes()
    dtype = "F32" if name.endswith("f32") or name == "nine" else name.split(".")[0]
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header, separators=(",", ":")).encode()
file = struct.pack("<Q", len(text)) + text + data
assert len(safetensors.deserialize(file)) == len(entries)  # the original library takes it
with open(os.path.join(HERE, "dtypes.safetensors"), "wb") as out:
    out.write(file)
