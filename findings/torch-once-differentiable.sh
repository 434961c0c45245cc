#!/usr/bin/env bash
# PyTorch: @once_differentiable does not stop a second derivative where it is usually taken.
#
# It marks the backward of a custom function that cannot be differentiated again, so that double
# backward is an error in place of a wrong result. The guard looks at the gradient that comes in. In
# a gradient penalty of the function's own output that is a constant 1, the guard is off, and what
# comes out is a constant as well: the penalty adds to the loss and nothing to the gradient. After
# one more operation that depends on x, the same penalty is the error that was meant.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torch==2.15.0
"$python" -W error - <<'EOF'
import torch
from torch.autograd.function import once_differentiable


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


def gradient(function):
    x = torch.tensor(3.0, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    try:
        (y + (slope - 1) ** 2).backward()
    except RuntimeError as error:
        return str(error)
    return x.grad.item()


observed = {
    "x * x": gradient(lambda x: x * x),
    "Square(x)": gradient(Square.apply),
    "Square(x) ** 2": gradient(lambda x: Square.apply(x) ** 2),
}
print("expected: 26 for y + (y' − 1)², or the error that @once_differentiable is for")
for name, value in observed.items():
    print(f"observed: y = {name}: {value}")
assert observed["x * x"] == 26 and observed["Square(x)"] == 6  # 6 is y' alone
assert "differentiate twice" in observed["Square(x) ** 2"]
EOF
