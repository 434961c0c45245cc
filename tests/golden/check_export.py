#!/usr/bin/env python3
"""The other side of tests/zoo/export_*_test.cpp: loads what `tarsier export` wrote with the real
library, and prints the largest deviation from our outputs.

    check_export.py KIND FOLDER EXPECTED

EXPECTED is a safetensors file with "input" and "output" of our model, and where the kind has a
tokenizer a file EXPECTED.json with "text" and "tokens". Fails if outputs differ by more than 1e-5 of
the largest, or any token.
"""
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import torch
from safetensors.torch import load_file

TOLERANCE = 1e-5  # of sums in f32, in another order


def compare(name, ours, theirs):
    """The largest difference, relative to the largest value; printed if it has a name."""
    assert ours.shape == theirs.shape, f"{name}: {tuple(ours.shape)} and {tuple(theirs.shape)}"
    deviation = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    assert deviation <= TOLERANCE, f"{name} differs by {deviation}"
    if name:
        print(f"{name} {deviation:.1e}")
    return deviation


def huggingface(folder, expected):
    import transformers
    from transformers import AutoConfig, AutoTokenizer

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    name = AutoConfig.from_pretrained(folder).architectures[0]
    model, report = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report[key], f"{key}: {report[key]}"
    with torch.no_grad():
        logits = model.eval()(expected["input"]).logits
    if name == "BertForTokenClassification":
        logits = logits[:, 0]
    compare(name, expected["output"], logits)
    facts = expected["facts"]
    if "tokens" in facts:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        found = tokenizer(facts["text"])["input_ids"]
        assert found == facts["tokens"], f"tokens {found}, expected {facts['tokens']}"
        print(type(tokenizer).__name__, tokenizer.decode(found))
        if "decoded" in facts:
            assert tokenizer.decode(found) == facts["decoded"], tokenizer.decode(found)


def tensorboard(folder, expected):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(folder).Reload()
    lines = [json.loads(line) for line in open(expected["facts"]["log"])]
    for tag in ("train_loss", "grad_norm"):
        found = [(event.step, event.value) for event in events.Scalars(tag)]
        wanted = [(line["step"], line[tag]) for line in lines]
        assert [step for step, _ in found] == [step for step, _ in wanted]
        compare(tag, torch.tensor([value for _, value in wanted]).nan_to_num(),
                torch.tensor([value for _, value in found]).nan_to_num())


def torch_gradients(model, expected):
    """Loss and gradients of our model.py and of the original."""
    loss = model.loss(expected["input"], expected["targets"])
    loss.backward()
    compare("loss", expected["loss"], loss.detach())
    worst = max(compare(None, expected["grad." + name], parameter.grad)
                for name, parameter in model.named_parameters())
    print(f"gradients {worst:.1e}")


def torch_model(folder, expected):
    sys.path.insert(0, folder)
    import model as gpt

    model = gpt.load()
    with torch.no_grad():
        compare("logits", expected["output"], model(expected["input"]))
    torch_gradients(model, expected)


def torch_train(folder, expected):
    """Our losses, of one process and of two."""
    losses = expected["facts"]["losses"]
    for launcher in ([sys.executable],
                     [sys.executable, "-m", "torch.distributed.run", "--standalone",
                      "--nproc_per_node=2"]):
        result = subprocess.run(
            launcher + [f"{folder}/train.py", "--steps", str(len(losses)), "--out", f"{folder}/out"],
            capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        assert result.returncode == 0, result.stderr
        found = [float(line.split()[-1]) for line in result.stdout.splitlines()
                 if line.startswith("step ")]
        compare(f"losses of {'two processes' if len(launcher) > 1 else 'one process'}",
                torch.tensor(losses), torch.tensor(found))


def nanogpt(folder, expected):
    """Weights, AdamW and the next steps in nanoGPT's own model."""
    sys.path.insert(0, os.environ["TARSIER_NANOGPT"])
    from model import GPT, GPTConfig

    checkpoint = torch.load(f"{folder}/ckpt.pt", map_location="cpu")
    model = GPT(GPTConfig(**checkpoint["model_args"]))
    model.load_state_dict(checkpoint["model"])
    settings = {"config_file": f"{folder}/resume.py"}
    exec(open(f"{folder}/resume.py").read(), settings)
    optimizer = model.configure_optimizers(
        settings["weight_decay"], settings["learning_rate"], (settings["beta1"], settings["beta2"]),
        "cpu")
    optimizer.load_state_dict(checkpoint["optimizer"])
    found = []
    for i, rate in enumerate(expected["facts"]["rates"]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        _, loss = model(expected[f"inputs.{i}"], expected[f"targets.{i}"])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["grad_clip"])
        optimizer.step()
        found.append(loss.item())
    compare("losses", torch.tensor(expected["facts"]["losses"]), torch.tensor(found))
    tokens = np.fromfile(f"{folder}/train.bin", dtype=np.uint16)
    with open(f"{folder}/meta.pkl", "rb") as file:
        itos = pickle.load(file)["itos"]
    text = "".join(itos[token] for token in tokens.tolist())
    assert expected["facts"]["text"].startswith(text), text[:40]


if __name__ == "__main__":
    kind, folder, expected_file = sys.argv[1:]
    expected = load_file(expected_file)
    expected["facts"] = {}
    if os.path.exists(expected_file + ".json"):
        with open(expected_file + ".json") as file:
            expected["facts"] = json.load(file)
    globals()[kind](folder, expected)
