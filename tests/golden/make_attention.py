#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/attention_test.cpp with torch.nn.MultiheadAttention.

    python3 tests/golden/make_attention.py

writes attention.safetensors in its folder, in the form of make_golden.py: "case.query", "case.y",
"case.dy", "case.dquery", "case.state.<key>", "case.grad.<key>", the masks with their gradients, and
"case.weights" and "case.weights_by_head". Inputs are query, key, value; or query and memory, which
is key and value; or x, which is all three. Weights of a query that may look at nothing are NaN in
PyTorch, and 0 here; its output is the one that PyTorch gives without weights, which is finite.
"""
import os

import torch

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20251121)
HERE = os.path.dirname(os.path.abspath(__file__))
B, T, S, C, H = 2, 4, 5, 6, 2
out = {}


def record(case, inputs, masks=None, batched=True, **options):
    """Runs with and without weights, walks back from a random upstream gradient, notes all.
    `inputs`: name → (time, width)."""
    module = torch.nn.MultiheadAttention(C, H, **options)
    with torch.no_grad():  # the zero biases would hide mistakes
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    tensors = {}
    for name, (time, width) in inputs.items():
        x = torch.randn(B, time, width)
        tensors[name] = (x[0] if not batched else x if module.batch_first else x.transpose(0, 1)).clone()
    given = list(tensors.values())
    tensors |= masks or {}
    for name, x in tensors.items():
        out[f"{case}.{name}"] = x.detach().clone()
        x.requires_grad_(x.is_floating_point())
    for name, value in module.state_dict().items():
        out[f"{case}.state.{name}"] = value.clone()

    query, key, value = {1: given * 3, 2: given + given[1:], 3: given}[len(given)]
    y, _ = module(query, key, value, need_weights=False, **(masks or {}))
    out[f"{case}.y"], out[f"{case}.dy"] = y, torch.randn_like(y)
    y.backward(out[f"{case}.dy"])
    for name, x in tensors.items():
        if x.is_floating_point():
            out[f"{case}.d{name}"] = x.grad
    for name, parameter in module.named_parameters():
        out[f"{case}.grad.{name}"] = parameter.grad
    again, weights = module(query, key, value, average_attn_weights=False, **(masks or {}))
    _, mean = module(query, key, value, **(masks or {}))
    assert "blind" in case or torch.allclose(again, y, rtol=0, atol=1e-12), case
    weights = weights.nan_to_num(0)
    out[f"{case}.weights_by_head"] = weights
    out[f"{case}.weights"] = mean.where(mean.isfinite(), weights.mean(-3))


SELF = {"x": (T, C)}
CROSS = {"query": (T, C), "key": (S, C), "value": (S, C)}
MEMORY = {"query": (T, C), "memory": (S, C)}


def hidden(*shape):
    """A random bool mask; the first key stays visible, so that no query is blind."""
    mask = torch.rand(shape) < 0.5
    mask[..., 0] = False
    return mask


def padding(batch=B, keys=S):
    return {"key_padding_mask": hidden(batch, keys)}


causal = {"attn_mask": torch.triu(torch.ones(T, T, dtype=torch.bool), 1)}

# ------------------------------------------------------------------------------ inputs and weights
record("self", SELF)
record("self_no_bias", SELF, bias=False)
record("self_batch_first", SELF, batch_first=True)
record("self_unbatched", SELF, batched=False)
record("cross", CROSS)
record("cross_batch_first", CROSS, batch_first=True)
record("cross_unbatched", CROSS, batched=False, batch_first=True)
record("memory", MEMORY)
record("memory_no_bias", MEMORY, bias=False, batch_first=True)
record("one_query", {"query": (1, C), "key": (S, C), "value": (S, C)})
record("one_key", {"query": (T, C), "memory": (1, C)})
record("kdim_vdim", {"query": (T, C), "key": (S, 5), "value": (S, 3)}, kdim=5, vdim=3)
record("kdim", {"query": (T, C), "key": (S, 7), "value": (S, C)}, kdim=7, bias=False)
record("vdim", {"query": (T, C), "key": (S, C), "value": (S, 1)}, vdim=1, batch_first=True)
record("kdim_memory", {"query": (T, C), "memory": (S, 3)}, kdim=3, vdim=3)
record("kdim_unbatched", {"query": (T, C), "key": (S, 5), "value": (S, 3)},
       {"key_padding_mask": hidden(S)}, kdim=5, vdim=3, batched=False)

# ------------------------------------------------------------------------------------------- masks
record("causal", SELF, causal)
record("causal_padding", SELF, causal | padding(keys=T), batch_first=True)
record("padding", CROSS, padding())
record("padding_float", CROSS, {"key_padding_mask": torch.randn(B, S)})
record("mask", CROSS, {"attn_mask": hidden(T, S)}, batch_first=True)
record("mask_float", MEMORY, {"attn_mask": torch.randn(T, S)})
record("mask_by_head", CROSS, {"attn_mask": hidden(B * H, T, S)})
record("mask_by_head_float", MEMORY, {"attn_mask": torch.randn(B * H, T, S)}, batch_first=True)
record("both", MEMORY, {"attn_mask": hidden(T, S)} | padding())
record("both_by_head", MEMORY, {"attn_mask": hidden(B * H, T, S)} | padding())
record("both_float", MEMORY, {"attn_mask": torch.randn(B * H, T, S),
                              "key_padding_mask": torch.randn(B, S)})
record("mask_float_padding", MEMORY, {"attn_mask": torch.randn(T, S)} | padding())
record("mask_padding_float", MEMORY, {"attn_mask": hidden(T, S),
                                      "key_padding_mask": torch.randn(B, S)})
record("unbatched_both", MEMORY, {"attn_mask": hidden(H, T, S), "key_padding_mask": hidden(S)},
       batched=False)
record("unbatched_mask_float", MEMORY, {"attn_mask": torch.randn(T, S)}, batched=False)

# Queries that may look at nothing: one by the mask, one sequence by padding, some by both together.
row = hidden(T, S)
row[1] = True
record("blind_mask", CROSS, {"attn_mask": row})
sequence = hidden(B, S)
sequence[1] = True
record("blind_padding", MEMORY, {"key_padding_mask": sequence}, batch_first=True)
odd, even = torch.arange(S) % 2 == 1, torch.arange(S) % 2 == 0
by_head = hidden(B * H, T, S)
by_head[1:3, 2] = even
record("blind_both", MEMORY, {"attn_mask": by_head, "key_padding_mask": torch.stack([odd, even])})
record("blind_causal", SELF, causal | {"key_padding_mask": torch.tensor([[True, False, True, False],
                                                                         [True, True, True, True]])})
record("blind_unbatched", MEMORY, {"key_padding_mask": torch.ones(S, dtype=torch.bool)},
       batched=False)

# -------------------------------------------------------------------------------------- extra keys
record("bias_kv", SELF, add_bias_kv=True)
record("bias_kv_masks", MEMORY, {"attn_mask": row} | padding(), add_bias_kv=True, batch_first=True)
record("bias_kv_kdim", {"query": (T, C), "key": (S, 5), "value": (S, 3)}, padding(),
       add_bias_kv=True, kdim=5, vdim=3)
record("zero_attn", SELF, add_zero_attn=True, batch_first=True)
record("zero_attn_float", CROSS, {"attn_mask": torch.randn(B * H, T, S)}, add_zero_attn=True)
record("extra_causal", SELF, causal, add_bias_kv=True, add_zero_attn=True)
record("extra_causal_padding", SELF, causal | padding(keys=T), add_bias_kv=True,
       add_zero_attn=True)
record("extra_unbatched", SELF, {"key_padding_mask": hidden(T)}, add_bias_kv=True,
       add_zero_attn=True, batched=False)

save_finite(os.path.join(HERE, "attention.safetensors"), out)
