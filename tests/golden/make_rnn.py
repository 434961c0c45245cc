#!/usr/bin/env python3
"""Makes the reference numbers of tests/nn/rnn_test.cpp with PyTorch.

    python3 tests/golden/make_rnn.py

writes rnn.safetensors in its folder, in the form of make_conv.py. "case.y" holds all results of a
call one after the other: output, h_n, c_n. With "case.lengths" the call is pack_padded_sequence,
the module, pad_packed_sequence.
"""
import os

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from record import out, record
from safetensors_file import save_finite

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261130)
HERE = os.path.dirname(os.path.abspath(__file__))


def flat(*tensors):
    return torch.cat([x.reshape(-1) for x in tensors])


class Flat:
    """A recurrent module whose results are one vector, and which is given `names` after x."""

    def named(self, *names):
        self.names = names
        return self

    def forward(self, x, *rest):
        given = dict(zip(self.names, rest))
        state = tuple(given[name] for name in ("h_0", "c_0") if name in given)
        state = state[0] if len(state) == 1 else state or None
        if not hasattr(self, "batch_first"):  # a cell
            last = super().forward(x, state)
            return flat(*last) if isinstance(last, tuple) else flat(last)
        if "lengths" in given:
            x = pack_padded_sequence(x, given["lengths"], self.batch_first, enforce_sorted=False)
        output, last = super().forward(x, state)
        if "lengths" in given:
            output, _ = pad_packed_sequence(output, self.batch_first, total_length=TOTAL)
        return flat(output, *last) if isinstance(last, tuple) else flat(output, last)


class LSTM(Flat, nn.LSTM):
    pass


class GRU(Flat, nn.GRU):
    pass


class LSTMCell(Flat, nn.LSTMCell):
    pass


class GRUCell(Flat, nn.GRUCell):
    pass


TOTAL = 6  # steps of a padded batch
N = torch.randn

for kind, module, cell in (("lstm", LSTM, LSTMCell), ("gru", GRU, GRUCell)):
    def states(*shape):
        return {name: N(*shape) for name in (("h_0", "c_0") if kind == "lstm" else ("h_0",))}

    def with_states(case, made, x, s, **more):
        record(f"{kind}_{case}", made.named(*s, *more), x=x, **s, **more)

    with_states("cell", cell(4, 3), N(5, 4), {})
    with_states("cell_state", cell(4, 3), N(5, 4), states(5, 3))
    with_states("cell_one", cell(4, 3, bias=False), N(4), states(3))
    with_states("plain", module(4, 3), N(5, 2, 4), {})
    with_states("one", module(4, 3, 2, bidirectional=True), N(5, 4), states(4, 3))
    with_states("layers", module(4, 3, 3, bias=False, batch_first=True), N(2, 5, 4), states(3, 2, 3))
    with_states("both", module(4, 3, 2, bidirectional=True), N(5, 2, 4), states(4, 2, 3))
    with_states("dropped", module(4, 3, 2, dropout=1.0), N(5, 2, 4), {})  # nothing for layer 2
    with_states("lengths", module(4, 3, 2), N(6, 5, 4), {},
                lengths=torch.tensor([2, 6, 1, 4, 4]))
    with_states("lengths_both", module(4, 3, 2, bidirectional=True, batch_first=True), N(4, 6, 4),
                states(4, 4, 3), lengths=torch.tensor([3, 1, 5, 3]))

save_finite(os.path.join(HERE, "rnn.safetensors"), out)
