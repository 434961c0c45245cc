#!/usr/bin/env bash
# librosa: a sample number that is turned into seconds and back is one less for every fourteenth sample.
#
# samples_to_time(k) is k / sr, and time_to_samples(t) cuts off t · sr, in place of rounding it. The
# quotient is rounded, so the product is often a little below k. At 44,100 Hz this hits 7 % of all
# samples, beginning with sample 15; frames behave likewise, with every usual hop length. Onsets and
# annotations that are stored in seconds come back one sample or one frame early, some of them and not
# others; labels of frames move by a whole hop.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need librosa==0.11.0
"$python" - <<'EOF'
import librosa
import numpy as np

numbers = np.arange(200_000)
wrong = {}
for rate in (8000, 22050, 44100, 48000):
    back = librosa.time_to_samples(librosa.samples_to_time(numbers, sr=rate), sr=rate)
    assert set(numbers - back) == {0, 1}  # never more than one too early, never too late
    wrong[rate] = int((back != numbers).sum())
frames = np.arange(20_000)
back = librosa.time_to_frames(librosa.frames_to_time(frames, sr=22050), sr=22050)
print("expected: the same numbers")
print("observed: samples that come back one less, of 200,000, by rate:", wrong)
print("          frames (rate and hop by default), of 20,000:", int((back != frames).sum()))
print("          0.29 s at 100 samples a second is sample", int(librosa.time_to_samples(0.29, sr=100)))
assert wrong == {8000: 1482, 22050: 14044, 44100: 14044, 48000: 12280}
assert (back != frames).sum() == 1373
assert librosa.time_to_samples(0.29, sr=100) == 28
EOF
