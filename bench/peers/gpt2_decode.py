"""The step of bench/decode_bench.cpp in PyTorch: one token of a GPT-2 of 124 million weights.

    python3 bench/peers/gpt2_decode.py [THREADS]      (needs torch)

Prints tokens per second, with f32 weights and with those of torch.ao.quantization.quantize_dynamic
(int8, activations too): the median of seven rounds, by turns. On one thread of processor time, on
several by the clock. A rival only; nothing in the project needs it.
"""
import copy
import statistics
import sys
import time
import warnings

import torch
from torch import nn
from torch.nn import functional as F

LAYERS, HEADS, WIDTH, VOCABULARY, BEFORE, TOKENS = 12, 12, 768, 50257, 64, 10


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, cache):
        q, k, v = (part.view(1, 1, HEADS, WIDTH // HEADS).transpose(1, 2)
                   for part in self.attn(self.ln_1(x)).split(WIDTH, 2))
        keys, values = cache
        keys[:, :, BEFORE], values[:, :, BEFORE] = k[:, :, 0], v[:, :, 0]
        y = F.scaled_dot_product_attention(q, keys, values)
        x = x + self.proj(y.transpose(1, 2).reshape(1, 1, WIDTH))
        return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(1024, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.caches = [torch.randn(2, 1, HEADS, BEFORE + 1, WIDTH // HEADS) for _ in range(LAYERS)]

    def forward(self, index):
        x = self.token(index) + self.position(torch.tensor([BEFORE]))
        for block, cache in zip(self.blocks, self.caches):
            x = block(x, cache)
        return self.head(self.norm(x))


@torch.inference_mode()
def tokens_per_second(model):
    index = torch.tensor([[7]])
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    for _ in range(TOKENS):
        model(index)
    return TOKENS / (clock() - start)


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    torch.manual_seed(1)
    models = {"f32": Gpt2().eval()}
    quantised = torch.ao.quantization.quantize_dynamic(
        copy.deepcopy(models["f32"]), {nn.Linear}, dtype=torch.qint8)
    models["int8, dynamic"] = quantised
    speeds = {name: [] for name in models}
    for round_number in range(8):
        for name, model in models.items():
            speed = tokens_per_second(model)
            if round_number > 0:
                speeds[name].append(speed)
    for name, of_rounds in speeds.items():
        print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {name}: "
              f"{statistics.median(of_rounds):.1f} tokens/s (best {max(of_rounds):.1f})")


main()
