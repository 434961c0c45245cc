"""The training step of bench/gpt_bench.cpp in PyTorch: nanoGPT's CPU configuration.

    python3 bench/peers/nanogpt_step.py [THREADS]      (needs torch; Debian: python3-torch)

Prints milliseconds a step: median, and the tenth and ninetieth percentile. An oracle and a rival
only; nothing in the project needs it.
"""
import math
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

LAYERS, HEADS, WIDTH, TIME, BATCH, VOCABULARY = 4, 4, 128, 64, 12, 65


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))
        self.attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.register_buffer("hidden", torch.ones(TIME, TIME).triu(1).bool(), persistent=False)

    def attention(self, q, k, v):
        if hasattr(F, "scaled_dot_product_attention"):  # PyTorch 2
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return scores.masked_fill(self.hidden, -math.inf).softmax(-1) @ v

    def forward(self, x):
        heads = (BATCH, TIME, HEADS, WIDTH // HEADS)
        q, k, v = (part.view(heads).transpose(1, 2)
                   for part in self.attn(F.layer_norm(x, (WIDTH,), self.norm_1)).split(WIDTH, 2))
        x = x + self.proj(self.attention(q, k, v).transpose(1, 2).reshape(BATCH, TIME, WIDTH))
        return x + self.down(F.gelu(self.up(F.layer_norm(x, (WIDTH,), self.norm_2))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(TIME, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(WIDTH))

    def loss(self, inputs, targets):
        x = self.token(inputs) + self.position(torch.arange(TIME))
        for block in self.blocks:
            x = block(x)
        logits = F.layer_norm(x, (WIDTH,), self.norm) @ self.token.weight.t()
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    torch.manual_seed(1)
    model = Gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
    times = []
    for step in range(120):
        start = time.perf_counter()
        inputs, targets = torch.randint(VOCABULARY, (2, BATCH, TIME))
        optimizer.zero_grad(set_to_none=True)
        model.loss(inputs, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= 20:
            times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads: "
          f"{statistics.median(times):.1f} ms a step (10 %: {times[10]:.1f}, 90 %: {times[90]:.1f})")


main()
