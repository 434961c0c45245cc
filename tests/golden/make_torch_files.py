#!/usr/bin/env python3
"""Makes the files of tests/zoo/torch_file_test.cpp with PyTorch's torch.save.

    python3 tests/golden/make_torch_files.py

writes torch/ in its folder: what people save, and expected.safetensors with the same numbers under
"file/name"; dtypes of few bits as f32, integers as int64. gpt2/ and gpt2-split/ are folders as older
transformers wrote them, and expected.safetensors in gpt2/ has what transformers makes of them.
"""
import json
import os
import shutil
import zipfile
from collections import OrderedDict

import torch
import transformers
from safetensors.torch import save_file

torch.manual_seed(20261201)
transformers.logging.set_verbosity_error()
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
shutil.rmtree(HERE, ignore_errors=True)
os.makedirs(HERE)
expected = {}


def keep(name, saved, state=None):
    """Saves, and notes the tensors of `state`, which are those of `saved` unless given."""
    path = os.path.join(HERE, name + ".pt")
    torch.save(saved, path)
    for key, x in (state or saved).items():
        if not isinstance(x, torch.Tensor):
            continue
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        to = wide if x.is_floating_point() else torch.bool if x.dtype == torch.bool else torch.int64
        expected[f"{name}/{key}"] = x.detach().to(to).contiguous().clone()
    print(name, os.path.getsize(path), "bytes")
    return path


# What a module has: a tied weight, a buffer of integers, attributes of the dict itself.
class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = torch.nn.Embedding(5, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.head = torch.nn.Linear(3, 5)
        self.head.weight = self.wte.weight


model = Tied()
state = keep("state", model.state_dict())
with zipfile.ZipFile(state) as old, zipfile.ZipFile(
        os.path.join(HERE, "deflated.pt"), "w", zipfile.ZIP_DEFLATED) as new:
    for member in old.infolist():
        new.writestr(zipfile.ZipInfo("any/" + member.filename.split("/", 1)[1]), old.read(member),
                     zipfile.ZIP_DEFLATED)

# Parts of larger tensors, other orders of elements, no elements, parameters.
x = torch.randn(3, 4)
keep("views", {"row": x[1], "column": x[:, 2], "transposed": x.T, "step": x.flatten()[1::3],
               "expanded": torch.randn(3, 1).expand(3, 2), "empty": torch.zeros(0, 4),
               "scalar": torch.tensor(2.5), "parameter": torch.nn.Parameter(x[:2, 1:3]),
               "frozen": torch.nn.Parameter(torch.randn(2), requires_grad=False)})

kinds = {str(kind)[6:]: kind for kind in (
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz)}
keep("dtypes", {name: torch.tensor([0, 1, 1, 0.25 if kind.is_floating_point else 3]).to(kind)
                for name, kind in kinds.items()})
keep("complex", {"real": torch.ones(2), "complex": torch.ones(2, dtype=torch.complex64)},
     {"real": torch.ones(2)})

# Training runs.
small = torch.nn.Linear(2, 3)
optimizer = torch.optim.AdamW(small.parameters(), lr=1e-3)
small(torch.ones(2)).sum().backward()
optimizer.step()
run = {"optimizer": optimizer.state_dict(), "model_args": {"n_layer": 2, "bias": False},
       "iter_num": 2000, "best_val_loss": torch.tensor(1.5), "seed": 2**70, "lr": 6e-4,
       "config": {"dataset": "shakespeare", "beta": None, "shape": torch.Size([2, 3]),
                  "dtype": torch.bfloat16, "device": torch.device("cpu")}, "losses": [1, -2, 70000]}
keep("nanogpt", {"model": small.state_dict(), **run}, small.state_dict())
keep("lightning", {"epoch": 3, "state_dict": OrderedDict(
    ("model." + name, value) for name, value in small.state_dict().items()), **run},
     {"model." + name: value for name, value in small.state_dict().items()})
keep("inner", {"trainer": {}, "policy": small.state_dict(), **run}, small.state_dict())
keep("deep", {"state": {}, "model": {"module": small.state_dict(), "step": 1}}, small.state_dict())
keep("unclear", {"actor": small.state_dict(), "critic": small.state_dict(), "step": 1}, {"": 0})
torch.save(x, os.path.join(HERE, "tensor.pt"))
torch.save(small, os.path.join(HERE, "module.pt"))
torch.save(small.state_dict(), os.path.join(HERE, "old.pt"), _use_new_zipfile_serialization=False)
torch.save(small.state_dict(), os.path.join(HERE, "protocol4.pt"), pickle_protocol=4)
torch.jit.script(small).save(os.path.join(HERE, "script.pt"))
save_file(expected, os.path.join(HERE, "expected.safetensors"))

# Folders of transformers.
gpt2 = transformers.GPT2LMHeadModel(transformers.GPT2Config(
    vocab_size=11, n_positions=6, n_embd=8, n_layer=1, n_head=2, bos_token_id=None,
    eos_token_id=None)).eval()
with torch.no_grad():
    for weight in gpt2.parameters():
        weight.add_(0.4 * torch.randn_like(weight))
ids = torch.randint(0, 11, (2, 6))
weights = gpt2.state_dict()
for folder in ("gpt2", "gpt2-split"):
    os.makedirs(os.path.join(HERE, folder))
    gpt2.config.save_pretrained(os.path.join(HERE, folder))
torch.save(weights, os.path.join(HERE, "gpt2", "pytorch_model.bin"))
save_file({"input_ids": ids, "logits": gpt2(ids).logits.detach()},
          os.path.join(HERE, "gpt2", "expected.safetensors"))
half = len(weights) // 2
where = {}
for number, names in enumerate([list(weights)[:half], list(weights)[half:]], 1):
    file = f"pytorch_model-{number:05}-of-00002.bin"
    torch.save({name: weights[name] for name in names}, os.path.join(HERE, "gpt2-split", file))
    where.update(dict.fromkeys(names, file))
with open(os.path.join(HERE, "gpt2-split", "pytorch_model.bin.index.json"), "w") as index:
    json.dump({"metadata": {"total_size": 0}, "weight_map": where}, index, indent=2)
