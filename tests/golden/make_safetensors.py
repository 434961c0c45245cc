#!/usr/bin/env python3
"""Makes python.safetensors with the original library (pip install safetensors==0.4.5 numpy;
later versions want other arguments): a file that
our reader must read. tests/nn/safetensors_test.cpp knows its values."""
import os
import struct

import numpy as np
from safetensors import serialize_file

HERE = os.path.dirname(os.path.abspath(__file__))
F32, F64 = np.array([[1.5, -2, 3], [4, 5, 1e-3]], "<f4"), np.array([np.pi, -0.0], "<f8")


def entry(dtype, array, shape=None):
    return {"dtype": dtype, "shape": list(array.shape if shape is None else shape),
            "data": array.tobytes()}


bf16 = np.array([struct.unpack("<I", struct.pack("<f", x))[0] >> 16 for x in (1, -2.5, 3e38)], "<u2")
serialize_file({
    "bool": entry("bool", np.array([True, False, True])),
    "f32": entry("float32", F32),
    "f64": entry("float64", F64),
    "i64": entry("int64", np.array([-2**63, 0, 2**63 - 1], "<i8")),
    "f16": entry("float16", np.array([1, -0.5, 65504, 6e-8, np.inf, -np.nan], "<f2")),
    "bf16": entry("bfloat16", bf16),
    "scalar": entry("float32", np.array(7, "<f4")),
    "empty": entry("float32", np.zeros((0, 3), "<f4")),
    "ünï.\"name\"": entry("float32", np.array([1], "<f4")),
}, os.path.join(HERE, "python.safetensors"), {"format": "pt", "note": "line\nbreak"})
