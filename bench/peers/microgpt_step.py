"""The training step of bench/tiny_bench.cpp in PyTorch: one layer, four heads, 16 × 16 tokens.

    python3 bench/peers/microgpt_step.py [WIDTH]       (needs torch; Debian: python3-torch)

Prints microseconds of processor time a step on one thread (median, tenth and ninetieth percentile), and the same for
one multiplication of two scalars, forward and backward. An oracle and a rival only; nothing in the
project needs it.
"""
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

HEADS, TIME, BATCH, VOCABULARY = 4, 16, 16, 27
WIDTH = int(sys.argv[1]) if len(sys.argv) > 1 else 16


def rms_norm(x, weight):
    return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * weight


class Microgpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(TIME, WIDTH)
        self.norms = nn.ParameterList(nn.Parameter(torch.ones(WIDTH)) for _ in range(3))
        self.attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def loss(self, inputs, targets):
        x = self.token(inputs) + self.position(torch.arange(TIME))
        q, k, v = (part.view(BATCH, TIME, HEADS, WIDTH // HEADS).transpose(1, 2)
                   for part in self.attn(rms_norm(x, self.norms[0])).split(WIDTH, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(BATCH, TIME, WIDTH))
        x = x + self.down(F.relu(self.up(rms_norm(x, self.norms[1]))))
        logits = self.head(rms_norm(x, self.norms[2]))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def report(name, step, steps):
    times = []
    for i in range(steps):
        start = time.process_time()
        step()
        if i >= steps // 10:
            times.append(1e6 * (time.process_time() - start))
    times.sort()
    print(f"PyTorch {torch.__version__}, {name}: {statistics.median(times):.1f} µs "
          f"(10 %: {times[len(times) // 10]:.1f}, 90 %: {times[len(times) * 9 // 10]:.1f})")


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Microgpt()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.95))
    inputs, targets = torch.randint(VOCABULARY, (2, BATCH, TIME))

    def step():
        optimizer.zero_grad(set_to_none=True)
        model.loss(inputs, targets).backward()
        optimizer.step()

    report(f"microgpt, {WIDTH} wide", step, 1000)
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)

    def scalar():
        a.grad = None
        (a * b).backward()

    report("scalar", scalar, 20000)


main()
