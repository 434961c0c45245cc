#!/usr/bin/env python3
"""Makes all files of this folder again, and says which differ from those here.

    python3 -m venv VENV && VENV/bin/pip install -r tests/golden/requirements.txt
    VENV/bin/python tests/golden/make_all.py [--write]

Every make_*.py runs in a copy of this folder, so nothing here changes; with --write, what differs is
copied back. PyTorch's sums depend on the number of threads and on the processor, so "rounding" (no
more than 1e-11, where 1 or the largest number of a tensor is 1) may differ from machine to machine.
What needs files that are not here (make_bpe.py FOLDER) stays as it is.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}


def difference(old, new):
    """In words; "" where the files are equal byte by byte."""
    if not old.exists():
        return "new"
    if old.read_bytes() == new.read_bytes():
        return ""
    if old.suffix != ".safetensors":
        return "differs"
    before, after = load_file(old), load_file(new)
    if before.keys() != after.keys():
        return "other names: " + ", ".join(sorted(before.keys() ^ after.keys())[:5])
    worst = 0
    for name, x in before.items():
        y = after[name]
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"other shape or dtype: {name}"
        x, y = x.double(), y.double()
        gap = torch.where((x == y) | (x.isnan() & y.isnan()), 0, (x - y).abs())
        scale = x[x.isfinite()].abs()
        worst = max(worst, (gap / max(1, scale.max() if scale.numel() else 0)).max().item()
                    if gap.numel() else 0)
    if worst == 0:
        return "the same numbers"
    return f"rounding, {worst:.1e}" if worst <= 1e-11 else f"differs by {worst:.1e}"


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / "golden"
        shutil.copytree(HERE, copy)
        for script in sorted(HERE.glob("make_*.py")):
            if script.name == pathlib.Path(__file__).name:
                continue
            run = subprocess.run([sys.executable, copy / script.name], env=ENVIRONMENT, text=True,
                                 capture_output=True)
            if run.returncode:
                wrong += 1
                print(f"{script.name} failed: {run.stderr.strip().splitlines()[-1]}")
        for new in sorted(path for path in copy.rglob("*") if path.is_file()):
            old = HERE / new.relative_to(copy)
            if new.suffix in (".py", ".pyc") or new.name == "requirements.txt":
                continue
            text = difference(old, new)
            print(f"{old.relative_to(HERE)}: {text or 'the same bytes'}")
            wrong += bool(text) and not text.startswith(("rounding", "the same"))
            if text and "--write" in sys.argv[1:]:
                old.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(new, old)
    sys.exit(wrong > 0)


main()
