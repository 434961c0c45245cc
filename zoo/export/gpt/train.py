"""Goes on with the training of a GPT where tarsier stopped.

    python train.py [--steps N] [--out FOLDER]
    torchrun --nproc_per_node=2 train.py [--steps N] [--out FOLDER]

Weights and the state of AdamW come from checkpoint.pt, the recipe from config.json, the tokens from
train.bin. The batches are those that tarsier would draw, so without dropout the losses go on as
there, up to rounding, with any number of processes that divides the batch. FOLDER/checkpoint.pt and
FOLDER/model.pt are the result.
"""
import argparse
import math
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import model as gpt


def philox(number, stream, seed):
    """128 random bits: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011."""
    low, high = (lambda v: v & 0xFFFFFFFF), (lambda v: v >> 32)
    counter = [low(number), high(number), low(stream), high(stream)]
    key = [low(seed), high(seed)]
    for _ in range(10):
        p, q = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [high(q) ^ counter[1] ^ key[0], low(q), high(p) ^ counter[3] ^ key[1], low(p)]
        key = [low(key[0] + 0x9E3779B9), low(key[1] + 0xBB67AE85)]
    return counter


def uniform(index, stream, seed):
    """Number `index` of a stream in [0, 1)."""
    word = index // 16 % 2 * 2
    words = philox(index // 32 * 16 + index % 16, stream, seed)
    return ((words[word + 1] << 32 | words[word]) >> 11) * 2.0**-53


def batch(tokens, number, recipe, length):
    """Batch `number` (from 1): tokens and the tokens that follow them."""
    size = recipe["batch_size"]
    places = len(tokens) - length
    starts = [int(uniform((number - 1) * size + i, 1 << 63, recipe["seed"]) * places)
              for i in range(size)]
    rows = torch.tensor(np.stack([tokens[i:i + length + 1] for i in starts]).astype(np.int64))
    return rows[:, :-1], rows[:, 1:]


def learning_rate(step, recipe):
    """Of a step (from 1): it rises, then falls as the schedule says."""
    high, low = recipe["learning_rate"], min(recipe["min_learning_rate"], recipe["learning_rate"])
    end = recipe["decay_steps"] or recipe["steps"]
    rise, t = min(recipe["warmup_steps"], end // 2), step - 1
    if t < rise:
        return high * (t + 1) / (rise + 1)
    if recipe["schedule"] == "constant":
        return high
    if recipe["schedule"] == "noam":
        return high * math.sqrt((rise + 1) / (t + 1))
    done = min((t - rise) / (end - rise), 1)
    if recipe["schedule"] == "linear":
        return high + (low - high) * done
    return low + 0.5 * (1 + math.cos(math.pi * done)) * (high - low)


def optimizer_of(model, recipe):
    """AdamW, with weight decay for matrices only."""
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": recipe["weight_decay"]},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe["learning_rate"],
                             betas=(recipe["beta1"], recipe["beta2"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, help="steps to do, beyond the recipe's end at its last "
                        "learning rate; default: up to its end")
    parser.add_argument("--out", default="continued", help="folder of the result; default: continued")
    options = parser.parse_args()
    data = os.path.join(gpt.FOLDER, "train.bin")
    if not os.path.exists(data):
        sys.exit(f"there is no {data}: export the run again where its data are, unchanged")
    config = gpt.config()
    recipe, length = config["recipe"], config["model"]["block_size"]
    together = "RANK" in os.environ  # set by torchrun
    if together:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    assert recipe["batch_size"] % ranks == 0, f"{ranks} processes must divide the batch"

    checkpoint = torch.load(os.path.join(gpt.FOLDER, "checkpoint.pt"), map_location=device)
    model = gpt.Model(config["model"]).to(device)
    model.load_state_dict(checkpoint["model"])
    optimizer = optimizer_of(model, recipe)
    optimizer.load_state_dict(checkpoint["optimizer"])
    forward = DistributedDataParallel(model) if together else model
    tokens = np.memmap(data, dtype=np.uint16, mode="r")
    parts = recipe["accumulate"]
    first = checkpoint["step"] + 1
    last = first - 1 + options.steps if options.steps else recipe["steps"]
    if rank == 0 and last < first:
        print(f"all {recipe['steps']} steps are done: --steps N does N more")
    for step in range(first, last + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe)
        optimizer.zero_grad()
        total = torch.zeros(())
        for part in range(1, parts + 1):
            inputs, targets = batch(tokens, (step - 1) * parts + part, recipe, length)
            inputs, targets = inputs[rank::ranks].to(device), targets[rank::ranks].to(device)
            logits = forward(inputs)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()) / parts
            loss.backward()
            total += loss.detach().cpu()
        if together:  # the gradients are averaged already
            dist.all_reduce(total)
        if recipe["clip_norm"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe["clip_norm"])
        optimizer.step()
        if rank == 0:
            print(f"step {step}  loss {total.item() / ranks:.6f}", flush=True)
    if rank == 0:
        os.makedirs(options.out, exist_ok=True)
        torch.save(model.state_dict(), os.path.join(options.out, "model.pt"))
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": last},
                   os.path.join(options.out, "checkpoint.pt"))
    if together:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
