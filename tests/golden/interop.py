#!/usr/bin/env python3
"""The other side of tests/nn/interop_test.cpp: PyTorch and the safetensors library.

    interop.py make FOLDER    for every line "name<TAB>expression" of FOLDER/cases: makes the module
                              with random state, saves it as name.torch, and notes its keys in order
    interop.py check FOLDER   loads every name.tarsier strictly into another such module, and compares
                              all values with name.torch, bit by bit
"""
import sys
import warnings

import torch
from safetensors.torch import load_file, save_file
from torch import nn

warnings.simplefilter("ignore")  # about fast paths that are not taken
torch.manual_seed(20261121)
command, folder = sys.argv[1:]


def randomised(expression):
    """The module, without a number that a fresh one has: zeros and ones would hide mistakes."""
    module = eval(expression, {"nn": nn, "torch": torch})
    for tensor in module.state_dict().values():
        with torch.no_grad():
            tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point()
                         else torch.randint(1000, tensor.shape))
    return module


with open(f"{folder}/cases") as file:
    cases = [line.rstrip("\n").split("\t") for line in file]
for name, expression in cases:
    module = randomised(expression)
    if command == "make":
        save_file(module.state_dict(), f"{folder}/{name}.torch")
        with open(f"{folder}/{name}.keys", "w") as file:
            file.writelines(key + "\n" for key in module.state_dict())
    else:
        module.load_state_dict(load_file(f"{folder}/{name}.tarsier"), strict=True)
        expected = load_file(f"{folder}/{name}.torch")
        for key, value in module.state_dict().items():
            if value.dtype != expected[key].dtype or not torch.equal(value, expected[key]):
                sys.exit(f"{name}: {key} differs")
print(command, len(cases), "modules, PyTorch", torch.__version__)
