"""The products of bench/precision_bench.cpp in PyTorch, at each precision, and in bf16.

    python3 bench/peers/matmul_precision.py [THREADS]      (needs torch; one thread by default)

Prints GFLOP/s (medians of 15, all ways interleaved), and the error against f64. An oracle and a
rival only; nothing in the project needs it.
"""
import statistics
import sys
import time

import torch
from torch.nn.functional import linear

SHAPES = [(512, 512, 512), (1024, 1024, 1024), (768, 512, 128), (768, 128, 512), (256, 2304, 768),
          (256, 3072, 768), (256, 768, 3072), (256, 50257, 768)]


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    torch.manual_seed(1)
    print(torch.__version__, "bf16 unit:", torch.ops.mkldnn._is_mkldnn_bf16_supported())
    for m, n, k in SHAPES:
        x, weight = torch.randn(m, k), torch.randn(n, k)
        exact = x.double() @ weight.double().t()
        ways = {name: (x, weight, name) for name in ("highest", "high", "medium")}
        ways["bf16"] = (x.bfloat16(), weight.bfloat16(), "highest")
        repeats = max(1, int(2e8 / (2 * m * n * k)))
        speeds = {name: [] for name in ways}
        for _ in range(15):
            for name, (a, b, precision) in ways.items():
                torch.set_float32_matmul_precision(precision)
                start = time.process_time()
                for _ in range(repeats):
                    y = linear(a, b)
                speeds[name].append(2e-9 * m * n * k * repeats / (time.process_time() - start))
        for name, (a, b, precision) in ways.items():
            torch.set_float32_matmul_precision(precision)
            error = (linear(a, b).double() - exact).norm() / exact.norm()
            print(f"{m}x{n}x{k} {name:8} {statistics.median(speeds[name]):8.1f}  error {error:.2e}")


main()
