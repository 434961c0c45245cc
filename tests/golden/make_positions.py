#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/position_test.cpp, grouped_query_attention_test.cpp and
attention_gate_test.cpp with PyTorch and Hugging Face's transformers.

    python3 tests/golden/make_positions.py

writes positions.safetensors in its folder, in the form of make_conv.py. What PyTorch has no module
for is written out here, from the papers; where transformers has it, the two are compared first.
"""
import math
import os

import torch
import torch.nn.functional as F
from torch import nn
from transformers import LlamaConfig, MistralConfig
from transformers.models.bloom import modeling_bloom
from transformers.models.gpt_neox import modeling_gpt_neox
from transformers.models.gptj import modeling_gptj
from transformers.models.llama import modeling_llama
from transformers.models.mistral import modeling_mistral

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20250103)
HERE = os.path.dirname(os.path.abspath(__file__))
out = {}


def record(case, function, *, module=None, masks=None, **inputs):
    """Runs function(*inputs), walks back from a random upstream gradient, and notes everything."""
    for name, x in inputs.items():
        out[f"{case}.{name}"] = x.detach().clone()
        x.requires_grad_(True)
    for name, mask in (masks or {}).items():
        out[f"{case}.{name}"] = mask.clone()
    parameters = dict(module.named_parameters()) if module else {}
    for name, parameter in parameters.items():
        parameter.grad = None
        out[f"{case}.state.{name}"] = parameter.detach().clone()
    y = function(*inputs.values())
    dy = torch.randn_like(y)
    y.backward(dy)
    out[f"{case}.y"], out[f"{case}.dy"] = y, dy
    for name, x in inputs.items():
        out[f"{case}.d{name}"] = x.grad
    for name, parameter in parameters.items():
        out[f"{case}.grad.{name}"] = parameter.grad


def randomised(module, scale=1.0):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(scale * torch.randn_like(parameter))
    return module


# --------------------------------------------------------------------------- added to the input
def sinusoids(T, C, offset=0):
    """Vaswani et al. 2017, 3.5."""
    pe = torch.empty(T, C)
    for p in range(T):
        for c in range(C):
            angle = (offset + p) / 10000 ** ((c - c % 2) / C)
            pe[p, c] = math.cos(angle) if c % 2 else math.sin(angle)
    return pe


hugging_face = modeling_gptj.create_sinusoidal_positions(7, 6)  # all sines before all cosines
assert torch.allclose(hugging_face[:, [0, 3, 1, 4, 2, 5]].double(), sinusoids(7, 6), atol=1e-5)
record("sinusoidal", lambda x: x + sinusoids(7, 6), x=torch.randn(2, 7, 6))
record("sinusoidal_odd", lambda x: x + sinusoids(3, 5), x=torch.randn(3, 5))
out["sinusoidal_far"] = sinusoids(3, 10, 5000)

learned = randomised(nn.Embedding(9, 5))
record("learned", lambda x: x + learned(torch.arange(7)), module=learned, x=torch.randn(2, 7, 5))
record("learned_offset", lambda x: x + learned(torch.arange(4) + 5), module=learned,
       x=torch.randn(2, 4, 5))


# ------------------------------------------------------------------------------------- rotary
def rotary_tables(T, R, offset=0, base=10000, factor=1):
    """(T, R/2) each."""
    angles = (offset + torch.arange(T))[:, None] / factor / base ** (torch.arange(0, R, 2) / R)
    return angles.cos(), angles.sin()


def rotary(x, R=None, interleaved=False, **options):
    """Su et al. 2021, eq. 34, by complex numbers; in pairs of neighbours, or of halves."""
    R = R or x.shape[-1]
    turned, kept = x[..., :R], x[..., R:]
    pairs = turned.unflatten(-1, (R // 2, 2) if interleaved else (2, R // 2))
    pairs = pairs if interleaved else pairs.transpose(-1, -2)
    cos, sin = rotary_tables(x.shape[-2], R, **options)
    y = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * torch.complex(cos, sin))
    y = (y if interleaved else y.transpose(-1, -2)).flatten(-2)
    return torch.cat((y, kept), -1)


def compare_rotary():
    """The formula against the three programs that models are trained with."""
    q, k = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    cos, sin = rotary_tables(5, 8, 11)
    whole = torch.cat((cos, cos), -1)[None], torch.cat((sin, sin), -1)[None]
    for y, x in zip(modeling_llama.apply_rotary_pos_emb(q, k, *whole), (q, k)):
        assert torch.allclose(y, rotary(x, offset=11), rtol=0, atol=1e-13)
    y = modeling_gptj.apply_rotary_pos_emb(q.transpose(1, 2), sin[None], cos[None])
    assert torch.allclose(y.transpose(1, 2), rotary(q, offset=11, interleaved=True), rtol=0,
                          atol=1e-13)
    cos, sin = rotary_tables(5, 4, 11)
    part = torch.cat((cos, cos), -1)[None], torch.cat((sin, sin), -1)[None]
    turned = modeling_gpt_neox.apply_rotary_pos_emb(q[..., :4], k[..., :4], *part)[0]
    assert torch.allclose(torch.cat((turned, q[..., 4:]), -1), rotary(q, 4, offset=11), rtol=0,
                          atol=1e-13)


compare_rotary()
record("rotary", rotary, x=torch.randn(2, 3, 7, 6))
record("rotary_interleaved", lambda x: rotary(x, interleaved=True), x=torch.randn(2, 3, 7, 6))
record("rotary_partial", lambda x: rotary(x, 4, base=500), x=torch.randn(2, 3, 5, 10))
record("rotary_partial_interleaved", lambda x: rotary(x, 6, interleaved=True, factor=4),
       x=torch.randn(2, 3, 5, 10))
record("rotary_far", lambda x: rotary(x, offset=5000), x=torch.randn(1, 2, 3, 6))


# -------------------------------------------------------------------------------------- ALiBi
def slopes(H):
    """Press et al. 2022; the rule for other H than powers of two is in their program."""
    if H & (H - 1) == 0:
        return [2 ** (-8 * (h + 1) / H) for h in range(H)]
    below = 2 ** math.floor(math.log2(H))
    return slopes(below) + slopes(2 * below)[0::2][:H - below]


def alibi(H, T, S, offset=0):
    distance = (torch.arange(T)[:, None] + offset - torch.arange(S)).abs()
    return -torch.tensor(slopes(H))[:, None, None] * distance


for heads in range(1, 14):
    by_bloom = modeling_bloom.build_alibi_tensor(torch.ones(1, 2), heads, torch.float64)[:, 0, 1]
    assert torch.allclose(by_bloom, torch.tensor(slopes(heads)), rtol=1e-6)
    out[f"alibi_slopes.{heads}"] = torch.tensor(slopes(heads))
out["alibi_bias"] = alibi(3, 4, 6, 2)


# --------------------------------------------------------------------------- grouped queries
class GroupedQuery(nn.Module):
    def __init__(self, C, H, kv_heads, head_dim=None, bias=False):
        super().__init__()
        self.H, self.kv_heads, self.D = H, kv_heads, head_dim or C // H
        self.q_proj = nn.Linear(C, H * self.D, bias)
        self.k_proj = nn.Linear(C, kv_heads * self.D, bias)
        self.v_proj = nn.Linear(C, kv_heads * self.D, bias)
        self.o_proj = nn.Linear(H * self.D, C, bias)

    def forward(self, x, may_look=None, added=None, turn=lambda heads: heads):
        """may_look and added broadcast to (B, H, T, T)."""
        def heads(y, count):
            return y.unflatten(-1, (count, self.D)).transpose(1, 2)
        q, k = turn(heads(self.q_proj(x), self.H)), turn(heads(self.k_proj(x), self.kv_heads))
        v = heads(self.v_proj(x), self.kv_heads)
        mask = torch.zeros(x.shape[0], self.H, x.shape[1], x.shape[1])
        if may_look is not None:
            mask = mask.masked_fill(~may_look, -math.inf)
        if added is not None:
            mask = mask + added
        y = F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).flatten(-2))


def causal(T):
    return torch.ones(T, T, dtype=torch.bool).tril()


def band(T, window):
    i, j = torch.arange(T)[:, None], torch.arange(T)
    return (i - j).abs() < window


def gqa(case, C, H, kv_heads, B, T, *, head_dim=None, bias=False, masks=None, **call):
    # The gradient of k_proj.bias is 0, softmax being what it is: small numbers cancel better.
    module = randomised(GroupedQuery(C, H, kv_heads, head_dim, bias), 0.25 if bias else 0.5)
    record(case, lambda x: module(x, **call), module=module, masks=masks, x=torch.randn(B, T, C))


gqa("gqa", 8, 4, 2, 2, 5)
gqa("gqa_bias", 12, 6, 2, 2, 5, bias=True)
gqa("gqa_one", 8, 4, 1, 2, 5, may_look=causal(5))
gqa("gqa_all", 6, 3, 3, 2, 5, may_look=causal(5))
gqa("gqa_head_dim", 6, 4, 2, 2, 5, head_dim=5, may_look=causal(5))
gqa("gqa_window", 8, 4, 2, 2, 9, may_look=causal(9) & band(9, 3))
gqa("gqa_window_both", 8, 4, 2, 2, 9, may_look=band(9, 3))
gqa("gqa_alibi", 12, 6, 2, 2, 5, may_look=causal(5), added=alibi(6, 5, 5))
gqa("gqa_alibi_both", 6, 3, 1, 2, 5, added=alibi(3, 5, 5))
gqa("gqa_alibi_window", 6, 3, 3, 2, 9, may_look=causal(9) & band(9, 4), added=alibi(3, 9, 9))
gqa("gqa_rotary", 8, 4, 2, 2, 5, turn=lambda x: rotary(x, interleaved=True, base=50))
gqa("gqa_rotary_window", 8, 2, 1, 2, 9, may_look=causal(9) & band(9, 4),
    turn=lambda x: rotary(x, 2))
# The first sequence begins with padding, so its first queries see nothing when causal.
padding = torch.tensor([[True, True, False, False, False], [False, False, False, True, True]])
see = ~padding[:, None, None]
gqa("gqa_padding", 8, 4, 2, 2, 5, may_look=see, masks={"key_padding_mask": padding})
gqa("gqa_padding_causal", 8, 4, 2, 2, 5, bias=True, may_look=see & causal(5),
    masks={"key_padding_mask": padding})
gqa("gqa_padding_alibi", 8, 4, 2, 2, 5, may_look=see & causal(5), added=alibi(4, 5, 5),
    masks={"key_padding_mask": padding})
hidden = torch.rand(5, 5) < 0.4
gqa("gqa_mask", 8, 4, 2, 2, 5, may_look=~hidden, masks={"attn_mask": hidden})
gqa("gqa_mask_padding", 8, 4, 2, 2, 5, may_look=~hidden & see,
    masks={"attn_mask": hidden, "key_padding_mask": padding})
by_head = torch.randn(2, 4, 5, 5)
gqa("gqa_mask_heads", 8, 4, 2, 2, 5, may_look=causal(5), added=by_head,
    masks={"attn_mask": by_head.flatten(0, 1)})


def hugging_face_attention(case, module, mask, T):
    """Llama's or Mistral's own attention module, with positions in f64."""
    randomised(module, 0.5).train()
    config = module.config
    cos, sin = rotary_tables(T, module.head_dim, base=config.rope_parameters["rope_theta"])
    positions = torch.cat((cos, cos), -1)[None], torch.cat((sin, sin), -1)[None]
    added = torch.zeros(1, 1, T, T).masked_fill(~mask, -math.inf)
    record(case, lambda x: module(x, positions, added)[0], module=module,
           x=torch.randn(2, T, config.hidden_size))


sizes = {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2,
         "attn_implementation": "sdpa"}  # eager: softmax in f32
hugging_face_attention("llama", modeling_llama.LlamaAttention(
    LlamaConfig(**sizes, rope_parameters={"rope_type": "default", "rope_theta": 500.0},
                attention_bias=True), 0), causal(7), 7)
hugging_face_attention("mistral", modeling_mistral.MistralAttention(
    MistralConfig(**sizes, head_dim=6, sliding_window=3,
                  rope_parameters={"rope_type": "default", "rope_theta": 10000.0}), 0),
    causal(9) & band(9, 3), 9)


# ----------------------------------------------------------------------------- attention gate
class AttentionGate(nn.Module):
    """Oktay et al. 2018, eq. 1 and 2."""
    def __init__(self, x_channels, g_channels, inter_channels, stride):
        super().__init__()
        self.W_x = nn.Conv2d(x_channels, inter_channels, stride, stride, bias=False)
        self.W_g = nn.Conv2d(g_channels, inter_channels, 1)
        self.psi = nn.Conv2d(inter_channels, 1, 1)

    def forward(self, x, g):
        self.alpha = F.interpolate(self.psi((self.W_x(x) + self.W_g(g)).relu()).sigmoid(),
                                   size=x.shape[2:], mode="bilinear")
        return self.alpha * x


for case, channels, stride, x_size, g_size in (("gate", (3, 5, 4), 2, (6, 8), (3, 4)),
                                               ("gate_odd", (2, 3, 3), 2, (5, 7), (2, 3)),
                                               ("gate_stride", (2, 3, 2), (4, 1), (8, 3), (2, 3))):
    module = randomised(AttentionGate(*channels, stride))
    record(case, module, module=module, x=torch.randn(2, channels[0], *x_size),
           g=torch.randn(2, channels[1], *g_size))
    out[f"{case}.alpha"] = module.alpha

save_finite(os.path.join(HERE, "positions.safetensors"), out)
