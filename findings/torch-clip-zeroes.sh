#!/usr/bin/env bash
# PyTorch: clipping large gradients sets them to zero.
#
# clip_grad_norm_ sums squares in the gradients' own type. Of two elements of 1e20, ordinary numbers
# in float32, the norm 1.4e20 is one as well, but their squares are not: the norm is infinite, the
# factor max_norm / norm is 0, and what should have a norm of 1 has one of 0. The step that clipping
# was switched on for is skipped, and nothing says so unless error_if_nonfinite=True.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" - <<'EOF'
import torch

weight = torch.zeros(2, requires_grad=True)
weight.grad = torch.tensor([1e20, 1e20])
norm = torch.nn.utils.clip_grad_norm_([weight], max_norm=1.0)
print("expected: norm 1.414e20, gradient [0.707, 0.707]")
print("observed: norm", norm.item(), "gradient", weight.grad.tolist())
assert norm.isinf() and weight.grad.tolist() == [0, 0]
EOF
