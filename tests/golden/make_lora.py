#!/usr/bin/env python3
"""Adapters of a tiny GPT-2, by Hugging Face's PEFT.

    python3 tests/golden/make_lora.py

writes lora/: adapter_config.json and adapter_model.safetensors by save_pretrained, for the model in
hub/gpt2 (make_hub.py), and expected.safetensors with what the adapted model makes of "index":
"logits"; and "merged", the weight of the first c_attn after merge_and_unload. With arguments

    python3 tests/golden/make_lora.py check BASE ADAPTER MERGED INDEX

it loads the folder ADAPTER over BASE and compares logits with those of the folder MERGED.
"""
import json
import pathlib
import shutil
import sys

import peft
import torch
from transformers import GPT2LMHeadModel

from safetensors_file import save_finite

HERE = pathlib.Path(__file__).resolve().parent


def check(base, adapter, merged, index):
    index = torch.tensor([json.loads(index)])
    with torch.no_grad():
        plain = GPT2LMHeadModel.from_pretrained(base).eval()
        without = plain(index).logits
        model = peft.PeftModel.from_pretrained(plain, adapter).eval()
        gap = (model(index).logits - GPT2LMHeadModel.from_pretrained(merged).eval()(index).logits)
        moved = (model(index).logits - without).abs().max().item()
    print(gap.abs().max().item(), moved)


def main():
    torch.manual_seed(20261201)
    folder = HERE / "lora"
    shutil.rmtree(folder, ignore_errors=True)
    base = GPT2LMHeadModel.from_pretrained(HERE / "hub" / "gpt2").eval()
    model = peft.get_peft_model(base, peft.LoraConfig(
        r=3, lora_alpha=5, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True,
        task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.4 * torch.randn_like(parameter))
        index = torch.randint(0, 330, (2, 20))
        model.eval()
        out = {"index": index, "logits": model(index).logits}
        model.save_pretrained(folder)
        merged = model.merge_and_unload()
        out["merged"] = merged.transformer.h[0].attn.c_attn.weight.T.contiguous()
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "adapter_model.safetensors").chmod(0o644)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "gpt2"
    config["target_modules"].sort()  # a set
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_finite(str(folder / "expected.safetensors"), out)
    print("peft", peft.__version__)


if sys.argv[1:2] == ["check"]:
    check(*sys.argv[2:])
else:
    main()
