#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/transformer_test.cpp and translation_parity_test.cpp with
PyTorch 2.5 or newer.

    python3 tests/golden/make_transformer.py

writes transformer.safetensors in its folder. "family.state.<key>" are the weights of the cases
"family.*", "case.<input>" and "case.<mask>" what goes in, "case.y" and "case.dy" what comes out and
the gradient that goes back in, "case.d<input>" and "case.grad.<key>" what arrives. What goes in is
rounded to f32, and stored so.
"""
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20250103)
HERE = os.path.dirname(os.path.abspath(__file__))
out = {}

C, H, FF = 6, 2, 7  # width, heads, width inside the feed-forward block
B, S, T = 3, 5, 4  # batch, times of source and target
SIZES = dict(dim_feedforward=FF, dropout=0.0)


def randn(*shape):
    return torch.randn(shape).float().double()


def randomize(module):
    """Ones and zeros would hide mistakes."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(randn(*parameter.shape) / 2)
    return module


def record(case, module, inputs, **masks):
    """Runs `module` with the weights of its family, walks back from a random upstream gradient, and
    notes everything."""
    family = case.split(".")[0]
    if f"{family}.state" not in states:
        states[f"{family}.state"] = randomize(module).state_dict()
        for key, value in module.state_dict().items():
            out[f"{family}.state.{key}"] = value.float()
    state = states[f"{family}.state"]
    module.load_state_dict({key: state[key] for key in module.state_dict()})
    for name, x in inputs.items():
        out[f"{case}.{name}"] = x.detach().float()
        x.requires_grad_(True)
    for name, mask in masks.items():
        if torch.is_tensor(mask) and not mask.isinf().any():  # not causal
            out[f"{case}.{name}"] = mask.float() if mask.is_floating_point() else mask
    y = module(*inputs.values(), **masks)
    dy = randn(*y.shape)
    y.backward(dy)
    out[f"{case}.y"], out[f"{case}.dy"] = y, dy.float()
    for name, x in inputs.items():
        out[f"{case}.d{name}"] = x.grad
    for key, parameter in module.named_parameters():
        out[f"{case}.grad.{key}"] = parameter.grad


states = {}


def source(batch_first=False):
    return randn(B, S, C) if batch_first else randn(S, B, C)


def target(batch_first=False):
    return randn(B, T, C) if batch_first else randn(T, B, C)


def hidden(*shape):
    """A mask: true may not look. The first key is always seen."""
    mask = torch.rand(shape) < 0.4
    mask[..., 0] = False
    return mask


def causal(size):
    return nn.Transformer.generate_square_subsequent_mask(size)


def padding(lengths, size):
    return torch.arange(size) >= torch.tensor(lengths)[:, None]


src_padding, tgt_padding = padding([5, 2, 4], S), padding([1, 4, 3], T)


# ------------------------------------------------------------------------------------------ layers
def encoder_layer(case, batch_first=False, norm_first=False, activation="relu", bias=True, eps=1e-5,
                  **masks):
    layer = nn.TransformerEncoderLayer(C, H, **SIZES, batch_first=batch_first, norm_first=norm_first,
                                       activation=activation, bias=bias, layer_norm_eps=eps)
    record("encoder_layer." + case, layer, {"src": source(batch_first)}, **masks)


encoder_layer("post")
encoder_layer("pre", norm_first=True)
encoder_layer("post_first", batch_first=True, activation="gelu", eps=0.1)
encoder_layer("pre_first", batch_first=True, norm_first=True, activation=F.silu)
encoder_layer("no_bias", bias=False, activation=lambda x: F.gelu(x, approximate="tanh"))
encoder_layer("bool_mask", src_mask=hidden(S, S))
encoder_layer("float_mask", src_mask=randn(S, S), norm_first=True)
encoder_layer("head_mask", src_mask=hidden(B * H, S, S), batch_first=True)
encoder_layer("padding", src_key_padding_mask=src_padding)
encoder_layer("float_padding", src_key_padding_mask=randn(B, S), batch_first=True)
encoder_layer("causal", src_mask=causal(S), is_causal=True, norm_first=True)
encoder_layer("all", src_mask=hidden(S, S), src_key_padding_mask=src_padding, batch_first=True,
              norm_first=True, activation="gelu")


def decoder_layer(case, batch_first=False, norm_first=False, activation="relu", bias=True, **masks):
    layer = nn.TransformerDecoderLayer(C, H, **SIZES, batch_first=batch_first, norm_first=norm_first,
                                       activation=activation, bias=bias)
    record("decoder_layer." + case, layer,
           {"tgt": target(batch_first), "memory": source(batch_first)}, **masks)


decoder_layer("post")
decoder_layer("pre", norm_first=True, activation="gelu")
decoder_layer("no_bias", bias=False, batch_first=True)
decoder_layer("causal", tgt_mask=causal(T), tgt_is_causal=True, batch_first=True)
decoder_layer("memory_masks", memory_mask=hidden(T, S), memory_key_padding_mask=src_padding)
decoder_layer("float_masks", tgt_mask=randn(T, T), memory_mask=randn(B * H, T, S),
              norm_first=True)
decoder_layer("all", tgt_mask=hidden(T, T), memory_mask=hidden(B * H, T, S),
              tgt_key_padding_mask=tgt_padding, memory_key_padding_mask=src_padding,
              batch_first=True, norm_first=True, activation="gelu")

# Rows that may look at nothing: a query in the mask, and a sample that is padding alone. They get
# zeros from attention (since PyTorch 2.5; NaN before).
blind = hidden(S, S)
blind[3] = True
encoder_layer("blind", src_mask=blind, src_key_padding_mask=padding([5, 0, 4], S))
decoder_layer("blind", tgt_key_padding_mask=padding([4, 0, 3], T), norm_first=True,
              memory_key_padding_mask=padding([0, 5, 2], S))


# ------------------------------------------------------------------------------------------ stacks
def layer_of(make, **options):
    return make(C, H, **SIZES, **options)


E, D = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
stack = dict(num_layers=2)
record("encoder.plain", nn.TransformerEncoder(layer_of(E), **stack, enable_nested_tensor=False),
       {"src": source()}, src_key_padding_mask=src_padding)
record("encoder_norm.norm", nn.TransformerEncoder(
    layer_of(E, norm_first=True, batch_first=True), **stack, norm=nn.LayerNorm(C),
    enable_nested_tensor=False), {"src": source(True)}, mask=causal(S), is_causal=True)
record("decoder.plain", nn.TransformerDecoder(layer_of(D, batch_first=True), **stack),
       {"tgt": target(True), "memory": source(True)}, tgt_mask=causal(T), tgt_is_causal=True,
       memory_key_padding_mask=src_padding)
record("decoder_norm.norm", nn.TransformerDecoder(
    layer_of(D, norm_first=True, bias=False), **stack, norm=nn.LayerNorm(C, bias=False)),
    {"tgt": target(), "memory": source()})


# ------------------------------------------------------------------------------------- transformer
def transformer(case, encoders=1, decoders=2, batch_first=False, masks=None, **options):
    model = nn.Transformer(C, H, encoders, decoders, **SIZES, batch_first=batch_first, **options)
    record("transformer." + case, model, {"src": source(batch_first), "tgt": target(batch_first)},
           **(masks or {}))


transformer("plain")
transformer("masks", batch_first=True, norm_first=True, activation="gelu", masks=dict(
    src_mask=hidden(S, S), tgt_mask=causal(T) < 0, memory_mask=hidden(T, S),
    src_key_padding_mask=src_padding, tgt_key_padding_mask=tgt_padding,
    memory_key_padding_mask=src_padding, tgt_is_causal=True))


# ------------------------------------------------------------------------------------- translation
class Translator(nn.Module):
    """Vaswani et al. 2017, with the embeddings apart. Word 0 is padding, 1 begins a sentence, 2 ends
    it."""

    def __init__(self, src_words, tgt_words, C, H, layers, FF):
        super().__init__()
        self.src_embedding = nn.Embedding(src_words, C, padding_idx=0)
        self.tgt_embedding = nn.Embedding(tgt_words, C, padding_idx=0)
        self.transformer = nn.Transformer(C, H, layers, layers, FF, dropout=0.0, batch_first=True)
        self.out = nn.Linear(C, tgt_words)
        self.C = C

    def embed(self, embedding, words):
        time = torch.arange(words.shape[1])[:, None]
        rate = torch.exp(torch.arange(0, self.C, 2) * (-math.log(10000.0) / self.C))
        positions = torch.zeros(words.shape[1], self.C)
        positions[:, 0::2], positions[:, 1::2] = torch.sin(time * rate), torch.cos(time * rate)
        return embedding(words) * math.sqrt(self.C) + positions

    def forward(self, src, tgt):
        padding = src == 0
        mask = torch.triu(torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool), 1)
        return self.out(self.transformer(
            self.embed(self.src_embedding, src), self.embed(self.tgt_embedding, tgt), tgt_mask=mask,
            src_key_padding_mask=padding, tgt_key_padding_mask=tgt == 0,
            memory_key_padding_mask=padding, tgt_is_causal=True))


model = Translator(11, 9, C=6, H=2, layers=2, FF=7)
with torch.no_grad():
    for parameter in model.parameters():
        parameter.copy_(parameter.float())
src = torch.tensor([[3, 9, 4, 10, 2], [5, 5, 2, 0, 0], [8, 3, 7, 2, 0]])
tgt = torch.tensor([[1, 4, 8, 5, 3, 6, 2], [1, 7, 3, 2, 0, 0, 0], [1, 3, 3, 8, 4, 2, 0]])
out["translation.src"], out["translation.tgt"] = src, tgt
for key, value in model.state_dict().items():
    out[f"translation.state.{key}"] = value.float()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
curve = []
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(src, tgt[:, :-1]).flatten(0, 1), tgt[:, 1:].flatten(),
                           ignore_index=0, label_smoothing=0.1)
    loss.backward()
    if step == 0:
        for key, parameter in model.named_parameters():
            out[f"translation.grad.{key}"] = parameter.grad.clone()
    optimizer.step()
    curve.append(loss.item())
out["translation.curve"] = torch.tensor(curve)

# What the trained model says, word by word.
words = torch.ones(len(src), 1, dtype=torch.int64)
for _ in range(8):
    words = torch.cat([words, model(src, words)[:, -1:, 1:].argmax(-1) + 1], 1)  # no padding
out["translation.words"] = words

save_finite(os.path.join(HERE, "transformer.safetensors"), out)
