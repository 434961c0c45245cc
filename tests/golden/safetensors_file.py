"""The safetensors format, for the scripts of this folder: PyTorch 1.13's Python has no library."""
import json
import struct

import torch

NAMES = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL"}


def save(path, tensors):
    """Writes the tensors by name; wide elements first, so that each is aligned."""
    header, data = {}, b""
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    print(path, 8 + len(text) + len(data), "bytes, by PyTorch", torch.__version__)


def save_finite(path, tensors):
    """save(), but not of NaN or infinities: a comparison with them would prove nothing."""
    for name, tensor in tensors.items():
        assert not tensor.is_floating_point() or tensor.isfinite().all(), name
    save(path, tensors)
