"""The ops of bench/ops_bench.cpp in PyTorch, and how the two compare.

    python3 bench/peers/ops.py build/bench/tarsier_bench [NAME…]     (needs torch)

Both run by turns, seven times, on one thread. Prints medians of processor time in milliseconds, and
PyTorch's divided by ours. An oracle and a rival only; nothing in the project needs it.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from torch.nn import functional as F

ROUNDS, LEAST = 7, 0.05  # seconds of each op in a round
MANY = 1_000_000


def leaf(*shape):
    return torch.randn(shape, requires_grad=True)


def value(f):
    def step():
        with torch.no_grad():
            f()
    return step


def with_grad(inputs, f):
    dy = torch.randn_like(f().detach())
    return lambda: torch.autograd.grad(f(), inputs, dy)


def norm_step(module):
    x = leaf(16, 64, 32, 32)
    return with_grad([*module.parameters(), x], lambda: module(x))


def works():
    a, b = torch.randn(MANY), torch.randn(MANY)
    p = torch.rand(MANY)
    middle, first = leaf(64, 128, 64), leaf(512, 1024)
    image, filters, small = leaf(8, 64, 32, 32), leaf(64, 1, 3, 3), leaf(8, 32, 32, 32)
    square, index = torch.randn(1024, 1024), torch.randint(0, 1024, (1024, 1024))
    logits, target = leaf(1024, 256), torch.rand(1024, 256)
    weights, planes, long = torch.rand(64, 1000), torch.randn(16, 64, 32, 32), leaf(MANY)
    rows = torch.randn(64, 10_000)
    signs, angles = a > 0, 3 * a
    wide, matrix, bias = leaf(1024, 768), leaf(768, 768), leaf(768)
    narrow, small_matrix, small_bias = leaf(256, 64), leaf(64, 64), leaf(64)
    kernels = leaf(64, 64, 3, 3)
    q, k, v = (leaf(4, 4, 512, 64) for _ in range(3))
    return {
        "dot": value(lambda: torch.dot(a, b)),
        "softmax, middle": with_grad([middle], lambda: F.softmax(middle, 1)),
        "softmax, first": with_grad([first], lambda: F.softmax(first, 0)),
        "linear": with_grad([wide, matrix, bias], lambda: F.linear(wide, matrix, bias)),
        "linear, small": with_grad([narrow, small_matrix, small_bias],
                                   lambda: F.linear(narrow, small_matrix, small_bias)),
        "conv2d": with_grad([image, kernels], lambda: F.conv2d(image, kernels, padding=1)),
        "dropout": with_grad([long], lambda: F.dropout(long, 0.1)),
        "attention": with_grad(
            [q, k, v], lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
        "depthwise": with_grad([image, filters],
                               lambda: F.conv2d(image, filters, padding=1, groups=64)),
        "batch norm": norm_step(torch.nn.BatchNorm2d(64)),
        "group norm": norm_step(torch.nn.GroupNorm(8, 64)),
        "randperm": value(lambda: torch.randperm(MANY // 10)),
        "multinomial": value(lambda: torch.multinomial(weights, 100, True)),
        "mean of 0, 2, 3": value(lambda: planes.mean((0, 2, 3))),
        "pow, number": value(lambda: p.pow(1.7)),
        "pow": value(lambda: p.pow(b)),
        "sum of bool": value(lambda: signs.sum()),
        "gelu": with_grad([long], lambda: F.gelu(long)),
        "nearest": with_grad([small], lambda: F.interpolate(small, scale_factor=2)),
        "sin": value(lambda: angles.sin()),
        "gather, last": value(lambda: square.gather(1, index)),
        "max pool": with_grad([image], lambda: F.max_pool2d(image, 2)),
        "BCE with logits": with_grad(
            [logits], lambda: F.binary_cross_entropy_with_logits(logits, target)),
        "topk": value(lambda: rows.topk(10)),
        "scatter_add": value(lambda: square.scatter_add(1, index, square)),
    }


def milliseconds(step):
    """Processor time of one step, of as many as LEAST seconds hold."""
    step()
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < LEAST:
        step()
        count += 1
    return 1e3 * spent / count


def ours(program, name):
    """Milliseconds of the op, in a process of its own: what others leave in memory does not matter."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        subprocess.run(
            [program, f"--benchmark_filter=^ops/{name}$",
             "--benchmark_repetitions=1", "--benchmark_report_aggregates_only=false",
             "--benchmark_enable_random_interleaving=false", f"--benchmark_min_time={LEAST}",
             f"--benchmark_out={out}", "--benchmark_out_format=json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out) as file:
            return json.load(file)["benchmarks"][0]["cpu_time"]


def main():
    program, chosen = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(1)
    torch.manual_seed(1)
    steps = {name: step for name, step in works().items() if not chosen or name in chosen}
    rounds = [{name: (ours(program, name), milliseconds(step)) for name, step in steps.items()}
              for _ in range(ROUNDS)]
    print(f"PyTorch {torch.__version__}, one thread\n")
    print("| op | tarsier, ms | PyTorch, ms | PyTorch ÷ tarsier |")
    print("|---|---:|---:|---:|")
    for name in steps:
        a, b = (statistics.median(one[name][i] for one in rounds) for i in (0, 1))
        print(f"| {name} | {a:.3f} | {b:.3f} | {b / a:.2f} |")


main()
