#!/usr/bin/env bash
# mir_eval: a transcription that plays loud what is soft, and soft what is loud, is perfect.
#
# transcription_velocity maps the estimated velocities to those of the reference by a linear
# regression, so that a recording level does not count. Nothing keeps the slope of that line above 0:
# velocities that run exactly the wrong way are turned round and all match. A transcription in which
# every note has the same velocity, which is nearer to the truth, gets a quarter. The score is used to
# compare piano transcribers, and says nothing about a sign that is wrong.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need mir_eval==0.8.2 numpy==2.4.6
"$python" - <<'EOF'
import numpy as np
from mir_eval.transcription_velocity import precision_recall_f1_overlap

times = np.array([[start, start + 0.4] for start in np.arange(0, 4, 0.5)])
pitches = 261.63 * 2 ** (np.arange(8) / 12)
played = np.array([20.0, 34, 48, 62, 76, 90, 104, 118])  # a crescendo
ESTIMATES = {
    "as played": played,
    "a decrescendo": played[::-1],
    "all notes alike": np.full(8, 69.0),
}
observed = {name: precision_recall_f1_overlap(times, pitches, played, times, pitches, velocities)[2]
            for name, velocities in ESTIMATES.items()}
print("expected: F-measure 1 for what was played, and less for a decrescendo than for notes alike")
print("observed:", {name: round(float(score), 3) for name, score in observed.items()})
assert observed["as played"] == observed["a decrescendo"] == 1
assert 0 < observed["all notes alike"] < 0.5
EOF
