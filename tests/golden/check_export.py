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
import sys

import torch
from safetensors.torch import load_file

TOLERANCE = 1e-5  # of sums in f32, in another order


def compare(name, ours, theirs):
    """Prints and returns the largest difference, relative to the largest value."""
    assert ours.shape == theirs.shape, f"{name}: {tuple(ours.shape)} and {tuple(theirs.shape)}"
    deviation = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    print(f"{name} {deviation:.1e}")
    assert deviation <= TOLERANCE, f"{name} differs by {deviation}"


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


if __name__ == "__main__":
    kind, folder, expected_file = sys.argv[1:]
    expected = load_file(expected_file)
    expected["facts"] = {}
    if os.path.exists(expected_file + ".json"):
        with open(expected_file + ".json") as file:
            expected["facts"] = json.load(file)
    globals()[kind](folder, expected)
