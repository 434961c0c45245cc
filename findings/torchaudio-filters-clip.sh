#!/usr/bin/env bash
# torchaudio: filters that change nothing cut the waveform off at 1.
#
# lfilter limits its output to [−1, 1] unless it is told otherwise, as its documentation says. What is
# built on it does so as well, has no option for it, and does not say so: equalizers with a gain of 0,
# low-passes far above the signal, and deemphasis, which should undo preemphasis. Waveforms are larger
# than 1 when they are 16-bit samples, sums of several sources, or normalized to a variance of 1.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchaudio==2.11.1 torch==2.15.0
"$python" - <<'EOF'
import math

import torch
from torchaudio import functional

tone = torch.sin(2 * math.pi * 50 * torch.arange(800) / 8000)
FILTERS = {
    "equalizer, 0 dB": lambda x: functional.equalizer_biquad(x, 8000, 1000.0, 0.0),
    "bass, 0 dB": lambda x: functional.bass_biquad(x, 8000, 0.0),
    "low-pass at 3 kHz": lambda x: functional.lowpass_biquad(x, 8000, 3000.0),
    "preemphasis and back": lambda x: functional.deemphasis(functional.preemphasis(x)),
}
observed = {name: [round(apply(scale * tone).abs().max().item(), 2) for scale in (0.5, 3.0)]
            for name, apply in FILTERS.items()}
print("expected: a tone of 50 Hz keeps its amplitude, 0.5 or 3")
print("observed: largest sample:", observed)
assert all(largest == [0.5, 1.0] for largest in observed.values())
for apply in FILTERS.values():  # below the limit they change nothing
    assert torch.allclose(apply(0.5 * tone), 0.5 * tone, atol=0.01)
EOF
